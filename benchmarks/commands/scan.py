"""`sfumato bench scan`: it parses, calls one library function a part, prints."""

from __future__ import annotations

from pathlib import Path

import click

from benchmarks.commands import options as shared
from sfumato import options

_PARTS = ("cost", "workers", "growth")
_INTERVAL = "geometric mean over rounds, 95 % t interval of its logarithm; growth: t interval of the slope"


@click.command("scan")
@options.several("--part", "parts", f"Only {', '.join(_PARTS)}; may be repeated.", metavar="NAME")
@shared.rounds("How often decoding and scanning take turns.", default=5)
@options.number("--videos", 6, click.IntRange(2), "Of a round.")
@options.number("--seconds", 10.0, click.FloatRange(0.2, 600), "Of each video.")
@options.several("--height", "heights", "px of the videos, even; may be repeated.  [default: 240, 720, 1080]")
@options.workers("Held against one, and of the long scan.", default=2)
@options.number("--files", 2000, click.IntRange(400), "Of the long scan.")
@options.model()
@shared.as_json("tables")
@shared.record()
def scan(
    parts: tuple[str, ...], rounds: int, videos: int, seconds: float, heights: tuple[str, ...], workers: int,
    files: int, model: Path | None, as_json: bool, out: Path | None,
) -> None:  # fmt: skip
    """CPU seconds of a scan of a video against decoding it alone; what a second worker adds; whether the 2000th file
    costs what the first did. Needs Linux.

    The videos are made of a shipped painting. Decoding and scanning take turns; the row of workers means something on
    an idle machine only.
    """
    import json

    from benchmarks.record import append_results, describe
    from benchmarks.rows.scan import ScanRows
    from benchmarks.scan.cost import PROTOCOL, WAYS, ScanConfig, measure_cost, measure_workers
    from benchmarks.scan.growth import measure_growth
    from benchmarks.tables.scan import scan_table
    from sfumato.progress import progress

    chosen = _chosen(parts)
    sizes = {"heights": tuple(_height(height) for height in heights)} if heights else {}
    config = ScanConfig(rounds, videos, seconds, workers=workers, model=model, **sizes)
    rows: list[ScanRows] = []
    if "cost" in chosen:
        with progress("Scanning", rounds * len(config.heights) * len(WAYS)) as advance:
            rows += measure_cost(config, advance)
    if "workers" in chosen:
        with progress("Workers", rounds * 2) as advance:
            rows += measure_workers(config, advance=advance)
    if "growth" in chosen:
        with progress("Growing", files) as advance:
            rows += measure_growth(config, files, advance)
    if out is not None:
        append_results(out, rows, describe("sfumato bench scan", PROTOCOL, _INTERVAL))
    click.echo("\n".join(json.dumps(row.line()) for row in rows) if as_json else scan_table(rows))


def _chosen(parts: tuple[str, ...]) -> tuple[str, ...]:
    from sfumato.errors import UsageError

    for part in parts:
        if part not in _PARTS:
            raise UsageError(f"There is no part {part!r}", f"Known: {', '.join(_PARTS)}.")
    return parts or _PARTS


def _height(text: str) -> int:
    from sfumato.errors import UsageError

    if not text.isdecimal() or not 64 <= int(text) <= 4320 or int(text) % 2:
        raise UsageError(f"--height is {text!r}", "An even number from 64 to 4320.")
    return int(text)
