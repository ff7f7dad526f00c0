"""ISO boxes (ISO/IEC 14496-12, section 4.2), of which mp4, mov and JUMBF are made: the one place that reads them.

In: an open file or stream, and the part of it to walk. Out: its boxes, each with its path; nothing is read but headers.
A header that makes no sense, or a box that runs past the end of what it lies in, ends the walk at that level.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import IO

LARGE_HEADER = 16  # bytes of a header with a size of 64 bits
DEEPEST = 10  # levels that are walked down; a video needs six
FULL_BOXES = (b"meta",)  # containers whose boxes come after four bytes of version and flags


@dataclass(frozen=True)
class Box:
    """One box. `path`: its four letters, after those of the boxes it lies in. `start`, `size`, `header`: bytes."""

    path: tuple[bytes, ...]
    start: int
    size: int
    header: int

    @property
    def kind(self) -> bytes:
        return self.path[-1]

    @property
    def body(self) -> int:
        """Where its content begins."""
        return self.start + self.header

    @property
    def end(self) -> int:
        return self.start + self.size


def walk(
    file: IO[bytes],
    containers: Collection[bytes] = (),
    *,
    start: int = 0,
    end: int | None = None,
    open_ended: bool = True,
) -> Iterator[Box]:
    """The boxes in the bytes [start, end) of `file`, None: to its end; then those inside its `containers`.

    open_ended: a size of 0 means up to the end; else such a box ends the walk.
    """
    pending: list[tuple[tuple[bytes, ...], int, int]] = [
        ((), start, file.seek(0, os.SEEK_END) if end is None else end),
    ]
    while pending:
        path, position, limit = pending.pop()
        while position + 8 <= limit:
            file.seek(position)
            box = _box(path, file.read(LARGE_HEADER), position, limit, open_ended)
            if box is None:
                break
            yield box
            if box.kind in containers and len(path) < DEEPEST:
                pending.append((box.path, box.body + (4 if box.kind in FULL_BOXES else 0), box.end))
            position = box.end


def _box(path: tuple[bytes, ...], head: bytes, position: int, limit: int, open_ended: bool) -> Box | None:
    size, kind, header = int.from_bytes(head[:4], "big"), head[4:8], 8
    if size == 1:
        size, header = int.from_bytes(head[8:], "big"), LARGE_HEADER
    elif size == 0 and open_ended:
        size = limit - position
    if len(head) < header or size < header or position + size > limit:
        return None
    return Box((*path, kind), position, size, header)
