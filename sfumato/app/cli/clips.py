"""`sfumato clips`: it parses, lists the footage, prints who was left out and how the people were split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sfumato import options
from sfumato.errors import UsageError
from sfumato.text import left_out, printable


def _pairs(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> list[tuple[str, str]]:
    pairs = [tuple(value.partition("=")[::2]) for value in values]
    if any(not all(pair) for pair in pairs):
        raise click.BadParameter("write it as NAME=PATTERN, e.g. painting=old/*")
    return pairs  # type: ignore[return-value]


@click.command("clips")
@click.argument("folder", type=options.FOLDER)
@click.option(
    "-o", "--output", "out", default="clips.jsonl", show_default=True, help="Name of the list, inside FOLDER."
)
@click.option(
    "--method",
    "methods",
    multiple=True,
    metavar="NAME=PATTERN",
    callback=_pairs,
    help="What is no photograph: painting=old/*",
)
@options.files("--table", "A CSV file in FOLDER: what in the table's own folder is real or fake, by which method.")
@click.option(
    "--beside", type=options.FILE, help="A list in FOLDER whose rows stay as they are; only those of tables are added."
)
@options.files("--without", "A picture of someone to leave out, wherever the face appears.")
@options.seed("Of the split.")
def clips(
    folder: Path, out: str, methods: Any, table: tuple[Path, ...], beside: Path | None, without: tuple[Path, ...],
    seed: int,
) -> None:  # fmt: skip
    """List the footage in FOLDER as clips.jsonl: who is who by their faces, split by person.

    For `sfumato fakes` and `sfumato train detector`. Everything in FOLDER is taken to be real, but what lies in the
    folder of a --table, such as a collection of fakes by others: there only what the table names counts, as what it
    says.
    """
    from sfumato.app.datasets.clips import FRACTIONS, list_clips
    from sfumato.app.datasets.known import read_known
    from sfumato.execution.find_files import Finder, find_media
    from sfumato.media.clips import write_clips
    from sfumato.progress import progress

    if Path(out).name != out:
        raise UsageError(
            f"--output {out} is not a plain file name",
            "The list lies inside FOLDER, because its paths are relative to it.",
        )
    if beside is not None and not table:
        raise UsageError("--beside says nothing here: there is no --table to be added", "Name one, or leave it out.")
    known, finder = read_known(folder, table, beside), Finder()
    total = len(known.labelled) + len(known.shown()) if beside else len(find_media([folder], finder))
    with progress("Looking at faces", total) as advance:
        listing = list_clips(folder, methods, without, seed, advance, known)
    for line in [*left_out(listing.refused), *([finder.told()] if finder.told() else [])]:
        click.echo(printable(line), err=True)
    if listing.left_out:
        first = printable(", ".join(listing.left_out[:5]))
        click.echo(f"Left out {len(listing.left_out)} that show someone of --without: {first}", err=True)
    count = write_clips(folder / out, listing.rows)
    people = {row.identity for row in listing.rows}
    shares = ", ".join(f"{name} {sum(row.split == name for row in listing.rows)}" for name in FRACTIONS)
    click.echo(f"{count} clips of {len(people)} people ({shares})", err=True)
    fakes = [row for row in listing.rows if row.label == "fake"]
    if fakes:
        click.echo(f"{len(fakes)} of them are fakes, by {len({row.method for row in fakes})} methods", err=True)
    click.echo(folder / out)
