"""`sfumato bench tables`: it parses, calls one library function, writes the page."""

from __future__ import annotations

from pathlib import Path

import click

from sfumato import options


@click.command()
@click.argument("card", type=options.FILE)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a table differs from its record.")
def tables(card: Path, check: bool) -> int:
    """Rewrite the tables of CARD (MODEL_CARD.md) from the records of the shipped models."""
    from benchmarks.tables.tables import fill_tables, shipped_records
    from sfumato.atomic import write_text

    before = card.read_text(encoding="utf-8")
    after = fill_tables(before, shipped_records())
    if check:
        click.echo("The tables agree with their records." if after == before else "A table differs from its record.")
        return int(after != before)
    write_text(card, after)
    return 0
