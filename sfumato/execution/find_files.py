"""Which files a command means, decided in one place: names, folders and patterns in; files out, and what was passed
over.

A file that is named is passed on as it is, so that whoever opens it says what is wrong with it. A folder is walked in
the order of names, without ever being listed whole; what is hidden, of another kind, no regular file or in a folder to
leave out is passed over and counted by its reason. A known suffix is believed, so that a tree of a million clips is not
opened twice; a file with another or none is a picture or a video by its first bytes. Links to folders are followed,
never in circles, and into one folder by WAYS of them at most: folders that link to one another are as many paths as
there are orders of them.
"""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sfumato.errors import UsageError
from sfumato.execution.file_kinds import file_kind

PICTURES = frozenset(
    [".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".mpo", ".png", ".webp", ".avif", ".heic", ".heif", ".hif", ".bmp",
     ".dib", ".tif", ".tiff", ".jp2", ".j2k", ".jpx", ".jpf", ".jxl", ".ppm", ".pgm", ".pbm", ".pnm", ".tga"]
)  # fmt: skip
VIDEOS = frozenset(
    [".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".gif", ".ts", ".mts", ".wmv", ".flv", ".3gp",
     ".ogv"]
)  # fmt: skip
MEDIA = PICTURES | VIDEOS
_SOUND = frozenset(  # in containers of videos
    [".mp3", ".m4a", ".m4b", ".aac", ".wav", ".flac", ".ogg", ".oga", ".opus", ".wma", ".mka", ".weba"]
)
HIDDEN, IRREGULAR, UNREADABLE = "hidden", "not a regular file", "in a folder that may not be read"
CIRCLE, OFTEN = "leading back to a folder above", "leading to a folder that others led to"
WAYS = 10  # by which links may lead into one folder: a clip is in a few lists, never in hundreds


@dataclass(frozen=True)
class FoundFile:
    """A file, and the folder by which it was found; `root` is None for a file that was named itself."""

    path: Path
    root: Path | None = None

    @property
    def inside(self) -> Path:
        """Its place below the folder that was named."""
        return self.path.relative_to(self.root) if self.root is not None else Path(self.path.name)


@dataclass
class Finder:
    """suffixes: what counts in folders, None for every one; with all of PICTURES or of VIDEOS among them, files of that
    kind under any other name count too; without: suffixes that never count; leave_out: names of folders that are not
    entered; patterns: whether a name that is no file may be a pattern, for shells that expand none. `passed_over`
    counts, by reason, what lay in folders and was left out.
    """

    suffixes: Collection[str] | None = MEDIA
    without: Collection[str] = ()
    leave_out: Collection[str] = ()
    patterns: bool = False
    passed_over: Counter[str] = field(default_factory=Counter)
    _ways: Counter[tuple[int, int]] = field(default_factory=Counter, repr=False)  # by links, into each folder

    def find(self, names: Iterable[Path]) -> Iterator[FoundFile]:
        """Every file that `names` mean, each path once: in the order of the names, in folders in that of paths."""
        seen: set[Path] = set()
        for name in names:
            for found in self._expand(name):
                if found.path not in seen:
                    seen.add(found.path)
                    yield found

    def paths(self, names: Iterable[Path]) -> Iterator[Path]:
        """The same without the folders."""
        return (found.path for found in self.find(names))

    def told(self) -> str:
        """One line about what was passed over; "" if nothing was."""
        if not self.passed_over:
            return ""
        each = ", ".join(f"{count} {reason}" for reason, count in sorted(self.passed_over.items()))
        return f"Passed over in folders: {each}"

    def _expand(self, name: Path) -> Iterator[FoundFile]:
        try:
            if name.is_dir():
                self._ways.clear()
                yield from (FoundFile(path, name) for path in self._walk(name, frozenset(), linked=False))
                return
            if self.patterns and not name.exists() and glob.has_magic(str(name)):
                for found in sorted(glob.glob(str(name), recursive=True)):  # noqa: PTH207 (Path.glob takes no absolute pattern)
                    yield from self._expand(Path(found))
                return
        except (OSError, ValueError):  # a name that no file system takes: whoever opens it says so
            pass
        yield FoundFile(name)

    def _walk(self, folder: Path, above: frozenset[tuple[int, int]], linked: bool) -> Iterator[Path]:
        """linked: whether a link was followed on the way."""
        try:
            status = folder.stat()
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:  # the other folders still count
            self.passed_over[UNREADABLE] += 1
            return
        here = (status.st_dev, status.st_ino)
        if here in above:
            self.passed_over[CIRCLE] += 1
            return
        if linked:
            self._ways[here] += 1
            if self._ways[here] > WAYS:
                self.passed_over[OFTEN] += 1
                return
        for entry in entries:
            if reason := self._reason_against(entry):
                self.passed_over[reason] += 1
            elif entry.is_dir():
                yield from self._walk(Path(entry.path), above | {here}, linked or entry.is_symlink())
            else:
                yield Path(entry.path)

    def _reason_against(self, entry: os.DirEntry[str]) -> str:
        if entry.name.startswith("."):
            return HIDDEN
        try:
            folder, regular = entry.is_dir(), entry.is_file()
        except OSError:  # a link that leads to itself
            return IRREGULAR
        if folder:
            return f"in {entry.name}/" if entry.name in self.leave_out else ""
        if not regular:  # a pipe, a socket, a device, a link that leads nowhere
            return IRREGULAR
        suffix = os.path.splitext(entry.name)[1].lower()  # noqa: PTH122 (a Path a file of a million costs minutes)
        if suffix in self.without or not (self.suffixes is None or suffix in self.suffixes or self._is_one(entry.path)):
            return suffix or "without a suffix"
        return ""

    def _is_one(self, path: str) -> bool:
        """Whether a file whose suffix says nothing is of a kind that is wanted."""
        counted = set(self.suffixes or ())
        wanted = [kind for kind, known in (("picture", PICTURES), ("video", VIDEOS)) if known <= counted]
        found = file_kind(path) if wanted and os.path.splitext(path)[1].lower() not in _SOUND else None  # noqa: PTH122
        return found is not None and found.kind in wanted


def find_media(names: Iterable[Path], finder: Finder | None = None) -> list[Path]:
    """All files that `names` mean, pictures and videos unless `finder` wants others. Raises UsageError if there are
    none.
    """
    named, finder = list(names), finder or Finder()
    found = list(finder.paths(named))
    if not found:
        known = f"Known suffixes: {' '.join(sorted(finder.suffixes))}." if finder.suffixes else ""
        raise UsageError(f"No video or picture in {', '.join(map(str, named))}", known)
    return found


def is_picture(path: Path) -> bool:
    """By the first bytes; by the suffix where they say nothing, or cannot be read. What else is inside is checked when
    it is read.
    """
    found = file_kind(path)
    return found.kind == "picture" if found is not None else path.suffix.lower() in PICTURES


def counted(paths: Iterable[Path]) -> str:
    """How many of each kind, in words: "3 videos, 1 picture". A folder of frames is a video."""
    pictures = Counter(is_picture(path) for path in paths)
    each = [(pictures[False], "video"), (pictures[True], "picture")]
    return ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in each if count) or "no files"
