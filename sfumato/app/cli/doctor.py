"""`sfumato doctor`: what works on this machine, line by line, and what to do about the rest."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from sfumato import options

_MARKS = {"ok": ("ok     ", "green"), "missing": ("missing", "yellow"), "broken": ("broken ", "red")}


@click.command()
@options.as_json("One JSON object a line, one for each thing looked at.")
def doctor(as_json: bool) -> int:
    """Try what sfumato needs on this machine, and say what to do about what is missing or broken.

    Exit code 0: everything that the default commands need works. Exit code 1: something they need is missing or broken.
    What is missing but optional (a GPU, the weights of another landmark backend) is said and does not count.
    """
    from sfumato.app.health import examine
    from sfumato.text import printable

    spoilt = 0
    group = ""
    for finding in examine():
        spoilt += finding.spoils
        if as_json:
            click.echo(json.dumps(asdict(finding)))
            continue
        if finding.group != group:
            group = finding.group
            click.secho(group, bold=True)
        mark, colour = _MARKS[finding.state]
        note = "" if finding.required or finding.state == "ok" else "optional: "
        click.echo(f"  {click.style(mark, fg=colour)}  {printable(finding.name)}: {note}{printable(finding.detail)}")
        if finding.advice:
            click.echo(f"           {printable(finding.advice)}")
    if not as_json:
        click.echo(
            "Everything needed works."
            if not spoilt
            else f"{spoilt} of the things needed do not work; the advice is above."
        )
    return 1 if spoilt else 0
