"""`sfumato bench speed` and `judging`: they parse, call one library function, print."""

from __future__ import annotations

from pathlib import Path

import click

from benchmarks.commands import options as shared
from sfumato import options

_ROUNDS = "geometric mean over rounds, 95 % t interval of its logarithm"


@click.command()
@shared.checkpoint("A path or a shipped name.")
@shared.size("Of the frames")
@click.option("--shots", default=1, show_default=True, type=click.IntRange(1), help="T: portraits of the person.")
@options.frames("Frames of a method in a round.", default=40, most=None)
@shared.rounds("How often the methods take turns.", default=5)
@click.option("--workers", type=click.IntRange(1), help="Threads.  [default: one a core]")
@click.option("--whole", is_flag=True, help="Also time the whole program, from motion to sealed video.")
@click.option("--memory", is_flag=True, help="Also compare the memory of 100 frames with that of 5,000; takes minutes.")
@shared.as_json("tables")
@shared.record()
def speed(
    checkpoint: str | None, size: int, shots: int, frames: int, rounds: int, workers: int | None, whole: bool,
    memory: bool,
    as_json: bool, out: Path | None,
) -> None:  # fmt: skip
    """Frames a second of every backend that is installed, against plain torch and the machine's own rate, on a shipped
    painting.

    The methods take turns; ratios are taken within a round, with 95 % intervals over rounds.
    """
    import json

    from benchmarks.generator.end_to_end import measure_end_to_end, measure_memory
    from benchmarks.generator.speed import PROTOCOL, SpeedConfig, measure_rendering
    from benchmarks.record import append_results, describe
    from generator.networks.checkpoint import SHIPPED, checkpoint_path
    from sfumato.progress import progress

    config = SpeedConfig(size, shots, frames, rounds, **({"workers": workers} if workers else {}))
    path = checkpoint_path(checkpoint or SHIPPED[0])
    with progress("Rendering") as advance:
        rows = measure_rendering(path, config, advance)
    if whole:
        with progress("The whole program", rounds) as advance:
            rows += measure_end_to_end(path, config, advance=advance)
    if memory:
        with progress("Memory", 2) as advance:
            rows += measure_memory(path, config, advance=advance)
    if out is not None:
        append_results(out, rows, describe("sfumato bench speed", PROTOCOL, _ROUNDS))
    if as_json:
        for row in rows:
            click.echo(json.dumps(row.line()))
    else:
        from benchmarks.tables.speed import speed_table

        click.echo(speed_table(rows))


@click.command()
@shared.rounds("Of 32 crops by every backend.", default=9)
@shared.as_json()
@shared.record()
def judging(rounds: int, as_json: bool, out: Path | None) -> None:
    """Crops a CPU second of the shipped detector in every backend that is installed, one thread; ratios with 95 %
    intervals over rounds.
    """
    import json

    from benchmarks.detector.detector_speed import PROTOCOL, measure_detector_speed
    from benchmarks.record import append_results, describe
    from benchmarks.tables.speed import detector_speed_table
    from sfumato.progress import progress

    with progress("Judging", rounds) as advance:
        rows = measure_detector_speed(rounds, advance)
    if out is not None:
        append_results(out, rows, describe("sfumato bench judging", PROTOCOL, _ROUNDS))
    click.echo("\n".join(json.dumps(row.line()) for row in rows) if as_json else detector_speed_table(rows))
