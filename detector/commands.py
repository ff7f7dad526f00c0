"""The detector's commands: they parse, call one library function, print."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("detector")
@click.argument("clips", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Run folder; the detector lands in its weights/."
)
@click.option("--config", "config_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML file of settings.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="One setting, e.g. model.backbone=mobilenetv4_conv_small.")
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="Time for training itself, without cutting and calibrating.")
@click.option("--cache", type=click.Path(file_okay=False, path_type=Path), help="Where crops are kept between runs (default: RUN/crops).")
@click.option("--resume", is_flag=True, help="Go on with a run that was stopped.")
@click.option("--prepare-only", is_flag=True, help="Cut the crops into the cache and stop.")
@click.option("--threads", type=click.IntRange(min=1), help="Threads for torch (default: its own choice).")
def train_detector(
    clips: Path, out: Path, config_file: Path | None, overrides: tuple[str, ...], minutes: float | None, cache: Path | None,
    resume: bool, prepare_only: bool, threads: int | None,
) -> None:  # fmt: skip
    """Train a detector on CLIPS (clips.jsonl), calibrate it, export it to OUT/weights.

    CLIPS needs the splits train and validation; thresholds come from the split calibration, the final numbers from test.
    """
    import torch

    from detector.cache import CropCache
    from detector.config import DetectorConfig
    from detector.release import release
    from detector.train import train
    from sfumato.config import load_config
    from sfumato.media.clips import check_disjoint, read_clips
    from sfumato.progress import progress
    from sfumato.run import RunFolder

    if threads:
        torch.set_num_threads(threads)
    chosen = [*overrides, *([f"train.minutes={minutes}"] if minutes else [])]
    config = load_config(DetectorConfig, config_file, chosen)
    rows = list(read_clips(clips))
    check_disjoint(rows)
    run = RunFolder(out, resume=resume or prepare_only)
    crops = CropCache(clips, cache or out / "crops", config.samples)
    with progress("Cutting crops", len(rows)) as advance:
        usable = crops.prepare(rows, advance)
    for path, reason in list(crops.refused.items())[:5]:
        click.echo(f"Left out {path}: {reason}", err=True)
    if len(crops.refused) > 5:
        click.echo(f"Left out {len(crops.refused) - 5} more.", err=True)
    if prepare_only:
        return
    with progress("Training", 1.0) as advance:
        done = train(usable, run, config, crops, resume, advance)
    click.echo(f"{done.step} steps; validation AUC: {_scores(done.scores)}", err=True)
    record = release(run.path, usable, crops, lambda text: click.echo(f"{text} ...", err=True))
    thresholds = ", ".join(f"{alpha}: {t:.2f}" for alpha, t in record["calibration"]["thresholds"].items())
    click.echo(f"Thresholds on {record['calibration']['n_real']} real clips: {thresholds}", err=True)
    for name, found in record["test"].items():
        click.echo(f"Test, {name}: AUC {_scores(found['auc'])}", err=True)
    click.echo(run.path / "weights")


def _scores(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in values.items())
