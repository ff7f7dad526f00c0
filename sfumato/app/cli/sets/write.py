"""`sfumato datasets write`: it parses, writes the forms of a set, and prints their folder."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlsplit

import click

from sfumato import options
from sfumato.app.sets.forms import FRAMES, REGISTRY
from sfumato.text import printable


def _address(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    try:
        fits = value is None or (urlsplit(value).scheme in ("http", "https") and bool(urlsplit(value).hostname))
    except ValueError:
        fits = False
    if not fits or (value is not None and (printable(value) != value or " " in value)):
        raise click.BadParameter("it must be an address, http or https")
    return value


def _name(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and (not value.strip() or printable(value) != value or len(value) > 200):
        raise click.BadParameter("it must be one printable line of 1 to 200 characters")
    return value


def _day(ctx: click.Context, parameter: click.Parameter, value: str | None) -> date | None:
    try:
        return None if value is None else datetime.strptime(value, "%Y-%m-%d").date()
    except ValueError as error:
        raise click.BadParameter("it must be a day, as 2026-01-31") from error


@click.command("write")
@click.argument("folder", metavar="SET", type=options.FOLDER)
@options.output("The folder to fill.", folder=options.NewFolder("set.json"))
@click.option(
    "--as",
    "forms",
    multiple=True,
    required=True,
    type=click.Choice(REGISTRY.names()),
    help="What to write; can be repeated.",
)
@options.frames("Frames to cut of a video for deepfakebench, evenly spaced.", default=f"{FRAMES}")
@click.option("--url", callback=_address, metavar="URL", help="Where the set will be published.")
@click.option("--creator", callback=_name, metavar="NAME", help="Who publishes it.")
@click.option("--published", callback=_day, metavar="DAY", help="The day of that, as 2026-01-31 (default: today, UTC).")
def write(
    folder: Path, out: Path, forms: tuple[str, ...], frames: int | None, url: str | None, creator: str | None,
    published: date | None,
) -> None:  # fmt: skip
    """Write SET, as `sfumato datasets make` made it, in the forms that others read.

    The data card (card.html) and SHA256SUMS always come along. Videos are copied as they are, with their seals. A run
    that was stopped goes on, and forms can be added to a folder later.
    """
    from sfumato.app.sets.forms.job import Publication
    from sfumato.app.sets.write import write_forms

    if frames is not None and "deepfakebench" not in forms:
        raise click.UsageError("--frames is for --as deepfakebench: the other forms have videos.")
    day = published or datetime.now(UTC).date()
    write_forms(folder, out, forms, Publication(url, creator, day), frames or FRAMES)
    if "croissant" in forms and not (url and creator):
        click.echo("Croissant asks for an address and a creator, too: --url and --creator.", err=True)
    click.echo(out)
