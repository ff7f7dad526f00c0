"""Scores of any other detector, from a CSV file: alone (it names the labels itself), or joined to a data set that does.

In: columns `path` and `score`, and `label` when it stands alone (`detector.datasets.table` lists the others). A score
is the larger, the more fake; an empty one is an abstention. Several rows of one video are its frames. Out: `Scored`, to
be measured as ours are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from detector.datasets.sample import Key, Sample, read_table
from detector.datasets.table import Table
from detector.evaluation.protocol import Scored
from sfumato.errors import MediaError, UsageError

LACKING = "no row"  # the reason of what a CSV does not list


def read_predictions(path: Path) -> list[Scored]:
    """A CSV with labels. Raises MediaError with the line's number, UsageError without a single score."""
    grouped: dict[Key, list[Sample]] = {}
    kinds: dict[tuple[str, Path], tuple[str, str]] = {}
    for sample in Table().samples(path):
        grouped.setdefault(sample.key, []).append(sample)
        kind = (sample.label, sample.family)
        if kinds.setdefault((sample.dataset, sample.path), kind) != kind:
            raise MediaError(
                f"{path}: the rows of {sample.path.name} contradict each other", "A path has one label and one family."
            )
    return _with_a_score([_scored(rows[0], [row.score for row in rows]) for rows in grouped.values()], path)


def join_predictions(samples: Sequence[Sample], path: Path, root: Path) -> list[Scored]:
    """The samples with the scores of a CSV (`path`, `score`), found by path: as it is, below `root`, or by a file name
    that is unique.

    A sample without a row abstains, with the reason LACKING. Raises MediaError for a row that belongs to no sample or
    could belong to several, or has no number.
    """
    places = {place.resolve(): number for number, place in enumerate(sample.path for sample in samples)}
    names: dict[str, list[int]] = {}
    for number, sample in enumerate(samples):
        for name in {sample.path.name, sample.path.stem, sample.video_id}:
            names.setdefault(name, []).append(number)
    scores: dict[int, list[float | None]] = {}
    for line, row in enumerate(read_table(path, ("path", "score")), 2):
        given = Path(row["path"])
        found = next((places[place] for place in ((root / given).resolve(), given.resolve()) if place in places), None)
        if found is None:
            near = names.get(row["path"]) or names.get(given.name) or []
            if len(near) != 1:
                what = f"could be {len(near)} files" if near else "is no file of the set"
                raise MediaError(
                    f"{path}, line {line}: {row['path']!r} {what}", "Write paths relative to the data set."
                )
            found = near[0]
        scores.setdefault(found, []).append(_number(row["score"], path, line))
    return _with_a_score([_scored(sample, scores.get(number, [])) for number, sample in enumerate(samples)], path)


def has_frames(scored: Sequence[Scored]) -> bool:
    """Whether any video has more than one score."""
    return any(item.frames().size > 1 for item in scored)


def with_media(scored: Sequence[Scored]) -> Iterator[Scored]:
    """The same with what the containers declare, of files that are there: for the shortcut audit. Nothing is
    decoded.
    """
    import dataclasses

    from sfumato.media.video import VideoReader

    for item in scored:
        path = item.sample.path
        if not path.is_file():
            yield item
            continue
        media: dict[str, object] = {"size": path.stat().st_size}
        try:
            with VideoReader(path) as reader:
                info = reader.info
                media |= {
                    "kind": "video",
                    "container": info.container,
                    "codec": info.codec,
                    "width": info.width,
                    "height": info.height,
                }
                media |= {
                    "rate": info.rate,
                    "duration": info.duration,
                    "audio": info.has_audio,
                    "frames": info.declared_frames,
                }
        except MediaError:
            pass  # a picture, or unreadable: its size is all there is
        yield dataclasses.replace(item, media=media)


def _scored(sample: Sample, scores: Sequence[float | None]) -> Scored:
    given = [score for score in scores if score is not None]
    if not given:
        return Scored(sample, "abstain", faceless=len(scores), reason="no score" if scores else LACKING)
    return Scored(
        sample, "ok", (tuple((float(time), score) for time, score in enumerate(given)),), len(scores) - len(given)
    )


def _with_a_score(scored: list[Scored], path: Path) -> list[Scored]:
    if not any(item.status == "ok" for item in scored):
        raise UsageError(f"{path} holds no score", "It needs a column 'score': the larger, the more fake.")
    return scored


def _number(text: str, path: Path, line: int) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise MediaError(
            f"{path}, line {line}: the score is {text!r}", "It must be a number, or empty where the detector abstained."
        )
    return value
