"""The Deepfake Detection Challenge, full set (Dolhansky et al., 2020).

Layout (from the winner's repository and the challenge): train `dfdc_train_part_{0..49}/{metadata.json,*.mp4}` with
`{"x.mp4": {"label": "FAKE|REAL", "split": "train", "original": "y.mp4"}}`; test `test/*.mp4` beside `labels.csv`
(`filename,label`, 1 = fake). A part is nearly disjoint in actors, so parts 0 to 2 are the validation split, as the
winner chose. Methods are not released. Some fakes of the train parts are fakes by their sound alone; nothing in the
metadata tells which. The validation set (4,000 videos, `validation/` with the same labels.csv) is read the same way;
its layout could not be confirmed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from detector.datasets.sample import Adapter, Sample, read_entries, read_table, videos_in
from sfumato.errors import MediaError
from sfumato.media.clips import Label, Split

_PART = re.compile(r"dfdc_train_part_(\d+)")
_VALIDATION_PARTS = 3
_LABELS: dict[str, Label] = {"FAKE": "fake", "REAL": "real", "1": "fake", "0": "real"}
_LISTS: dict[str, Split] = {"test": "test", "validation": "validation"}


class DFDC(Adapter):
    """`identity` of a train video is its original: actors are not named."""

    name = "dfdc"
    title = "DFDC"
    expected = {"train real": 23654, "train fake": 104500, "test real": 2500, "test fake": 2500}

    def samples(self, root: Path) -> Iterator[Sample]:
        for folder, number in _parts(root):
            there = {file.name: file for file in videos_in(folder)}
            for name, entry in _metadata(folder).items():
                if name not in there:
                    continue
                label = _label(entry.get("label"), folder / name)
                original = str(entry.get("original") or name)
                who = f"dfdc/{Path(original).stem}"
                yield Sample(
                    self.title, Path(name).stem, there[name], label, "real" if label == "real" else "dfdc-fake",
                    "real" if label == "real" else "blend", who,
                    "validation" if number < _VALIDATION_PARTS else "train",
                    source_ids=(who, f"dfdc/part-{number}"), pair_of=there.get(original) if label == "fake" else None,
                )  # fmt: skip
        for kind, split in _LISTS.items():
            folder = root / kind
            there = {file.name: file for file in videos_in(folder)}
            for name, label in _listed(folder).items():
                if name in there:
                    who = f"dfdc/{kind}/{Path(name).stem}"
                    method = "real" if label == "real" else "dfdc-fake"
                    family = "real" if label == "real" else "blend"
                    yield Sample(self.title, Path(name).stem, there[name], label, method, family, who, split)  # type: ignore[arg-type]

    def part(self, sample: Sample) -> str:
        folder = sample.path.parent if sample.path.parent.name != "videos" else sample.path.parent.parent
        return f"{folder.name if folder.name in _LISTS else 'train'} {sample.label}"

    def missing(self, root: Path) -> Iterator[str]:
        for folder, _ in _parts(root):
            yield from (
                f"{folder.name}/{name}"
                for name in sorted(set(_metadata(folder)) - {file.name for file in videos_in(folder)})
            )
        for kind in _LISTS:
            there = {file.name for file in videos_in(root / kind)}
            yield from (f"{kind}/{name}" for name in sorted(set(_listed(root / kind)) - there))

    def notes(self, root: Path) -> Iterator[str]:
        parts = {number for _, number in _parts(root)}
        if parts and len(parts) < 50:
            yield f"{len(parts)} of 50 train parts."
        yield "Methods are not released: face swaps, talking heads and sound-only fakes are all family blend here."


def _parts(root: Path) -> list[tuple[Path, int]]:
    found = [(folder, match) for folder in root.glob("dfdc_train_part_*") if (match := _PART.fullmatch(folder.name))]
    return sorted(((folder, int(match[1])) for folder, match in found), key=lambda item: item[1])


def _metadata(folder: Path) -> dict[str, dict[str, Any]]:
    return read_entries(folder / "metadata.json")


def _listed(folder: Path) -> dict[str, Label]:
    path = folder / "labels.csv"
    if not path.is_file():
        return {}
    return {row["filename"]: _label(row["label"], path) for row in read_table(path, ("filename", "label"))}


def _label(value: object, where: Path) -> Label:
    if str(value).upper() not in _LABELS:
        raise MediaError(f"{where}: the label is {value!r}", "It must be FAKE or REAL, 1 or 0.")
    return _LABELS[str(value).upper()]
