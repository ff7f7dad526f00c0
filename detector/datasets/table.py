"""A CSV file that lists videos, with or without another detector's scores.

Layout: a header and the columns `path` and `label` (real/fake or 0/1, 1 = fake), optionally `score` (the larger, the
more fake), `video_id`, `dataset`, `split`, `method`, `family`, `compression`, `identity`, `source_ids` (joined by ;),
`driver_id`. Rows with the same video are its frames: a column `frame` or a repeated path says so. Paths are relative to
the file's folder; they need not exist when there are scores.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from detector.datasets.sample import Adapter, Sample, read_table
from sfumato.errors import MediaError
from sfumato.media.clips import Family, Label, Split

_LABELS: dict[str, Label] = {"real": "real", "fake": "fake", "0": "real", "1": "fake", "0.0": "real", "1.0": "fake"}
_SPLITS: dict[str, Split] = {"val": "validation", **{name: name for name in get_args(Split)}}


class Table(Adapter):
    """`samples` yields one a row; rows of one video (frames) have one key."""

    name = "csv"
    title = "a CSV file"

    def samples(self, root: Path) -> Iterator[Sample]:
        """`root`: the CSV file. Raises MediaError, with the line's number, for a row that cannot be understood."""
        for number, row in enumerate(read_table(root, ("path", "label")), 2):
            try:
                yield _sample(root, row)
            except ValueError as error:
                raise MediaError(f"{root}, line {number}: {error}", "Correct the row, or leave it out.") from error

    def missing(self, root: Path) -> Iterator[str]:
        yield from sorted(
            {str(sample.path) for sample in self.samples(root) if sample.score is None and not sample.path.exists()}
        )


def _sample(root: Path, row: dict[str, str]) -> Sample:
    label = _LABELS.get(row["label"].lower())
    if label is None:
        raise ValueError(f"the label is {row['label']!r}; it must be real, fake, 0 or 1 (1 = fake)")
    if not row["path"]:
        raise ValueError("the path is empty")
    family = row.get("family") or ("real" if label == "real" else "synthesis")
    if family not in get_args(Family) or (family == "real") != (label == "real"):
        raise ValueError(f"the family of a {label} video is {family!r}")
    split = row.get("split", "").lower()
    if split and split not in _SPLITS:
        raise ValueError(f"the split is {split!r}; it must be one of {', '.join(_SPLITS)}")
    known: Family = family  # type: ignore[assignment]
    dataset, video = row.get("dataset") or root.stem, row.get("video_id") or row["path"]
    return Sample(
        dataset, video, root.parent / row["path"], label, row.get("method") or ("real" if label == "real" else "fake"),
        known, row.get("identity") or f"{dataset}/{video}", _SPLITS.get(split), row.get("compression", ""),
        tuple(part.strip() for part in row.get("source_ids", "").split(";") if part.strip()),
        row.get("driver_id") or None,
        score=_score(row["score"]) if row.get("score") else None,
    )  # fmt: skip


def _score(text: str) -> float:
    value = float(text)  # ValueError: not a number
    if not math.isfinite(value):
        raise ValueError(f"the score is {text}; a video without one has an empty score")
    return value
