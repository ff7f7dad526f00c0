"""Two folders, `real/` and `fake/`: the simplest data set there is.

Layout: videos, pictures and folders of numbered frames below each, at any depth; a folder directly in `fake/` names the
method, and `blend`, `reenact` or `synthesis` as the first part of its name (`blend-simswap`) names the family. No
splits, no people: every file is its own.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from detector.datasets.sample import Adapter, Sample, child
from sfumato.errors import SfumatoWarning
from sfumato.execution.find_files import PICTURES, Finder
from sfumato.media.clips import Family, Label

_LABELS: tuple[Label, ...] = ("real", "fake")


class LabelledFolder(Adapter):
    """A folder that holds several pictures and no video is one video of frames if their names are numbers, otherwise so
    many pictures. What else lies there is counted in a warning.
    """

    name = "folder"
    title = "real/ and fake/"

    def samples(self, root: Path) -> Iterator[Sample]:
        title, finder = root.resolve().name or "folder", Finder()
        for label in _LABELS:
            base = child(root, label)
            for path in _clips(base, finder) if base.is_dir() else []:
                inside = path.relative_to(base)
                method = "real" if label == "real" else inside.parts[0] if len(inside.parts) > 1 else "fake"
                first = method.partition("-")[0]
                family: Family = "real" if label == "real" else first if first in get_args(Family) else "synthesis"  # type: ignore[assignment]
                yield Sample(
                    title, inside.as_posix(), path, label, method, family, f"{title}/{label}/{inside.as_posix()}"
                )
        if finder.told():
            warnings.warn(finder.told(), SfumatoWarning, stacklevel=2)

    def notes(self, root: Path) -> Iterator[str]:
        yield "People are not known: intervals treat every file as another person, and are too narrow if it is not."


def _clips(base: Path, finder: Finder) -> Iterator[Path]:
    folders: dict[Path, list[Path]] = {}
    for path in finder.paths([base]):
        folders.setdefault(path.parent, []).append(path)
    for folder, files in sorted(folders.items()):
        if (
            folder != base
            and len(files) > 1
            and all(file.suffix.lower() in PICTURES and file.stem.isdigit() for file in files)
        ):
            yield folder
        else:
            yield from files
