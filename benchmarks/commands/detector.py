"""`sfumato bench robustness`, `detection` and `temporal`: they parse, call one library function, print."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sfumato import options

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.rows.comparison import JudgedBy
    from benchmarks.rows.detection import DetectionRow
    from benchmarks.rows.row import Row
    from detector.datasets.sample import Sample
    from detector.evaluation.protocol import Scored
    from detector.inference.bundle import ShippedDetector

LISTS = click.argument("clips", nargs=-1, required=True, type=options.FILE)
MODEL = options.model("Folder of another detector of ours.")
_SPLITS = click.Choice(["train", "validation", "calibration", "test", "all"])
_SPLIT = click.option("--split", type=_SPLITS, default="test", show_default=True, help="Which part.")
SEED = options.seed("Of the draw of people and the bootstrap.")
FRAMES = options.frames("Judged of each video, evenly spaced.", default=12, least=3, most=1000)
PEOPLE = click.option(
    "--people", type=click.IntRange(1), help="Only so many people, drawn by --seed; more of them go on from fewer."
)
JOURNAL = click.option(
    "--journal",
    type=options.NewFolder("*.sqlite3"),
    help="Folder of what was judged; a run goes on from it.",
)
JSON = options.as_json("JSON lines instead of the tables.")
OUT = options.output("Add the lines, and how they came about, to this file.", required=False)


@click.command("robustness")
@LISTS
@MODEL
@_SPLIT
@options.several("--set", "sets", "grid, df1 or controls; may be repeated.  [default: all three]", metavar="NAME")
@options.several("--only", "names", "A single one, e.g. 'crf 28'; may be repeated.", metavar="TREATMENT")
@PEOPLE
@FRAMES
@options.number("--workers", 1, click.IntRange(1), "Processes.")
@SEED
@JOURNAL
@JSON
@OUT
def robustness(
    clips: tuple[Path, ...], model: Path | None, split: str, sets: tuple[str, ...], names: tuple[str, ...],
    people: int | None,
    frames: int, workers: int, seed: int, journal: Path | None, as_json: bool, out: Path | None,
) -> int:  # fmt: skip
    """Judge the videos of CLIPS (clips.jsonl) after 66 treatments and, reals only, 4 controls, of the whole video
    before faces are found.

    For each treatment and family: AUC against the fakes' own twins, its paired change, what the detector's thresholds
    flag, and how many videos still show a usable face; the mean and the worst. About a third of a second a clip and
    treatment; a journal lets a run be stopped and widened. Exit code: 0 done, 1 a bar is not met.
    """
    from benchmarks.detector.grid import chosen
    from benchmarks.detector.robustness import PROTOCOL, RobustnessConfig, draw_people, judge_all, measure
    from benchmarks.metrics.comparison import INTERVAL
    from benchmarks.rows.comparison import BarRow
    from benchmarks.tables.robustness import robustness_table
    from detector.inference.bundle import load_shipped
    from sfumato.execution.find_files import counted
    from sfumato.progress import progress

    config = RobustnessConfig(chosen(sets, names), frames, people, seed, workers)
    samples = draw_people(_chosen(every_sample(clips), split), people, seed)
    detector = load_shipped(model)
    copies = len(samples) * (1 + len(config.treatments))
    click.echo(
        f"{counted(sample.path for sample in samples)}; {len(config.treatments)} treatments, {copies} copies", err=True
    )
    with working_folder(journal) as place, progress("Treating and judging", copies) as advance:
        found = judge_all(samples, model, config, place / "robustness.sqlite3", advance)
    rows = measure(found, detector.record, config)
    facts = facts_of(samples, detector, frames, people, seed)
    report(rows, facts, "robustness", PROTOCOL, INTERVAL, robustness_table, as_json, out)
    return int(any(isinstance(row, BarRow) and not row.met for row in rows))


@click.command("detection")
@LISTS
@MODEL
@_SPLIT
@FRAMES
@options.several(
    "--matrix", "runs", "A detector trained on one family, for the matrix; may be repeated.", metavar="RUN"
)
@options.several(
    "--ablation", "variants", "A detector to be held against the first one given so; may be repeated.", metavar="RUN"
)
@options.several(
    "--shuffled", "controls", "A detector that was trained with shuffled labels: it must know nothing; "
    "of five and more, each from another seed, their mean.", metavar="RUN",
)  # fmt: skip
@click.option("--robustness", "record", type=options.FILE, help="Its record.  [default: ours]")
@PEOPLE
@SEED
@JOURNAL
@JSON
@OUT
def detection(
    clips: tuple[Path, ...], model: Path | None, split: str, frames: int, runs: tuple[str, ...],
    variants: tuple[str, ...],
    controls: tuple[str, ...], record: Path | None, people: int | None, seed: int, journal: Path | None, as_json: bool,
    out: Path | None,
) -> int:  # fmt: skip
    """Judge the videos of CLIPS (clips.jsonl) once, and say what the detector knows: E0 to E8, by how far a fake is
    from its training.

    E0 seen checkpoint, E1 held-out checkpoint, E2 held-out architecture, E3 held-out driver, E5 face swaps, E6
    robustness and E7 controls from their record, E8 shuffled labels. Fakes are held against their own twins. Exit code:
    0 done, 1 a floor or a bar is not met.
    """
    from benchmarks.detector.detection import (
        PROTOCOL,
        ablation,
        from_robustness,
        run_tests,
        shuffled_training,
        twin_control,
    )
    from benchmarks.detector.detection import matrix as make_matrix
    from benchmarks.detector.robustness import draw_people
    from benchmarks.metrics.comparison import INTERVAL
    from benchmarks.rows.comparison import BarRow
    from benchmarks.rows.detection import DistanceRow
    from benchmarks.tables.detection import ablation_table, distance_table, matrix_table
    from benchmarks.tables.tables import read_records, shipped_records
    from detector.inference.bundle import load_shipped
    from sfumato.execution.find_files import counted

    detector = load_shipped(model)
    every = every_sample(clips)
    samples = draw_people(_chosen(every, split), people, seed)
    ours = shipped_records()["robustness"]
    measured = read_records(record or ours) if record or ours.is_file() else []
    click.echo(counted(sample.path for sample in samples), err=True)
    with working_folder(journal) as place:
        scored = judge(samples, model, frames, place)
        rows: list[DetectionRow] = [*run_tests(scored, every, detector.record, frames, seed)]
        rows += [*twin_control(scored), *from_robustness(measured, detector.judging)]
        if controls:
            rows.append(
                shuffled_training([judge(samples, _detector_in(run), frames, place) for run in controls], frames, seed)
            )
        rows += make_matrix(
            {name: judge(samples, _detector_in(run), frames, place) for name, run in _named(runs).items()},
            frames,
            seed,
        )
        if variants:
            rows += ablation({run: judge(samples, _detector_in(run), frames, place) for run in variants}, frames, seed)
    facts = facts_of(samples, detector, frames, people, seed)

    def tables(found: Sequence[DetectionRow]) -> str:
        parts = [
            distance_table(found),
            *([matrix_table(found)] if runs else []),
            *([ablation_table(found)] if variants else []),
        ]
        return "\n\n".join(parts)

    report(rows, facts, "detection", PROTOCOL, INTERVAL, tables, as_json, out)
    return int(any(isinstance(row, DistanceRow | BarRow) and row.met is False for row in rows))


@click.command("temporal")
@LISTS
@MODEL
@options.frames("Of each video, from its beginning.", default=32, least=5, most=1000)
@PEOPLE
@SEED
@JOURNAL
@JSON
@OUT
def temporal(
    clips: tuple[Path, ...], model: Path | None, frames: int, people: int | None, seed: int, journal: Path | None,
    as_json: bool,
    out: Path | None,
) -> None:  # fmt: skip
    """The temporal head as an ablation: jitter of landmarks and identity and the run of the frame logits, stacked on
    the logit.

    Learnt on the people of the validation split without the family it is tested on; tested on those of the test split,
    against the logit alone, on the same draws.
    """
    from benchmarks.detector.robustness import draw_people
    from benchmarks.detector.temporal import PROTOCOL, Observer, measure, observe_all
    from benchmarks.metrics.comparison import INTERVAL
    from benchmarks.tables.temporal import temporal_table
    from sfumato.progress import progress

    observer = Observer(model, frames)
    every = every_sample(clips)
    samples = [
        s for split in ("validation", "test") for s in draw_people([s for s in every if s.split == split], people, seed)
    ]
    with working_folder(journal) as place, progress("Observing", len(samples)) as advance:
        observed = list(observe_all(samples, observer, place / "temporal.sqlite3", advance))
    rows = measure(observed, seed)
    facts = facts_of(samples, observer.detector, frames, people, seed)
    report(rows, facts, "temporal", PROTOCOL, INTERVAL, temporal_table, as_json, out)


@contextmanager
def working_folder(journal: Path | None) -> Iterator[Path]:
    """That of the journal; one for this run alone where none was named. Raises OutputError."""
    import tempfile

    from sfumato.atomic import make_folder

    with tempfile.TemporaryDirectory(prefix="sfumato-journal-") as temporary:
        place = journal or Path(temporary)
        make_folder(place, "Choose another folder with --journal.")
        yield place


def facts_of(
    samples: Sequence[Sample], detector: ShippedDetector, frames: int, people: int | None, seed: int
) -> JudgedBy:
    """What a record's numbers hang on."""
    from benchmarks.detector.robustness import footage_of
    from benchmarks.rows.comparison import JudgedBy

    return JudgedBy(
        footage=footage_of(samples), model=detector.digest, judging=detector.judging, frames=frames, people=people,
        seed=seed,
    )  # fmt: skip


def judge(samples: list[Sample], model: Path | None, frames: int, journal: Path) -> list[Scored]:
    from detector.evaluation.journal import score
    from detector.inference.video_detector import VideoDetector
    from sfumato.progress import progress

    with progress("Judging", len(samples)) as advance:
        return list(score(samples, VideoDetector(model), frames, journal / "detection.sqlite3", advance))


def _detector_in(run: str) -> Path:
    """A folder with a detector, or a training run, which has it in weights/."""
    return Path(run) / "weights" if (Path(run) / "weights" / "detector.json").is_file() else Path(run)


def _named(runs: Sequence[str]) -> dict[str, str]:
    """{what the record of a detector says it learnt from: its run}; with the folder's name where two learnt from the
    same, or none says.
    """
    from detector.inference.bundle import load_shipped

    named: dict[str, str] = {}
    for run in dict.fromkeys(runs):
        training = load_shipped(_detector_in(run)).record.get("training", {})
        name = ", ".join(training.get("methods") or training.get("families") or [Path(run).name])
        named[f"{name} ({run})" if name in named else name] = run
    return named


def every_sample(clips: Sequence[Path]) -> list[Sample]:
    """The rows of all lists; a clip that two of them name is taken once."""
    from detector.datasets.sample import clips_samples

    return list({sample.path: sample for path in clips for sample in clips_samples(path)}.values())


def _chosen(every: list[Sample], split: str) -> list[Sample]:
    from detector.evaluation.run import choose_split

    return choose_split(every, split)[0]


def report(
    rows: Sequence[Row],
    facts: JudgedBy,
    name: str,
    protocol: str,
    interval: str,
    table: Any,
    as_json: bool,
    out: Path | None,
) -> None:
    import json

    from benchmarks.record import append_results, describe

    if out is not None:
        append_results(out, rows, describe(f"sfumato bench {name}", protocol, interval), facts)
    if as_json:
        for row in rows:
            click.echo(json.dumps({**row.line(), **facts.line()}))
    else:
        click.echo(table(rows))
