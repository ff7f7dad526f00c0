"""`sfumato evaluate` and `sfumato datasets`: they parse, call the library, print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from detector.config import FRAMES_RULE
from detector.evaluation.choices import AGGREGATORS, LEVELS, NO_FACE, UNITS
from sfumato import options
from sfumato.text import printable

if TYPE_CHECKING:
    from detector.datasets.sample import Sample
    from detector.evaluation.leakage import Leak
    from detector.evaluation.protocol import Scored
    from detector.evaluation.run import EvaluationConfig


class _NamedFile(options.InputPath):
    """[NAME=]FILE, as (name, path); "" where no name was given."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from detector.commands.side_by_side import split_name

        name, path = split_name(str(value))
        return name, super().convert(path, param, ctx)


_SPLITS = ("train", "validation", "calibration", "test", "all")


@click.command("evaluate")
@click.argument("source", type=options.ANY)
@click.option(
    "--adapter", metavar="NAME", help="How to read SOURCE; see sfumato datasets list. Told from SOURCE where it can be."
)
@options.several(
    "--predictions", "predictions", "CSV (path,score) of another detector; several are compared.",
    metavar="[NAME=]FILE", type=_NamedFile(folder=False),
)  # fmt: skip
@options.several(
    "--detector", "detectors", "A detector to compare: shipped, a folder of ours, or module:callable; may be repeated.",
    metavar="[NAME=]WHICH",
)  # fmt: skip
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
@click.option("--html", type=options.NEW_FILE, metavar="FILE", help="Write the page of a comparison, with its curves.")
@options.as_json("JSON lines instead of a table.")
def evaluate(
    source: Path, predictions: tuple[tuple[str, Path], ...], detectors: tuple[str, ...], out: Path | None,
    html: Path | None, as_json: bool, check_leaks: bool, **choices: Any,
) -> int:  # fmt: skip
    """Measure a detector on SOURCE: clips.jsonl, a set, a data set on disk, or a CSV of another detector's scores
    (path,label,score).

    With --detector, with several --predictions, or with --html: detectors side by side, on the videos that all of them
    judged, with paired differences to the first.

    Every number comes with its protocol, n and an interval; what cannot be measured is refused with the reason. Exit
    code: 0 done, 1 with --check-leaks when people, sources or files are shared with the training or between splits.
    """
    from sfumato.atomic import require_writable

    alone = choices["adapter"] in (None, "csv") and source.suffix == ".csv" and not predictions and not detectors
    if detectors:
        _refuse(("model",), "write --detector FOLDER")
    elif alone or predictions:
        _refuse(("model", "frames"), "scores come from a file, and no detector of ours runs")
    for written in (out, html):
        if written is not None:
            require_writable(written)
    subject = _subject(source, choices, alone)
    if detectors or len(predictions) > 1 or html is not None:
        leaks_badly = _side_by_side(subject, source, predictions, detectors, out, html, as_json, choices)
    else:
        leaks_badly = _one(subject, source, predictions, out, as_json, choices)
    return 1 if check_leaks and leaks_badly else 0


@dataclass(frozen=True)
class _Subject:
    """What is measured. samples: the chosen ones; whole: with the rest of the set; root: its folder; given: scores that
    the source itself holds, None without.
    """

    samples: list[Sample]
    whole: list[Sample]
    root: Path
    given: list[Scored] | None = None


def _subject(source: Path, choices: dict[str, Any], alone: bool) -> _Subject:
    from detector.evaluation.predictions import read_predictions, with_media
    from detector.evaluation.run import choose_split, find_samples
    from sfumato.execution.find_files import counted

    if alone:
        scored = read_predictions(source)
        whole = [item.sample for item in scored]
        kept = {id(sample) for sample in _chosen(choose_split(whole, choices["split"])[0], choices)}
        scored = list(with_media([item for item in scored if id(item.sample) in kept]))
        return _Subject([item.sample for item in scored], whole, source.parent, scored)
    whole, root = find_samples(source, choices["adapter"])
    samples, split = choose_split(whole, choices["split"])
    samples = _chosen(samples, choices)
    if choices["reals"]:
        samples += _reals(choices["reals"], split)
    click.echo(f"{counted(sample.path for sample in samples)}; split {split}", err=True)
    return _Subject(samples, whole, root)


def _one(
    subject: _Subject, source: Path, predictions: Sequence[tuple[str, Path]], out: Path | None, as_json: bool,
    choices: dict[str, Any],
) -> bool:  # fmt: skip
    """Measures one detector, prints and writes it. Returns whether the set leaks."""
    from detector.commands.side_by_side import journal_beside, score_ours
    from detector.evaluation.leakage import model_leaks
    from detector.evaluation.predictions import has_frames, join_predictions, with_media
    from detector.evaluation.run import evaluate as measure
    from detector.evaluation.text import as_text
    from sfumato.atomic import write_text

    model: dict[str, Any] = {"name": "predictions"}
    frames = 0  # not known
    if subject.given is not None:
        scored = subject.given
        model["file"] = source.name
    elif predictions:
        file = predictions[0][1]
        scored = list(with_media(join_predictions(subject.samples, file, subject.root)))
        model["file"] = file.name
    else:
        journal = journal_beside(out)
        scored, model, frames = score_ours(subject.samples, choices["model"], choices["frames"], journal)
    if not frames and not has_frames(scored):
        _refuse(("level", "aggregator"), "the file has one score a video, and nothing is left to put together")
    samples = [item.sample for item in scored]
    leaks = [*_leaks(samples, subject, choices), *model_leaks(samples, model)]
    found = measure(scored, _config(choices, frames), leaks)
    lines = list(found.lines({name: model[name] for name in ("name", "version", "sha256", "file") if name in model}))
    if out is not None:
        write_text(out, "\n".join(lines) + "\n")
    for line in lines if as_json else as_text(found):
        click.echo(line)
    return found.leaks_badly


def _side_by_side(
    subject: _Subject, source: Path, predictions: Sequence[tuple[str, Path]], detectors: Sequence[str],
    out: Path | None, html: Path | None, as_json: bool, choices: dict[str, Any],
) -> bool:  # fmt: skip
    """Compares detectors. Returns whether the set leaks."""
    from detector.commands.side_by_side import (
        SHIPPED,
        Contest,
        is_ours,
        journal_beside,
        judge_all,
        learnt_leaks,
        report,
        split_name,
    )
    from detector.comparison.judged import Judged
    from detector.evaluation.predictions import has_frames

    _refuse(("threshold",), "thresholds belong to one detector; measure it by itself")
    named = [split_name(text) for text in detectors]
    if not named and not predictions:
        named = [("", str(choices["model"] or SHIPPED))]
    if not any(is_ours(value) for _, value in named):
        _refuse(("frames",), "no detector of ours runs")
    if subject.given is not None:
        judged = [Judged(source.stem, subject.given, 0, {"name": "predictions", "file": source.name})]
    else:
        known = {id(sample) for sample in subject.whole}
        added = [sample for sample in subject.samples if id(sample) not in known]
        contest = Contest(
            subject.samples, [*subject.whole, *added], subject.root, choices["frames"], journal_beside(out or html)
        )
        judged = judge_all(contest, named, predictions)
    if not any(each.frames or has_frames(each.scored) for each in judged):
        _refuse(("level", "aggregator"), "there is one score a video, and nothing is left to put together")
    samples = list(subject.samples)
    leaks = [*_leaks(samples, subject, choices), *learnt_leaks(samples, judged)]
    whole = source.resolve()
    name = whole.parent.name if whole.name == "clips.jsonl" else whole.name
    return report(judged, _config(choices, 0), leaks, name, as_json, out, html)


def _leaks(samples: list[Sample], subject: _Subject, choices: dict[str, Any]) -> list[Leak]:
    """Within the set, and with the list of a training."""
    from detector.evaluation.leakage import inner_leaks, read_training, training_leaks

    leaks = inner_leaks(samples, subject.whole)
    if choices["trained_on"] is not None:
        leaks += training_leaks(samples, read_training(choices["trained_on"]))
    return leaks


def _config(choices: dict[str, Any], frames: int) -> EvaluationConfig:
    from detector.evaluation.run import EvaluationConfig

    return EvaluationConfig(
        choices["level"], choices["aggregator"], choices["no_face"], frames, choices["cluster"], choices["threshold"]
    )


def _refuse(names: Sequence[str], why: str) -> None:
    """Raises UsageError for an option that was given and would say nothing."""
    from click.core import ParameterSource

    from sfumato.errors import UsageError

    context = click.get_current_context()
    given = [name for name in names if context.get_parameter_source(name) == ParameterSource.COMMANDLINE]
    if given:
        raise UsageError(f"--{given[0]} says nothing here: {why}", "Leave it out.")


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
        click.echo(f"{name:20}{first}")


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
