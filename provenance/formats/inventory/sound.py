"""The parts of an MP3 or FLAC with or without an ID3v2 tag, without the manifest store.

In: an open file. Out: `Part`s: the frames of the tag, by what they say (a writer may change the encoding of a text),
and the sound behind it. Raises ValueError for a tag of a form that is not followed.
"""

from __future__ import annotations

import os
from typing import IO

from provenance.formats.inventory.part import Part, part, value
from provenance.formats.stores.sound import frames
from provenance.formats.stores.span import read

ENCODINGS = ("latin-1", "utf-16", "utf-16-be", "utf-8")
NAMES = {
    b"TIT2": "the title",
    b"TPE1": "the artist",
    b"APIC": "a cover picture",
    b"CHAP": "a chapter",
    b"CTOC": "the chapters",
}
DESCRIBED = {b"COMM": 3, b"USLT": 3, b"WXXX": 0}  # bytes between the encoding and the text


def sound(file: IO[bytes]) -> list[Part]:
    """Raises ValueError."""
    size, parts, behind = file.seek(0, os.SEEK_END), list[Part](), 0
    if read(file, 0, 3) == b"ID3":
        found, behind = frames(file)
        for frame in found:
            if not frame.stores:
                name = NAMES.get(frame.kind, f"the frame {frame.kind.decode('ascii', 'replace')}")
                parts.append(value(name, _said(frame.kind, read(file, frame.start, frame.end - frame.start))))
    return [*sorted(parts, key=lambda each: (each.name, each.digest)), part("the sound", file, [(behind, size)])]


def _said(kind: bytes, content: bytes) -> object:
    """What a frame says, whatever the encoding of its text. Raises ValueError for text that is none."""
    if not content or content[0] >= len(ENCODINGS):
        return content
    encoding = ENCODINGS[content[0]]
    if kind.startswith(b"T"):
        return content[1:].decode(encoding).rstrip("\0").replace("\ufeff", "")
    if kind in DESCRIBED:
        skip = 1 + DESCRIBED[kind]
        return content[1:skip], content[skip:].decode(encoding).rstrip("\0").replace("\ufeff", "")
    if kind == b"APIC":
        media_type, _, rest = content[1:].partition(b"\0")
        width = 2 if content[0] in (1, 2) else 1
        place = next((at for at in range(1, len(rest) - width + 1, width) if not any(rest[at : at + width])), None)
        if place is None:
            raise ValueError("a cover picture in its ID3 tag makes no sense")
        text = rest[1:place].decode(encoding).replace("\ufeff", "")
        return media_type, rest[:1], text, rest[place + width :]
    return content
