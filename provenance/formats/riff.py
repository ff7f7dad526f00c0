"""RIFF files (AVI, WebP) whose chunks do not follow one another: refused with the place, because the C2PA library,
which would have to move them, only says that a size is wrong.

In: an open file. Out: nothing, or a MediaError. A player looks for the next chunk that it knows and goes on; whoever
puts a manifest in has to know where each chunk ends.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import IO

from sfumato.errors import MediaError

_NESTED = (b"RIFF", b"LIST")  # their content is chunks again, after four bytes that say of what kind
_MOST = 100_000  # chunks; a long video has more, and what comes later the library looks at
ADVICE = {
    "video/avi": "Write it anew without encoding it again: ffmpeg -i IN -c copy OUT.avi.",
    "image/webp": "Take another copy, or save the picture anew.",
}


def refuse_loose_chunks(file: IO[bytes], media_type: str, path: Path) -> None:
    """Raises MediaError where bytes lie between chunks that belong to none, or a chunk is longer than the file."""
    there = file.seek(0, io.SEEK_END)
    end, position, last = there, 0, "the beginning"
    loose: tuple[int, str, bytes] | None = None  # the first that is no chunk, though it may happen to have a size
    for _ in range(_MOST):
        file.seek(position)
        head = file.read(8)
        if position + 8 > end or len(head) < 8:
            return
        name, size = head[:4], int.from_bytes(head[4:], "little")
        if all(0x20 <= byte < 0x7F for byte in name):
            last = repr(name.decode("ascii").strip()) if loose is None else last
        else:
            loose = loose or (position, last, name)
        if position + 8 + size > there:
            raise MediaError(_told(path, loose, (position, last, size, there - position - 8)), ADVICE[media_type])
        if position == 0:
            end = 8 + size  # what follows the RIFF chunk is no part of it
        position += 12 if name in _NESTED else 8 + size + size % 2


def _told(path: Path, loose: tuple[int, str, bytes] | None, chunk: tuple[int, str, int, int]) -> str:
    if loose is not None:
        place, after, name = loose
        what = "zeros" if name[0] == 0 else "bytes"
        return f"{path} has {what} between its chunks that belong to none: at byte {place}, after {after}"
    place, name_of, claimed, there = chunk
    claims = f"its chunk {name_of} at byte {place} claims {claimed} bytes, {there} are there"
    return f"{path} is cut off or damaged: {claims}"
