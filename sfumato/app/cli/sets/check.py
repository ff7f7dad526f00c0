"""`sfumato datasets check`: it parses, checks a set, prints the table or its JSON."""

from __future__ import annotations

from pathlib import Path

import click

from sfumato import options
from sfumato.exit_codes import ExitCode


@click.command("check")
@click.argument("path", metavar="SET", type=options.ANY)
@options.trust("Roots that signers must lead to; may be repeated. Without, any signer will do.")
@options.workers("Processes that read and decode files side by side.")
@click.option(
    "--journal",
    type=options.NEW_FILE,
    metavar="FILE",
    help="Keeps what was seen of each file: a stopped check goes on.",
)
@options.as_json("One JSON object instead of the table.")
@click.pass_context
def check(
    context: click.Context, path: Path, trust: tuple[Path, ...], workers: int, journal: Path | None, as_json: bool
) -> None:
    """Look for what is wrong with SET before anybody learns from it: the folder of `sfumato datasets make`, or any
    clips.jsonl, of which some things cannot be checked.

    Files, hashes, seals, labels against seals, rights; people, sources, drivers and copies in two splits; twins that
    differ in more than the forgery; whatever tells fakes from reals without looking at a face (container, size,
    sharpness, sound).

    \b
    ok           looked at, and no fault found
    fault        what is wrong, how often, and the first names
    not checked  and why

    Exit codes: 0 no fault, 1 faults, 2 wrong usage, 3 the list of clips cannot be read.
    """
    from contextlib import ExitStack

    from provenance.pki.certificates import read_anchors
    from sfumato.app.sets.check.run import Advance, check_set
    from sfumato.progress import progress
    from sfumato.text import json_line

    with ExitStack() as stack:

        def begin(total: int) -> Advance:
            return stack.enter_context(progress("Looking at files", total))

        report = check_set(path, [read_anchors(file) for file in trust], workers, journal, begin)
    click.echo(json_line(report.as_json()) if as_json else "\n".join(report.lines()))
    context.exit(ExitCode.DONE if report.whole else ExitCode.NOT_GOOD)
