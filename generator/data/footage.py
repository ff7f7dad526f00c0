"""What a folder of footage holds, file by file: where each file is, whom its place says it shows, and whether it is
kept for testing.

Known layouts, told apart file by file:
- VoxCeleb 1 and 2, as published (`id10001/VIDEO/00001.mp4`) or cut by the usual scripts
(`id10001#VIDEO#001993#002143.mp4`): the id is
  the person. Its test part stays a test: the forty people of VoxCeleb1's verification test, and all below a folder
  named test.
- HDTF (`WDA_BarackObama_000.mp4`, `RD_Radio10_000.mp4`): the name is the person.
- any folder: nobody is named, unless `people="folders"` says that each folder below FOOTAGE is a person. A folder named
test below
  FOOTAGE is kept for testing.
Files are found as they are needed: a tree of a million clips is never listed first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from sfumato.errors import UsageError
from sfumato.execution.find_files import Finder, is_picture

People = Literal["layout", "folders"]
_VOX_PERSON = re.compile(r"id\d{5}")
_VOX_FILE = re.compile(r"(id\d{5})#")
_VOX1_TEST = range(10270, 10310)  # the forty people of VoxCeleb1's verification test, whose names begin with E
_HDTF = re.compile(r"(?P<set>RD|WDA|WRA)_(?P<name>.+?)_\d+(?:_clip_\d+)?")
_SPLITS = {"test", "testing", "eval", "train", "training", "dev", "val", "valid", "validation"}
_TEST = re.compile(r"test|testing|eval|vox[a-z0-9]*[_-]test([_-].*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Source:
    """One file. `person` is the label its place gives, "" for none; `held_out` if it is kept for testing."""

    path: Path
    person: str = ""
    held_out: bool = False

    @property
    def picture(self) -> bool:
        return is_picture(self.path)


def find_sources(footage: Iterable[Path], people: People = "layout", finder: Finder | None = None) -> Iterator[Source]:
    """Files as given, and everything readable below folders, in the order of their names; `finder` counts the rest."""
    for found in (finder or Finder()).find(footage):
        yield describe(found.path, found.root or found.path.parent, people)


def choose(sources: Iterable[Source], limit: int = 0, per_person: int = 0) -> Iterator[Source]:
    """The first `limit` of `sources`, at most `per_person` of each person whom the layout names; 0: all."""
    seen: Counter[str] = Counter()

    def wanted(source: Source) -> bool:
        seen[source.person] += 1
        return not (per_person and source.person) or seen[source.person] <= per_person

    chosen = filter(wanted, sources)
    return islice(chosen, limit) if limit else chosen


def describe(path: Path, root: Path, people: People) -> Source:
    """What the place of `path` below `root`, the folder that was named, says about it."""
    folders = path.relative_to(root).parts[:-1] if path.is_relative_to(root) else ()
    tested = any(_is_test(name) for name in folders)
    if people == "folders":
        named = [name for name in folders if name.lower() not in _SPLITS]
        return Source(path, named[0] if named else "", tested)
    if vox := _vox_person(path):
        number, above = int(vox[0][2:]), vox[1]
        return Source(
            path, f"voxceleb {vox[0]}", number in _VOX1_TEST or tested or any(_is_test(name) for name in above)
        )
    if hdtf := _HDTF.fullmatch(path.stem):
        # Digits after a speaker's name count his videos; a radio's are its shows, with other people.
        name = hdtf["name"] if hdtf["set"] == "RD" else hdtf["name"].rstrip("0123456789")
        return Source(path, f"hdtf {hdtf['set']} {name}", tested)
    return Source(path, "", tested)


def nothing_found(paths: list[Path]) -> UsageError:
    """Why there is nothing to read; a tree of metadata is told from an empty one."""
    named = ", ".join(map(str, paths))
    for path in paths:
        texts = Finder({".txt"}).paths([path]) if path.is_dir() else iter(())
        if any(_vox_person(file) for file in islice(texts, 100)):
            return UsageError(
                f"{named} holds VoxCeleb's metadata (.txt: links and face boxes), not its videos",
                "Get the videos first, cut as the metadata says, and name their folder.",
            )
    return UsageError(f"No videos or pictures in {named}", "Name a folder that holds some.")


def _vox_person(path: Path) -> tuple[str, tuple[str, ...]] | None:
    """The id and the names of up to three folders above it (`vox2/test/mp4/id00017`), None if it is not VoxCeleb."""
    parts = path.parts
    if match := _VOX_FILE.match(path.name):
        return match[1], parts[-4:-1]
    if len(parts) > 3 and _VOX_PERSON.fullmatch(parts[-3]):
        return parts[-3], parts[-6:-3]
    return None


def _is_test(folder: str) -> bool:
    return _TEST.fullmatch(folder) is not None
