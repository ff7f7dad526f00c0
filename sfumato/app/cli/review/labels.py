"""`sfumato labels`: it parses, makes labels of decisions, prints what has none."""

from __future__ import annotations

from pathlib import Path

import click

from sfumato import options


@click.command("labels")
@click.argument("decisions", nargs=-1, required=True, type=options.FILE)
@options.output(
    "The table. In the folder that holds the files, sfumato clips --table reads it.",
    required=False,
    default="labels.csv",
    show_default=True,
)
@options.overwrite("Replace the table that is there.")
def labels(decisions: tuple[Path, ...], out: Path, overwrite: bool) -> None:
    """Make a table of labels of DECISIONS, which the page of `sfumato report` exported.

    `sfumato evaluate` measures the scan by it; `sfumato clips FOLDER --table` makes the list of it that `calibrate` and
    `train detector` read. Files that nobody could tell, on which reviewers disagree, or that changed have no label.
    """
    from collections import Counter

    from sfumato.app.review.decisions import label, read_decisions, write_labels
    from sfumato.atomic import require_free
    from sfumato.errors import UsageError
    from sfumato.text import left_out, printable

    require_free(out, overwrite)
    found = label(read_decisions(decisions), out)
    for line in left_out(found.left_out, 20):
        click.echo(line, err=True)
    if not found.rows:
        raise UsageError("No decision gives a label", "The lines above say why. Nothing was written.")
    write_labels(out, found.rows)
    counts = Counter(row[1] for row in found.rows)
    click.echo(
        f"{counts['real']} real, {counts['fake']} fake, by {printable(', '.join(sorted(found.reviewers)), 300)}",
        err=True,
    )
    click.echo(printable(out))
