"""`sfumato evaluate` and `sfumato datasets`: they parse, call the library, print."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from detector.config import FRAMES_RULE
from detector.evaluation.choices import AGGREGATORS, LEVELS, NO_FACE, UNITS
from sfumato import options
from sfumato.text import printable

if TYPE_CHECKING:
    from detector.datasets.sample import Sample
    from detector.evaluation.protocol import Scored

_SPLITS = ("train", "validation", "calibration", "test", "all")


@click.command("evaluate")
@click.argument("source", type=options.ANY)
@click.option(
    "--adapter", metavar="NAME", help="How to read SOURCE; see sfumato datasets list. Told from SOURCE where it can be."
)
@click.option(
    "--predictions",
    type=options.FILE,
    help="CSV (path,score) of another detector.",
)
@options.model("Folder of another detector of ours.")
@click.option(
    "--reals", metavar="NAME=PATH", help="Add the reals of another data set, e.g. faceforensics=DIR for DF40."
)
@click.option("--split", type=click.Choice(_SPLITS), help="Which part (default: test if there is one, otherwise all).")
@click.option("--method", metavar="NAME", help="Fakes of one generator only; reals stay.")
@click.option("--compression", metavar="NAME", help="One compression only, e.g. c23.")
@options.choice("--level", LEVELS, "video", "What a score is of.")
@options.choice("--aggregator", AGGREGATORS, "mean", "From frames to a video.")
@options.choice("--no-face", NO_FACE, "half", "Without a face.")
@options.frames("Frames to look at, evenly spaced.", FRAMES_RULE)
@click.option(
    "--cluster",
    type=click.Choice(["auto", *UNITS]),
    default="auto",
    help="What intervals resample.",
)
@click.option("--threshold", type=float, help="Rates at this score too.")
@click.option("--trained-on", type=options.ANY, help="clips.jsonl of the training: who is in both?")
@click.option("--check-leaks", is_flag=True, help="Exit with 1 when the set leaks.")
@options.output("JSON lines; scores are kept beside it for the next run.", required=False)
@options.as_json("JSON lines instead of a table.")
def evaluate(
    source: Path, predictions: Path | None, out: Path | None, as_json: bool, check_leaks: bool, **choices: Any
) -> int:
    """Measure a detector on SOURCE: clips.jsonl, a data set on disk, or a CSV of another detector's scores
    (path,label,score).

    Every number comes with its protocol, n and an interval; what cannot be measured is refused with the reason. Exit
    code: 0 done, 1 with --check-leaks when people, sources or files are shared with the training or between splits.
    """
    from detector.evaluation.leakage import inner_leaks, model_leaks, read_training, training_leaks
    from detector.evaluation.predictions import has_frames, join_predictions, read_predictions, with_media
    from detector.evaluation.run import EvaluationConfig, choose_split, find_samples
    from detector.evaluation.run import evaluate as measure
    from detector.evaluation.text import as_text
    from sfumato.atomic import write_text
    from sfumato.execution.find_files import counted

    alone = choices["adapter"] in (None, "csv") and source.suffix == ".csv" and predictions is None
    ours = not alone and predictions is None
    model: dict[str, Any] = {}
    frames = 0  # not known
    if not ours:
        _refuse(("model", "frames"), "scores come from a file, and no detector of ours runs")
    if alone:
        scored = read_predictions(source)
        whole = [item.sample for item in scored]
        kept = {id(sample) for sample in _chosen(choose_split(whole, choices["split"])[0], choices)}
        scored = list(with_media([item for item in scored if id(item.sample) in kept]))
        model = {"name": "predictions", "file": source.name}
    else:
        whole, root = find_samples(source, choices["adapter"])
        samples, split = choose_split(whole, choices["split"])
        samples = _chosen(samples, choices)
        if choices["reals"]:
            samples += _reals(choices["reals"], split)
        click.echo(f"{counted(sample.path for sample in samples)}; split {split}", err=True)
        if predictions is not None:
            scored = list(with_media(join_predictions(samples, predictions, root)))
            model = {"name": "predictions", "file": predictions.name}
        else:
            scored, model, frames = _score(samples, choices, out)
    if not ours and not has_frames(scored):
        _refuse(("level", "aggregator"), "the file has one score a video, and nothing is left to put together")
    leaks = inner_leaks([item.sample for item in scored], whole)
    if choices["trained_on"] is not None:
        leaks += training_leaks([item.sample for item in scored], read_training(choices["trained_on"]))
    leaks += model_leaks([item.sample for item in scored], model)
    config = EvaluationConfig(
        choices["level"], choices["aggregator"], choices["no_face"], frames, choices["cluster"], choices["threshold"]
    )  # fmt: skip
    found = measure(scored, config, leaks)
    lines = list(found.lines({name: model[name] for name in ("name", "version", "sha256", "file") if name in model}))
    if out is not None:
        write_text(out, "\n".join(lines) + "\n")
    for line in lines if as_json else as_text(found):
        click.echo(line)
    return 1 if check_leaks and found.leaks_badly else 0


def _refuse(names: Sequence[str], why: str) -> None:
    """Raises UsageError for an option that was given and would say nothing."""
    from click.core import ParameterSource

    from sfumato.errors import UsageError

    context = click.get_current_context()
    given = [name for name in names if context.get_parameter_source(name) == ParameterSource.COMMANDLINE]
    if given:
        raise UsageError(f"--{given[0]} says nothing here: {why}", "Leave it out.")


def _score(
    samples: list[Sample], choices: dict[str, Any], out: Path | None
) -> tuple[list[Scored], dict[str, Any], int]:
    """The scores, the record of the detector, and at how many frames of a video it looked."""
    from detector.evaluation.journal import score
    from detector.inference.thresholds import other_frames
    from detector.inference.video_detector import VideoDetector
    from sfumato.progress import progress

    detector = VideoDetector(choices["model"])
    set_with, frames = detector.bundle.video_thresholds.frames, detector.bundle.frames(choices["frames"])
    if set_with not in (None, frames):
        click.echo(f"Note: {other_frames(set_with, frames)}.", err=True)
    record = detector.bundle.record | {"sha256": detector.bundle.digest}
    journal = out.with_suffix(".scores.sqlite3") if out is not None else None
    with progress("Scoring", len(samples)) as advance:
        return list(score(samples, detector, frames, journal, advance)), record, frames


def _reals(named: str, split: str) -> list[Sample]:
    """The reals of `split` of a data set given as NAME=PATH."""
    from detector.datasets.sample import only
    from detector.evaluation.run import choose_split, find_samples
    from sfumato.errors import UsageError

    name, _, path = named.partition("=")
    if not path or not Path(path).exists():
        raise UsageError(
            f"--reals {named} names nothing that is there", "Write NAME=PATH, e.g. faceforensics=DATA/FaceForensics."
        )
    return only(choose_split(find_samples(Path(path), name)[0], split)[0], label="real")


def _chosen(samples: list[Sample], choices: dict[str, Any]) -> list[Sample]:
    """Those of --compression, and of --method the fakes."""
    from detector.datasets.sample import only

    kept = only(samples, compression=choices["compression"])
    if choices["method"] is None:
        return kept
    fakes = only([sample for sample in kept if sample.label == "fake"], method=choices["method"])
    return [sample for sample in kept if sample.label == "real"] + fakes


@click.command("list")
def list_datasets() -> None:
    """Show what can be read, by the name that --adapter takes."""
    import inspect
    import sys

    from detector.datasets import REGISTRY

    for name in REGISTRY.names():
        reader = REGISTRY.load(name)
        first = (inspect.getdoc(sys.modules[reader.__module__]) or "").splitlines()[0]
        click.echo(f"{name:18}{first}")


@click.command("verify")
@click.argument("name")
@click.argument("path", type=options.ANY)
def verify(name: str, path: Path) -> int:
    """Count what of the data set NAME lies in PATH, against what its authors state. Exit code: 0 complete, 1 not."""
    from detector.datasets import REGISTRY

    found = REGISTRY.load(name)().verify(path)
    for part, (count, expected) in found.parts.items():
        click.echo(f"{printable(part, 60):40}{count:>8}" + (f" of {expected}" if expected is not None else ""))
    if not found.parts:
        click.echo("Nothing of it was found.")
    if found.missing_count:
        click.echo(
            f"{found.missing_count} listed files are missing; the first: "
            f"{', '.join(printable(m, 80) for m in found.missing[:5])}"
        )
    for note in found.notes:
        click.echo(f"Note: {printable(note, 200)}")
    return 0 if found.complete else 1


@click.command("clips")
@click.argument("name")
@click.argument("path", type=options.FOLDER)
def write_clips_of(name: str, path: Path) -> None:
    """Write PATH/clips.jsonl of the data set NAME, with its official splits, to train on. Videos without a split are
    left out.
    """
    from detector.datasets import REGISTRY
    from detector.datasets.sample import as_clip
    from sfumato.errors import UsageError
    from sfumato.execution.find_files import counted
    from sfumato.media.clips import write_clips
    from sfumato.progress import progress

    samples = REGISTRY.load(name)().listed(path)
    kept = [sample for sample in samples if sample.split is not None]
    if not kept:
        raise UsageError(
            f"No file has a split ({counted(sample.path for sample in samples)})",
            "This data set has no official one, or its lists are missing.",
        )
    with progress("Taking digests", len(kept)) as advance:
        write_clips(path / "clips.jsonl", (as_clip(sample, path) for sample in kept if advance(1) is None))
    left_out = len(samples) - len(kept)
    click.echo(f"{len(kept)} clips" + (f"; {left_out} without a split left out" if left_out else ""), err=True)
    click.echo(path / "clips.jsonl")


@click.command("deepfakebench")
@click.argument("name")
@click.argument("path", type=options.ANY)
@options.output("The JSON that DeepfakeBench reads.")
@click.option(
    "--frames-folder", type=options.NewFolder(f"*-{16 * '[0-9a-f]'}-*"), metavar="FOLDER",
    help="Where frames of videos are cut to (default: OUT-frames, beside OUT).",
)  # fmt: skip
@options.frames("Frames to cut of a video, evenly spaced.", default=32)
def export_deepfakebench(name: str, path: Path, out: Path, frames_folder: Path | None, frames: int) -> None:
    """Write the data set NAME in PATH ("clips" for a clips.jsonl) as DeepfakeBench's JSON.

    DeepfakeBench reads no videos: of those, such as the ones of `sfumato fakes`, whole frames are cut into folders.
    What is cut already is kept.
    """
    from detector.datasets.deepfakebench import write_deepfakebench
    from detector.datasets.frame_folders import as_frame_folders
    from detector.evaluation.run import find_samples
    from sfumato.atomic import require_writable
    from sfumato.progress import progress

    samples, _ = find_samples(path, name)
    require_writable(out)
    folder = (frames_folder or out.with_name(f"{out.stem}-frames")).resolve()
    with progress("Cutting frames", len(samples)) as advance:
        count = write_deepfakebench(as_frame_folders(samples, folder, frames, advance), out)
    if any(not sample.path.is_dir() for sample in samples):
        click.echo(f"Frames: {printable(folder)}", err=True)
    click.echo(f"{count} listed", err=True)
    click.echo(out)
