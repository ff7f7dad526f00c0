"""`sfumato report`: it parses, writes the page or the folder, prints what to open."""

from __future__ import annotations

from pathlib import Path

import click

from sfumato import options


@click.command("report")
@click.argument("run", type=options.ANY)
@options.output(
    "NAME.html: one page. A folder: the list and parts of it, for thousands of files. [default: report.html or "
    "report/ beside the records, by their number]",
    anything=True,
    required=False,
)
def report(run: Path, out: Path | None) -> None:
    """Write the page on which a person reviews RUN: a run folder, or a file of `sfumato scan --json`.

    It opens in a browser, from the disk, and loads nothing from elsewhere; videos and pictures are played from where
    they lie. What is decided there is exported as JSON lines, for `sfumato labels`. A report that is there is replaced.
    """
    from sfumato.app.review.run_report import write_run_report
    from sfumato.progress import progress
    from sfumato.text import printable

    with progress("Writing the report", None) as advance:
        written = write_run_report(run, out, advance)
    if written.missing:
        click.echo(f"Not where their records say, and not playable: {written.missing} of {written.files}", err=True)
    click.echo(printable(written.page))
