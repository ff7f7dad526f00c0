"""The detector's commands: they parse, call one library function, print."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfumato import options
from sfumato.text import left_out

if TYPE_CHECKING:
    from sfumato.training.distributed import Ranks


@click.command("detector")
@click.argument("clips", type=options.FILE)
@options.output("Run folder; the detector lands in its weights/.", folder=options.RUN)
@options.config_file()
@options.overrides("One setting, e.g. model.backbone=mobilenetv4_conv_small.")
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    help="Time for training itself, without cutting and calibrating.",
)
@click.option(
    "--cache",
    type=options.NewFolder("*.npz"),
    help="Where crops are kept between runs (default: RUN/crops).",
)
@options.resume()
@options.piece()
@click.option(
    "--calibrate-only",
    "exported",
    metavar="DETECTOR",
    type=options.FOLDER,
    help="Train nothing: calibrate and test the detector in this folder anew, on CLIPS; of the "
    "settings only calibration.* counts.",
)
@click.option(
    "--heads-only",
    metavar="DETECTOR",
    type=options.FOLDER,
    help="The same, but its further heads (on all layers, on motion) are learnt anew from the split train; of the "
    "settings heads.*, calibration.*, samples.mix and samples.leave_out count.",
)
@click.option("--prepare-only", is_flag=True, help="Cut the crops into the cache and stop.")
@options.threads()
@options.workers("Processes that cut crops (default: one a core).", default=None)
def train_detector(
    clips: Path, out: Path, config_file: Path | None, overrides: tuple[str, ...], minutes: float | None,
    cache: Path | None,
    resume: bool, piece: float | None, exported: Path | None, heads_only: Path | None, prepare_only: bool,
    threads: int | None,
    workers: int | None,
) -> None:  # fmt: skip
    """Train a detector on CLIPS (clips.jsonl), calibrate it, export it to OUT/weights.

    CLIPS needs the splits train and validation; thresholds come from the split calibration, the final numbers from
    test. A pack of them (`sfumato pack detector`) is trained on and no more; --resume with CLIPS then does the rest.
    Several GPUs or machines: torchrun --nproc-per-node N -m sfumato train detector ...
    """
    import torch

    from detector.config import SCAN_FPR, DetectorConfig
    from detector.data.cache import CropCache
    from detector.data.pack import PackedCrops
    from detector.inference.thresholds import in_words
    from detector.training.own_footage import SECTIONS
    from detector.training.package import check_people, exported_config, release, renew
    from detector.training.train import share_of, train
    from sfumato.config import load_config
    from sfumato.errors import UsageError
    from sfumato.media.clips import check_disjoint, read_clips
    from sfumato.run import RunFolder
    from sfumato.training.distributed import ranks_of_this_run
    from sfumato.training.pack import SUFFIX
    from sfumato.training.piece import Piece

    this = Piece(piece)
    if exported and heads_only:
        raise click.UsageError("--calibrate-only and --heads-only are one too many: the latter calibrates, too.")
    exported, packed = exported or heads_only, clips.suffix == SUFFIX
    if packed and (exported or prepare_only):
        raise click.UsageError(f"{clips} is a pack: it is trained on, and holds no clips for anything else.")
    if threads:
        torch.set_num_threads(threads)
    chosen = [*overrides, *([f"train.minutes={minutes}"] if minutes else [])]
    config = load_config(DetectorConfig, config_file, chosen)
    samples = config.samples if exported is None else exported_config(exported).samples
    pack = PackedCrops(clips, samples) if packed else None
    rows = list(read_clips(clips)) if pack is None else pack.rows
    check_disjoint(rows)
    if samples.autoencoder is not None and not samples.autoencoder.is_file():
        advice = "Make one: sfumato train autoencoder CLIPS -o FILE."
        raise UsageError(f"samples.autoencoder: there is no file {samples.autoencoder}", advice)
    if not (prepare_only or packed):
        check_people(rows, config.calibration)  # before anything is cut, and again without those who show no face
    run = RunFolder(out, resume=resume or prepare_only)
    crops = CropCache(clips, cache or out / "crops", samples) if pack is None else pack
    with ranks_of_this_run(config.train.device) as ranks:
        cutters = workers or (os.cpu_count() or 1 if ranks.world == 1 else 1)
        with _shown("Cutting crops", len(rows), ranks) as advance:
            usable = crops.prepare(rows[ranks.rank :: ranks.world], advance, cutters)
        if ranks.world > 1:
            ranks.mean({"cut": 1.0})  # the others may be at it still
            usable = crops.prepare(rows)
        if ranks.first:
            for line in left_out(crops.refused.items()):
                click.echo(line, err=True)
        if prepare_only:
            return
        if not packed:
            check_people(usable, config.calibration)
        share = 1.0
        if exported is None:
            with _shown("Training", 1.0, ranks) as advance:
                done = train(usable, run, config, crops, resume, advance, ranks, this)
            share = share_of(config.train, done)
            if ranks.first:
                click.echo(f"{done.step} steps; validation AUC: {_scores(done.scores) or 'none yet'}", err=True)
    if not ranks.first:
        return
    if share < 1 or packed:
        left = "--resume goes on" if share < 1 else "--resume with the clips calibrates, tests and exports it"
        click.echo(f"{share:.0%} of the run is done; {left}", err=True)
        return

    def note(text: str) -> None:
        click.echo(f"{text} ...", err=True)

    if exported is None:
        record = release(run.path, usable, crops, note)
    else:
        record = renew(exported, run.path, usable, crops, config, note, heads=heads_only is not None)
    for kind, section in SECTIONS.items():
        found = record[section]
        flagged = f"flagged above a score of {in_words(found['thresholds'])}"
        click.echo(f"{kind.capitalize()}s ({found['n_real']} people): {flagged}", err=True)
    for name, tested in record["test"].items():
        click.echo(f"Test, {name}: AUC {_scores(tested['auc'])}", err=True)
    kinds = [{float(alpha) for alpha in record[section]["thresholds"]} for section in SECTIONS.values()]
    strictest = min(kinds[0] & kinds[1], key=lambda alpha: abs(alpha - SCAN_FPR))
    rate = "" if strictest == SCAN_FPR else f" --fpr {strictest:g}"
    click.echo(f"Scan with it: sfumato scan FILE --model {run.path / 'weights'}{rate}", err=True)
    click.echo(run.path / "weights")


def _shown(what: str, total: float, ranks: Ranks) -> AbstractContextManager[Callable[[float], None]]:
    """A progress bar of the first process; the others are silent."""
    from sfumato.progress import progress

    return progress(what, total) if ranks.first else nullcontext(lambda amount: None)


def _scores(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in values.items())
