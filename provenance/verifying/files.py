"""Which files a command means: names as they are, folders with everything in them, and patterns that the shell did not
expand.

In: what stands on the command line. Out: files in a fixed order, each once. In folders, hidden files, sidecars and
links that lead away are left out; a name that is no folder and no pattern is passed on, so that whoever opens it says
what is wrong.
"""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from pathlib import Path

from provenance.library.store import SIDECAR_SUFFIX


def named_files(names: Iterable[Path]) -> Iterator[Path]:
    """Every file that `names` mean. A folder or pattern without files gives nothing."""
    seen: set[Path] = set()
    for name in names:
        for path in _expand(name):
            if path not in seen:
                seen.add(path)
                yield path


def _expand(name: Path) -> Iterator[Path]:
    try:
        if name.is_dir():
            yield from _inside(name)
            return
        if not name.exists() and glob.has_magic(str(name)):
            for found in sorted(glob.glob(str(name), recursive=True)):  # noqa: PTH207  Path.glob takes no absolute pattern
                yield from _expand(Path(found))
            return
    except (OSError, ValueError):  # a name that no file system takes: verify says so
        pass
    yield name


def _inside(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not path.is_symlink() and not hidden and path.suffix.lower() != SIDECAR_SUFFIX:
            yield path
