"""`sfumato pack detector`: parses, calls one library function, prints."""

from __future__ import annotations

import os
from pathlib import Path

import click

from sfumato import options
from sfumato.text import left_out


@click.command("detector")
@click.argument("clips", type=options.FILE)
@options.output("The pack, something.pack.")
@options.overwrite()
@options.config_file()
@options.overrides("One setting, e.g. samples.frames_per_clip=4.")
@click.option("--cache", required=True, type=options.NewFolder("*.npz"), help="Where crops are kept between runs.")
@click.option(
    "--size", default=240, show_default=True, type=click.IntRange(32, 1024), help="Pixels of a crop, at most."
)
@options.frames("Crops of a clip, at most.", default=2, most=64)
@options.quality()
@options.workers("Processes that cut crops (default: one a core).", default=None)
def pack_detector(
    clips: Path, out: Path, overwrite: bool, config_file: Path | None, overrides: tuple[str, ...], cache: Path,
    size: int, frames: int, quality: int, workers: int | None,
) -> None:  # fmt: skip
    """Pack what trains a detector of CLIPS (clips.jsonl) into one small file: crops of the splits train and validation.

    A pack is trained on in place of CLIPS; calibration and test follow where the clips are. It holds pictures of the
    footage; whoever gets it must have the right to them.
    """
    from detector.config import DetectorConfig
    from detector.data.cache import CropCache
    from detector.data.pack import SPLITS, pack_crops
    from sfumato.atomic import require_free
    from sfumato.config import load_config
    from sfumato.media.clips import check_disjoint, read_clips
    from sfumato.progress import progress
    from sfumato.text import printable
    from sfumato.training.pack import require_pack_name

    require_pack_name(out)
    require_free(out, overwrite)
    config = load_config(DetectorConfig, config_file, overrides)
    rows = list(read_clips(clips))
    check_disjoint(rows)
    rows = [row for row in rows if row.split in SPLITS]
    crops = CropCache(clips, cache, config.samples)
    with progress("Cutting crops", len(rows)) as advance:
        rows = crops.prepare(rows, advance, workers or os.cpu_count() or 1)
    for line in left_out(crops.refused.items()):
        click.echo(line, err=True)
    with progress("Packing", len(rows)) as advance:
        count = pack_crops(rows, crops, out, size, frames, quality, advance)
    click.echo(f"{printable(out)}: {count} crops of {len(rows)} clips, {out.stat().st_size / 2**20:.1f} MB")
