"""What every form of a set is given, and the names that its files get.

In: a set as it was read, the folder to fill, and what a set does not know of itself: who publishes it, where and when.
Names of files are foreign; in a form they are short, lower-case ASCII, so that every reader, archive and file system
takes them, and the set's own path stands in a column.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path, PurePosixPath

from sfumato.app.sets.layout import VIDEOS, MediaSet, SetRow
from sfumato.atomic import atomic_path
from sfumato.errors import MediaError
from sfumato.media.clips import clip_file, file_digest
from sfumato.progress import Stage, progress
from sfumato.regular_file import open_regular

DATA = "data"  # the folder of the videos, a folder a split
_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}\.[a-z0-9]{1,5}")
_CHUNK = 2**20


@dataclass(frozen=True)
class Publication:
    """Who publishes a set, where, and when; url and creator are None where nobody said."""

    url: str | None = None
    creator: str | None = None
    published: date = field(default_factory=lambda: datetime.now(UTC).date())


@dataclass(frozen=True)
class Job:
    """`out`: a folder that is there; `frames`: how many to cut of a video, for forms that hold no videos; `stage`:
    shows what is being done.
    """

    media: MediaSet
    out: Path
    publication: Publication = Publication()
    frames: int = 32
    stage: Stage = progress

    @cached_property
    def names(self) -> dict[str, str]:
        """Path of a row in the set -> path of its file in `out`, "data/train/00012-fake.mp4"."""
        return {row.clip.path: f"{DATA}/{row.clip.split}/{plain_name(row.clip.path)}" for row in self.media.rows}

    def splits(self) -> Iterator[tuple[str, list[SetRow]]]:
        """The splits that the set has, in the order of their names, with their rows in the set's order."""
        for split in sorted({str(row.clip.split) for row in self.media.rows}):
            yield split, [row for row in self.media.rows if row.clip.split == split]

    def source(self, row: SetRow) -> Path:
        """The row's file in the set. Raises MediaError if a link leads it out of there."""
        return clip_file(self.media.folder / "clips.jsonl", row.clip)


def plain_name(path: str) -> str:
    """A file name for `path` that no other path of the set gets: its own if that is plain, else what is plain of it and
    a digest.
    """
    inside = path.removeprefix(f"{VIDEOS}/")
    if _PLAIN.fullmatch(inside):
        return inside
    suffix = re.sub(r"[^a-z0-9]", "", PurePosixPath(path).suffix.lower())[:5] or "mp4"
    return f"{plain_word(PurePosixPath(path).stem, 60)}-{hashlib.sha256(path.encode()).hexdigest()[:16]}.{suffix}"


def plain_word(text: str, longest: int) -> str:
    """What of `text` is ASCII letters and digits, lower-case, joined by dashes; "x" where nothing is."""
    return re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-_")[:longest].rstrip("-_") or "x"


def read_checked(source: Path, sha256: str) -> Iterator[bytes]:
    """The file in pieces. Raises MediaError if it cannot be read, and at its end if it is not what the set lists."""
    digest = hashlib.sha256()
    try:
        with open_regular(source) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                yield chunk
    except OSError as error:
        raise MediaError(f"Cannot read {source}: {error.strerror}", "Make the set anew.") from error
    if digest.hexdigest() != sha256:
        raise MediaError(f"{source} is not the file that the set lists", "Look at: sfumato datasets check.")


def copy_checked(source: Path, target: Path, sha256: str) -> None:
    """`source` at `target`, atomically; a copy that is there and whole is kept. Raises MediaError, OutputError."""
    if target.is_file() and file_digest(target) == sha256:
        return
    with atomic_path(target) as temporary, temporary.open("wb") as file:
        for chunk in read_checked(source, sha256):
            file.write(chunk)
