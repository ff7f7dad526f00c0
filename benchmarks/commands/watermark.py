"""`sfumato bench survival`: it parses, calls one library function, prints."""

from __future__ import annotations

from pathlib import Path

import click

from benchmarks.commands import options as shared
from sfumato import options


@click.command()
@shared.footage("Clips; 40 or more say most.")
@shared.clips()
@options.several("--treatment", "treatments", "Only this one; may be repeated.  [default: all]", metavar="NAME")
@options.number("--seconds", 5.0, click.FloatRange(1, 60), "Of each clip.")
@options.number("--max-side", 720, click.IntRange(64, 4096), "Larger clips are made smaller first, px.")
@click.option(
    "--baseline", is_flag=True, help="Measure dwtDctSvd of invisible-watermark too (pip install -e '.[bench]')."
)
@shared.as_json()
@shared.record()
def survival(
    footage: Path, clips: tuple[str, ...], treatments: tuple[str, ...], seconds: float, max_side: int, baseline: bool,
    as_json: bool,
    out: Path | None,
) -> None:  # fmt: skip
    """Survival of watermark, fingerprint and `sfumato recover` over copies that were encoded again, made smaller, cut
    or mirrored.

    Every clip is sealed as a generated video is, with a payload of its own. Payload: read blind from the copy.
    Recovered: the right manifest was found among those of all clips. Wrong: another one was, or a payload that is not
    there was read.
    """
    import json

    from benchmarks.attacks.reencoding import REENCODINGS
    from benchmarks.record import append_results, describe
    from benchmarks.watermark.survival import PROTOCOL, SurvivalConfig, measure
    from sfumato.errors import UsageError
    from sfumato.execution.find_files import VIDEOS, Finder, find_media
    from sfumato.progress import progress
    from sfumato.text import printable

    config = SurvivalConfig(seconds, max_side, baseline, treatments or tuple(REENCODINGS))
    finder = Finder(VIDEOS)
    chosen = [path for path in find_media([footage], finder) if not clips or path.name in clips]
    if finder.told():
        click.echo(printable(finder.told()), err=True)
    if not chosen:
        raise UsageError(f"{footage} holds none of these videos", "Name a folder of clips.")
    with progress("Sealing, then treating", 2 * len(chosen)) as advance:
        done = measure(chosen, config, advance)
    for path, reason in done.skipped:
        click.echo(f"Left out {printable(path)}: {printable(reason)}", err=True)
    rows = done.rows(config)
    if out is not None:
        append_results(out, rows, describe("sfumato bench survival", PROTOCOL, "95 % Wilson interval over clips"))
    if as_json:
        for row in rows:
            click.echo(json.dumps(row.line()))
    else:
        from benchmarks.tables.survival import survival_table

        click.echo(survival_table(rows))
