"""Deepfake-Eval-2024 (Chandra et al., 2025): what went around in 2024, as videos and pictures from 88 sites.

Layout: `video-metadata-publish.csv` (or `-publish-with-links.csv`) with `Filename` and `Video Ground Truth` (Real,
Fake, or something else where nobody knows), videos in `video-data/`; `image-metadata-publish.csv` with `Filename` and
`Ground Truth`, pictures in `image-data/`. What is only heard is not read: `Audio Ground Truth` says of a video whose
picture is real that its voice is not, and such a video is real here, under a method of its own. The column of splits
(`Finetuning Set`) and the columns of the list of pictures could not be confirmed: other names of columns that end in
"ground truth" are taken, too, and a video without a split has none. Methods and people are not released.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from detector.datasets.sample import Adapter, Sample, child, read_table
from sfumato.errors import MediaError
from sfumato.media.clips import Label, Split

_KINDS = ("video", "image")
_SPLITS: dict[str, Split] = {
    "train": "train", "training": "train", "finetuning": "train", "true": "train",
    "val": "validation", "validation": "validation",
    "test": "test", "eval": "test", "evaluation": "test", "false": "test",
}  # fmt: skip
_LABELS: dict[str, Label] = {"real": "real", "fake": "fake"}


class _Row(NamedTuple):
    """kind: "video" or "image"; label: None where nobody knows; heard: its voice is fake."""

    kind: str
    name: str
    label: Label | None
    heard: bool
    split: Split | None


class DeepfakeEval2024(Adapter):
    """Every file is its own person: who is seen is not known."""

    name = "deepfake-eval-2024"
    title = "Deepfake-Eval-2024"

    def samples(self, root: Path) -> Iterator[Sample]:
        for row in _rows(root):
            file = _file(root, row)
            if row.label is None or not file.is_file():
                continue
            method = "unknown" if row.label == "fake" else "fake voice" if row.heard else "real"
            yield Sample(
                self.title, f"{row.kind}/{row.name}", file, row.label, f"{row.kind} {method}",
                "real" if row.label == "real" else "synthesis", f"deepfake-eval-2024/{row.kind}/{row.name}", row.split,
            )  # fmt: skip

    def part(self, sample: Sample) -> str:
        return f"{sample.video_id.partition('/')[0]} {sample.label}"

    def expectations(self, root: Path) -> Mapping[str, int]:
        """What its own lists name."""
        return Counter(f"{row.kind} {row.label}" for row in _rows(root) if row.label is not None)

    def missing(self, root: Path) -> Iterator[str]:
        for row in _rows(root):
            if row.label is not None and not (file := _file(root, row)).is_file():
                yield file.relative_to(root).as_posix()

    def notes(self, root: Path) -> Iterator[str]:
        rows = list(_rows(root))
        if not rows:
            yield "No video-metadata-publish.csv or image-metadata-publish.csv: labels are not known without them."
        if unknown := sum(row.label is None for row in rows):
            yield f"{unknown} files are neither Real nor Fake to its authors, and are left out."
        if rows and not any(row.split for row in rows):
            yield "Its lists have no splits: all of it is for measuring."
        yield "People and methods are not known: every file counts as another person, every fake as synthesis."


def _rows(root: Path) -> Iterator[_Row]:
    """Raises MediaError for a damaged list, or a name that leaves its folder."""
    for kind in _KINDS:
        names = (f"{kind}-metadata-publish.csv", f"{kind}-metadata-publish-with-links.csv")
        listing = next((place for place in (child(root, name) for name in names) if place.is_file()), None)
        if listing is None:
            continue
        for number, given in enumerate(read_table(listing, ("Filename",)), 2):
            row = {name.strip().lower(): value for name, value in given.items()}
            name = row["filename"]
            if not name or ".." in PurePosixPath(name).parts or PurePosixPath(name).is_absolute():
                raise MediaError(f"{listing}, line {number}: {name!r} is no file's name", "Download the list again.")
            truths = {key: value.lower() for key, value in row.items() if key.endswith("ground truth")}
            heard = truths.pop("audio ground truth", "")
            seen = truths.get(f"{kind} ground truth") or truths.get("ground truth") or next(iter(truths.values()), None)
            if seen is None:
                raise MediaError(f"{listing} has no column '{kind.capitalize()} Ground Truth'", "Download it again.")
            split = _SPLITS.get((row.get("finetuning set") or row.get("split") or "").lower())
            yield _Row(kind, name, _LABELS.get(seen), heard == "fake", split)


def _file(root: Path, row: _Row) -> Path:
    return child(root, f"{row.kind}-data") / row.name
