"""The command `sfumato datasets make`: it parses, calls the library, prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfumato import options
from sfumato.text import left_out, printable

if TYPE_CHECKING:
    from collections.abc import Mapping


@click.command("make")
@click.argument("recipe", type=options.FILE)
@options.output("Folder of the set, new or one that a stopped call began.", folder=options.NewFolder("videos"))
@options.workers("Processes side by side, one unless given; of a Ray cluster all CPUs.", None, most=10_000)
@options.cluster("Who works.  [default: processes]")
@click.option(
    "--timings", type=options.NEW_FILE, metavar="FILE", help="Write clips an hour and where the time went, as JSON."
)
def make(recipe: Path, out: Path, workers: int | None, cluster: Mapping[str, str | None], timings: Path | None) -> None:
    """Make the set of fakes that RECIPE (TOML) describes: every fake beside its real twin, all of them sealed.

    The same call goes on with a set that was stopped, however it was. configs/set.toml is an example.
    """
    import json

    from sfumato.app.sets.making.make_set import make_set
    from sfumato.app.sets.making.recipe import read_recipe
    from sfumato.atomic import require_writable, write_text
    from sfumato.execution.executor import cluster_at
    from sfumato.progress import progress

    machines = cluster_at(**cluster)
    given = read_recipe(recipe)
    if timings is not None:
        require_writable(timings)
    with progress("Making pairs") as advance:
        made = make_set(
            given, out, workers or (1 if machines is None else 0), lambda done, total: advance(done), machines
        )
    for line in left_out(made.refused):
        click.echo(line, err=True)
    if made.missing:
        click.echo(f"{made.missing} pairs are missing: nobody who could be tried shows a usable face", err=True)
    counts = made.facts.counts
    if made.timings is None:
        click.echo("The set was whole already; nothing was made", err=True)
    elif not made.timings.pairs:
        click.echo("All pairs were made before; the set was finished", err=True)
    else:
        values = made.timings.values()
        shares = ", ".join(f"{part} {share:.0%}" for part, share in values["shares"].items())
        click.echo(f"{values['clips']} clips in this call, {values['clips_an_hour']:g} an hour: {shares}", err=True)
    if made.timings is not None and timings is not None:
        write_text(timings, json.dumps(made.timings.values()) + "\n")
    click.echo(printable(f"{made.facts.name}: {counts['clips']} clips of {counts['people']} people", 400), err=True)
    click.echo(f"digest {made.facts.digest}", err=True)
    click.echo(out)
