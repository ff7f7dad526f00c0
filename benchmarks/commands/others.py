"""`sfumato bench others` and `folds`: they parse, call one library function, print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmarks.commands.detector import (
    FRAMES,
    JOURNAL,
    JSON,
    LISTS,
    MODEL,
    OUT,
    every_sample,
    facts_of,
    judge,
    report,
    working_folder,
)
from sfumato import options
from sfumato.text import left_out as left_out_lines
from sfumato.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.detector.others import Panel
    from detector.datasets.sample import Sample


def _pairs(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> list[tuple[str, str]]:
    pairs = [value.partition("=")[::2] for value in values]
    if any(not all(pair) for pair in pairs):
        raise click.BadParameter("write it as NAME=VALUE")
    return pairs


@click.command("others")
@LISTS
@MODEL
@click.option("--folds", "folder", type=options.FOLDER, help="What bench folds trained: its detectors, too.")
@options.several(
    "--left-out", "predictions",
    "Scores (CSV of path,score) by a detector that has not learnt from METHOD, too; may be repeated.",
    metavar="METHOD=FILE", callback=_pairs,
)  # fmt: skip
@FRAMES
@options.seed("Of the bootstrap.")
@JOURNAL
@JSON
@OUT
def others(
    clips: tuple[Path, ...], model: Path | None, folder: Path | None, predictions: list[tuple[str, str]], frames: int,
    seed: int, journal: Path | None, as_json: bool, out: Path | None,
) -> int:  # fmt: skip
    """Judge the fakes by others in CLIPS (clips.jsonl) method by method, each against reals that were handled alike.

    Beside every AUC stands what needs no detector: a tree on what the files declare, and sharpness alone. Reals are
    reported by origin, with false alarms. People and files that the detector's record says it learnt from are left out.
    Exit code: 0 done, 1 a bar is not met.
    """
    from benchmarks.detector.others import GIVEN_DETECTOR, LEFT_OUT, PROTOCOL, Panel, measure, of_predictions, unseen
    from benchmarks.metrics.comparison import INTERVAL
    from benchmarks.rows.comparison import BarRow
    from benchmarks.tables.others import others_table
    from detector.inference.bundle import load_shipped
    from sfumato.execution.find_files import counted

    detector = load_shipped(model)
    every = every_sample(clips)
    samples = unseen(every, detector.record)
    known = f"; {len(every) - len(samples)} left out, which the detector learnt from" * (len(samples) < len(every))
    click.echo(f"{counted(sample.path for sample in samples)}{known}", err=True)
    with working_folder(journal) as place:
        scored = judge(samples, model, frames, place)
        rows = measure([Panel(scored, None, frames)], GIVEN_DETECTOR, detector.record, seed)
        if predictions:
            given = [(method, Path(path)) for method, path in predictions]
            rows += measure(of_predictions(scored, given, clips[0].parent), LEFT_OUT, None, seed)
        if folder is not None:
            rows += measure(_judged_folds(folder, every, frames, place), LEFT_OUT, None, seed)
    facts = facts_of(samples, detector, frames, None, seed)
    report(rows, facts, "others", PROTOCOL, INTERVAL, others_table, as_json, out)
    return int(any(isinstance(row, BarRow) and not row.met for row in rows))


def _judged_folds(folder: Path, every: Sequence[Sample], frames: int, place: Path) -> list[Panel]:
    """What each fold's detector says of its held-out people. Raises UsageError where the lists lack some of them."""
    from benchmarks.detector.folds import read_folds
    from benchmarks.detector.others import Panel
    from sfumato.errors import UsageError

    by_name = {sample.video_id: sample for sample in every}
    panels = []
    for fold in read_folds(folder):
        if lacking := [name for name in fold.test if name not in by_name]:
            raise UsageError(f"{lacking[0]} of {fold.name} is in no list", "Name the list that the folds were made of.")
        test = [by_name[name] for name in fold.test]
        scored = judge(test, folder / fold.name / "weights", frames, place)
        panels.append(Panel(scored, frozenset(fold.methods), frames))
    return panels


@click.command("folds")
@click.argument("clips", type=options.FILE)
@options.output("Folder of the folds.", folder=options.NewFolder("folds.json", "crops"))
@click.option(
    "--start", required=True, type=options.InputPath(),
    help="A detector that knows no fakes by others: detector.safetensors of a run, which is trained on, or the folder "
    "of an exported one, whose net stays while its further heads are learnt.",
)  # fmt: skip
@click.option(
    "--steps", type=click.IntRange(1), help="Training steps of each fold, of a run's detector (default: 150)."
)
@options.number(
    "--parts", 2, click.IntRange(1, 10), "Parts of the people, each held out once; 1: the list's split test."
)
@options.several(
    "--together", "together", "Methods that are left out at once, e.g. 'sadtalker=SadTalker*'; may be repeated.",
    metavar="NAME=PATTERN", callback=_pairs,
)  # fmt: skip
@options.config_file("TOML file of settings, as the start was trained with.")
@options.overrides("One setting, e.g. train.rate=1e-4.")
@click.option(
    "--cache", type=options.NewFolder("*.npz"), help="Where crops are kept between runs (default: OUT/crops)."
)
@options.threads()
@options.workers("Processes that cut crops (default: one a core).", default=None)
def folds(
    clips: Path, out: Path, start: Path, steps: int | None, parts: int, together: list[tuple[str, str]],
    config_file: Path | None, overrides: tuple[str, ...], cache: Path | None, threads: int | None, workers: int | None,
) -> None:  # fmt: skip
    """Train a detector for each method of the fakes by others in CLIPS that it does not learn from.

    Each goes on from a finished one for a few steps, and is calibrated; `sfumato bench others CLIPS --folds OUT`
    measures them on people whom they have not seen. A stopped run goes on where it was.
    """
    import os

    import torch

    from benchmarks.detector.folds import check_start, learnt_apart, plan, train_folds
    from detector.config import DetectorConfig
    from detector.data.cache import CropCache
    from detector.training.package import exported_config
    from sfumato.config import load_config
    from sfumato.media.clips import check_disjoint, read_clips
    from sfumato.progress import progress

    if steps and start.is_dir():
        raise click.UsageError(
            "--steps is for a run's detector.safetensors; of an exported detector no net is trained."
        )
    if threads:
        torch.set_num_threads(threads)
    config = load_config(DetectorConfig, config_file, overrides)
    rows = list(read_clips(clips))
    check_disjoint(rows)
    samples, named = every_sample([clips]), dict(together)
    rows = learnt_apart(rows, start, samples)
    planned = plan(rows, parts, named, config.train.seed)  # what cannot be done is told before anything is cut
    cut_as = exported_config(start).samples if start.is_dir() else config.samples
    check_start(start, [fold for fold, _ in planned], samples)
    crops = CropCache(clips, cache or out / "crops", cut_as)
    with progress("Cutting crops", len(rows)) as advance:
        usable = crops.prepare(rows, advance, workers or os.cpu_count() or 1)
    for line in left_out_lines(crops.refused.items()):
        click.echo(line, err=True)
    planned = plan(usable, parts, named, config.train.seed)

    def note(text: str) -> None:
        click.echo(printable(text), err=True)

    with progress("Training folds", len(planned)) as advance:
        train_folds(planned, crops, config, out, start, 0 if start.is_dir() else steps or 150, note, advance)
    click.echo(f"Measure them: sfumato bench others {clips} --folds {out}", err=True)
    click.echo(out)
