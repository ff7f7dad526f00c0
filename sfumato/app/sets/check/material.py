"""What there is to check: the folder of a set, or of any clips.jsonl, read as far as it can be. In: a path. Out:
`Material`.

A check goes on where a reader of sets would stop: what cannot be read is a fault that is told, and the rest is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from sfumato.app.sets.layout import (
    CLIPS,
    DETAILS,
    FACTS,
    RIGHTS,
    Details,
    Rights,
    SetFacts,
    read_details,
    read_facts,
    read_rights,
)
from sfumato.errors import MediaError, UsageError
from sfumato.limits import SET_ROWS
from sfumato.media.clips import ClipRow, read_clips

Found = TypeVar("Found")


@dataclass(frozen=True)
class Material:
    """clips: the list; rows: those of its lines that are some; refused: why the others are none. whole: whether it
    means to be a set, and not only a list of clips; unreadable: {name of a file of the set: why}. details: in the order
    of their file; facts, rights: None where they are not there, or cannot be read.
    """

    clips: Path
    rows: Sequence[ClipRow]
    refused: Sequence[str] = ()
    whole: bool = False
    unreadable: Mapping[str, str] = field(default_factory=dict)
    details: Sequence[Details] = ()
    facts: SetFacts | None = None
    rights: Mapping[str, Rights] | None = None

    @property
    def folder(self) -> Path:
        return self.clips.parent

    @property
    def details_of(self) -> dict[str, Details]:
        """By the path of the clip."""
        return {each.path: each for each in self.details}


def read_material(path: Path) -> Material:
    """path: the folder of a set, or a list of clips. Raises MediaError where the list cannot be read as text,
    UsageError where it holds nothing.
    """
    clips = path / CLIPS if path.is_dir() else path
    refused: list[str] = []
    rows = list[ClipRow]()
    for row in read_clips(clips, refused):
        SET_ROWS.hold(clips, len(rows) + 1)
        rows.append(row)
    if not rows and not refused:
        raise UsageError(f"{clips} lists nothing", "Name a set, or another list of clips.")
    folder = clips.parent
    whole = clips.name == CLIPS and any((folder / name).exists() for name in (FACTS, DETAILS))
    if not whole:
        return Material(clips, rows, refused)
    unreadable: dict[str, str] = {}

    def tried(name: str, read: Callable[[Path], Found]) -> Found | None:
        try:
            return read(folder / name)
        except MediaError as error:
            unreadable[name] = error.message
            return None

    details = tried(DETAILS, lambda file: list(read_details(file))) or []
    facts, rights = tried(FACTS, read_facts), tried(RIGHTS, read_rights)
    return Material(clips, rows, refused, whole, unreadable, details, facts, rights)
