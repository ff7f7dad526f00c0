"""A CSV file that lists videos and pictures, with or without another detector's scores.

Layout: a header and the columns `path` (or `file`) and `label` (real/fake or 0/1, 1 = fake), optionally `score` (the
larger, the more fake), `video_id`, `dataset` (or `origin`), `split`, `method`, `family`, `compression`, `identity`,
`group` (whatever must stay together: a shoot, a portrait, a person), `source_ids` (joined by ;), `driver_id`, `pair_of`
(of a fake: the real file of the same moments). `family` is one of clips.jsonl, or what collections call it: see
FAMILIES. Rows with the same video are its frames: a column `frame` or a repeated path says so. Paths are relative to
the file's folder; they need not exist when there are scores. Other columns are passed over.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

from detector.datasets.sample import Adapter, Sample, read_table
from sfumato.errors import MediaError
from sfumato.media.clips import Family, Label, Split

_LABELS: dict[str, Label] = {"real": "real", "fake": "fake", "0": "real", "1": "fake", "0.0": "real", "1.0": "fake"}
_SPLITS: dict[str, Split] = {"val": "validation", **{name: name for name in get_args(Split)}}
FAMILIES: Mapping[str, Family] = {
    **{name: name for name in get_args(Family)},
    "lipsync": "composite",  # a generated mouth in a real frame: a seam, and pixels that no camera saw
    "faceswap": "blend",
    "swap": "blend",
    "reenactment": "reenact",
    "talkinghead": "reenact",
    "head": "reenact",
    "gan": "synthesis",
    "diffusion": "synthesis",
    "efs": "synthesis",
    "autoencoder": "synthesis",
}


class Table(Adapter):
    """`samples` yields one a row; rows of one video (frames) have one key."""

    name = "csv"
    title = "a CSV file"

    def samples(self, root: Path) -> Iterator[Sample]:
        """`root`: the CSV file. Raises MediaError, with the line's number, for a row that cannot be understood."""
        for number, row in enumerate(read_table(root, ("label",)), 2):
            if not {"path", "file"} & row.keys():
                raise MediaError(f"{root} has no column 'path'", "It needs: path, label.")
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
    path = row.get("path") or row.get("file") or ""
    if not path:
        raise ValueError("the path is empty")
    pair = row.get("pair_of", "")
    if pair and label == "real":
        raise ValueError("a real video is nobody's counterpart: pair_of belongs to the fake")
    split = row.get("split", "").lower()
    if split and split not in _SPLITS:
        raise ValueError(f"the split is {split!r}; it must be one of {', '.join(_SPLITS)}")
    dataset, video = row.get("dataset") or row.get("origin") or root.stem, row.get("video_id") or path
    return Sample(
        dataset, video, root.parent / path, label, row.get("method") or ("real" if label == "real" else "fake"),
        _family(row.get("family", ""), label), row.get("identity") or f"{dataset}/{video}", _SPLITS.get(split),
        row.get("compression", ""), _sources(root, row), row.get("driver_id") or None,
        root.parent / pair if pair else None, score=_score(row["score"]) if row.get("score") else None,
    )  # fmt: skip


def _family(text: str, label: Label) -> Family:
    """The family of a word; without one that of most fakes that a table lists."""
    usual: Family = "real" if label == "real" else "synthesis"
    found = FAMILIES.get("".join(filter(str.isalnum, text.lower()))) if text else usual
    if found is None or (found == "real") != (label == "real"):
        raise ValueError(f"the family of a {label} video is {text!r}; known: {', '.join(FAMILIES)}")
    return found


def _sources(root: Path, row: dict[str, str]) -> tuple[str, ...]:
    """What it shares with others. A group is the table's own: two collections may both have a group 1."""
    named = [part.strip() for part in row.get("source_ids", "").split(";")]
    group = row.get("group", "")
    return tuple(part for part in (*named, f"{root.resolve().parent.name}/{group}" if group else "") if part)


def _score(text: str) -> float:
    value = float(text)  # ValueError: not a number
    if not math.isfinite(value):
        raise ValueError(f"the score is {text}; a video without one has an empty score")
    return value
