"""What `sfumato evaluate` does with several detectors: each is asked about the same videos, then they are compared.

In: samples, and detectors as the command line names them: "shipped", the folder of a detector of ours, module:callable,
files of scores. Out: `Judged` ones, and the lines and the page of their comparison. All that can be wrong with a name
is found before the first video is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sfumato.text import printable

if TYPE_CHECKING:
    from detector.comparison.judged import Judged
    from detector.datasets.sample import Sample
    from detector.evaluation.leakage import Leak
    from detector.evaluation.protocol import Scored
    from detector.evaluation.run import EvaluationConfig

SHIPPED = "shipped"
Named = tuple[str, str]  # (name, "" where none was given; what it names)


@dataclass(frozen=True)
class Contest:
    """samples: what is judged; whole: all samples of the set and of what was added to it; root: the set's folder;
    frames: of a video, None for each detector's own; journal: where scores are kept, None for nowhere.
    """

    samples: Sequence[Sample]
    whole: Sequence[Sample]
    root: Path
    frames: int | None
    journal: Path | None


def split_name(text: str) -> Named:
    """NAME=VALUE as ("NAME", "VALUE"), anything else and what is there under that very name as ("", text)."""
    name, sign, value = text.partition("=")
    return (name, value) if sign and name and value and not Path(text).exists() else ("", text)


def journal_beside(written: Path | None) -> Path | None:
    """Where scores are kept for the next run: beside what is written, None where nothing is."""
    return written.with_suffix(".scores.sqlite3") if written is not None else None


def judge_all(contest: Contest, detectors: Sequence[Named], predictions: Sequence[tuple[str, Path]]) -> list[Judged]:
    """Detectors first, then files of scores, each in the order given. Raises UsageError for a name that is none, or is
    given twice; MediaError for a damaged file of scores.
    """
    from detector.evaluation.predictions import with_media
    from sfumato.errors import UsageError

    named: list[tuple[str, Callable[[], Judged]]] = []
    for name, value in detectors:
        title = name or _title(value)
        named.append((title, _ours(title, value, contest) if is_ours(value) else _own(title, value, contest)))
    for name, path in predictions:
        title = name or path.stem
        named.append((title, _given(title, path, contest)))
    titles = [title for title, _ in named]
    if twice := next((title for title in titles if titles.count(title) > 1), None):
        raise UsageError(f"Two detectors are called {twice!r}", "Give one of them another name: NAME=VALUE.")
    first, *others = [judge() for _, judge in named]
    if not first.frames:  # nobody has looked at the files yet
        import dataclasses

        first = dataclasses.replace(first, scored=list(with_media(first.scored)))
    return [first, *others]


def score_ours(
    samples: Sequence[Sample], model: Path | None, frames: int | None, journal: Path | None, title: str = "Scoring"
) -> tuple[list[Scored], dict[str, Any], int]:
    """The scores of a detector of ours, its record, and at how many frames of a video it looked. model: its folder,
    None for the one that ships.
    """
    from detector.evaluation.journal import score
    from detector.inference.thresholds import other_frames
    from detector.inference.video_detector import VideoDetector
    from sfumato.progress import progress

    detector = VideoDetector(model)
    set_with, looked_at = detector.bundle.video_thresholds.frames, detector.bundle.frames(frames)
    if set_with not in (None, looked_at):
        click.echo(f"Note: {other_frames(set_with, looked_at)}.", err=True)
    record = detector.bundle.record | {"sha256": detector.bundle.digest}
    with progress(title, len(samples)) as advance:
        return list(score(samples, detector, looked_at, journal, advance)), record, looked_at


def report(
    judged: Sequence[Judged], config: EvaluationConfig, leaks: Sequence[Leak], name: str, as_json: bool,
    out: Path | None, html: Path | None,
) -> bool:  # fmt: skip
    """Prints and writes the comparison. Returns whether the set leaks."""
    from detector.comparison.page import write_page
    from detector.comparison.run import compare
    from detector.comparison.text import as_text
    from sfumato.atomic import write_text

    found = compare(judged, config, leaks)
    lines = list(found.lines())
    if out is not None:
        write_text(out, "\n".join(lines) + "\n")
    if html is not None:
        write_page(html, found, name)
    for line in lines if as_json else as_text(found):
        click.echo(line)
    if html is not None:
        click.echo(f"Page: {printable(html)}", err=True)
    return found.leaks_badly


def learnt_leaks(samples: Sequence[Sample], judged: Sequence[Judged]) -> Iterator[Leak]:
    """What the records of detectors of ours say that they learnt from, each leak once."""
    from detector.evaluation.leakage import model_leaks

    seen = set[tuple[str, tuple[str, ...]]]()
    for each in judged:
        for leak in model_leaks(samples, each.about):
            if (leak.kind, leak.names) not in seen:
                seen.add((leak.kind, leak.names))
                yield leak


def is_ours(value: str) -> bool:
    """Whether it is "shipped" or a folder, which looks at frames that --frames counts."""
    return value == SHIPPED or Path(value).is_dir()


def _title(value: str) -> str:
    """A detector's name where none was given: its folder's, or that of the run whose `weights` it is."""
    if value == SHIPPED or not Path(value).is_dir():
        return value
    folder = Path(value).resolve()
    return folder.parent.name if folder.name == "weights" and folder.parent.name else folder.name


def _ours(title: str, value: str, contest: Contest) -> Callable[[], Judged]:
    from detector.comparison.judged import Judged
    from detector.inference.bundle import load_shipped

    model = None if value == SHIPPED else Path(value)
    load_shipped(model)  # a folder that is no detector is told now

    def judge() -> Judged:
        scored, record, frames = score_ours(
            contest.samples, model, contest.frames, contest.journal, f"Scoring by {printable(title, 60)}"
        )
        return Judged(title, scored, frames, record)

    return judge


def _own(title: str, value: str, contest: Contest) -> Callable[[], Judged]:
    from detector.comparison.judged import Judged
    from detector.comparison.own_code import load_own_code, score_by
    from sfumato.progress import progress

    code = load_own_code(value)

    def judge() -> Judged:
        failed = 0
        scored = list[Any]()
        with progress(f"Scoring by {printable(title, 60)}", len(contest.samples), lambda: _failures(failed)) as advance:
            for item in score_by(code, contest.samples, contest.journal):
                failed += item.status == "error"
                scored.append(item)
                advance(1)
        return Judged(title, scored, 0, {"name": code.name, "sha256": code.digest})

    return judge


def _given(title: str, path: Path, contest: Contest) -> Callable[[], Judged]:
    from detector.comparison.judged import Judged
    from detector.evaluation.predictions import join_predictions

    places = {id(sample): number for number, sample in enumerate(contest.whole)}
    joined = join_predictions(contest.whole, path, contest.root)  # it may list more than is judged
    scored = [joined[places[id(sample)]] for sample in contest.samples]
    return lambda: Judged(title, scored, 0, {"name": "predictions", "file": path.name})


def _failures(count: int) -> str:
    return f"{count} failed" if count else ""
