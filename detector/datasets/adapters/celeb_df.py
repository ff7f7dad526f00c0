"""Celeb-DF versions 1 and 2 (Li et al., 2020): swaps between celebrities, and videos of others.

Layout (from the authors' repository): `Celeb-real/id{A}_{k}.mp4`, `Celeb-synthesis/id{A}_id{B}_{k}.mp4` (the target A
with the face of B), `YouTube-real/NNNNN.mp4`, and `List_of_testing_videos.txt` with lines `<1|0> <path>`, where 1 means
REAL: the opposite of most lists. The label is taken from the folder and the list is checked against it. Everything
outside the list is train; people are in both by design. The numbers of version 1 are from the literature; some mirrors
write `Youtube-real`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from detector.datasets.sample import Adapter, Sample, child, read_lines, videos_in
from sfumato.errors import MediaError
from sfumato.media.clips import Label, Split

_FOLDERS: dict[str, Label] = {"Celeb-real": "real", "YouTube-real": "real", "Celeb-synthesis": "fake"}
_LISTED: dict[str, Label] = {"1": "real", "0": "fake"}
_REAL, _SWAP = re.compile(r"(id\d+)_(\d+)"), re.compile(r"(id\d+)_(id\d+)_(\d+)")
_LIST = "List_of_testing_videos.txt"


class CelebDFv2(Adapter):
    """The method of a sample is its folder."""

    name = "celeb-df-v2"
    title = "Celeb-DF-v2"
    expected = {"Celeb-real": 590, "YouTube-real": 300, "Celeb-synthesis": 5639}
    listed_for_test: ClassVar[int] = 518  # 178 real, 340 fake

    def samples(self, root: Path) -> Iterator[Sample]:
        test = _testing(root)
        for folder, label in _FOLDERS.items():
            for file in videos_in(child(root, folder)):
                split: Split | None = None if test is None else "test" if (folder, file.name) in test else "train"
                target, face, pair = _people(root, folder, file)
                yield Sample(
                    self.title, file.stem, file, label, folder, "real" if label == "real" else "blend", face, split,
                    source_ids=tuple(dict.fromkeys((target, face))), pair_of=pair,
                )  # fmt: skip

    def missing(self, root: Path) -> Iterator[str]:
        there = {folder: {file.name for file in videos_in(child(root, folder))} for folder in _FOLDERS}
        yield from (f"{folder}/{name}" for folder, name in sorted(_testing(root) or ()) if name not in there[folder])

    def notes(self, root: Path) -> Iterator[str]:
        test = _testing(root)
        if test is None:
            yield f"No {_LIST}: without it nothing has a split."
        elif len(test) != self.listed_for_test:
            yield f"{_LIST} has {len(test)} lines; {self.listed_for_test} are expected."
        yield (
            "The same celebrities are in train and test: its test split holds no unseen people for a "
            "net trained on the rest."
        )


class CelebDFv1(CelebDFv2):
    name = "celeb-df-v1"
    title = "Celeb-DF-v1"
    expected = {"Celeb-real": 158, "YouTube-real": 250, "Celeb-synthesis": 795}
    listed_for_test = 100


def _testing(root: Path) -> set[tuple[str, str]] | None:
    """(folder, file name) of the test list; None without it. Raises MediaError where its label contradicts the
    folder.
    """
    path = child(root, _LIST)
    if not path.is_file():
        return None
    canonical = {folder.lower(): folder for folder in _FOLDERS}
    found = set()
    for number, line in enumerate(read_lines(path), 1):
        flag, _, name = line.partition(" ")
        folder, _, file = name.strip().rpartition("/")
        folder = canonical.get(folder.lower(), "")
        if flag not in _LISTED or not folder:
            raise MediaError(f"{path}, line {number}: {line!r} is not '<1|0> <folder>/<video>'", "Download it again.")
        if _LISTED[flag] != _FOLDERS[folder]:
            raise MediaError(
                f"{path}, line {number}: {flag} means {_LISTED[flag]}, and {folder} holds none",
                "Somebody inverted the list.",
            )
        found.add((folder, file))
    return found


def _people(root: Path, folder: str, file: Path) -> tuple[str, str, Path | None]:
    """Whose video, whose face, and the real video it was made from."""
    if match := _SWAP.fullmatch(file.stem):
        target, face, clip = match.groups()
        real = child(root, "Celeb-real") / f"{target}_{clip}.mp4"
        return f"celeb-df/{target}", f"celeb-df/{face}", real if real.is_file() else None
    match = _REAL.fullmatch(file.stem)
    who = f"celeb-df/{match[1]}" if match else f"celeb-df/{folder}/{file.stem}"
    return who, who, None
