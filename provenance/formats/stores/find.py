"""Which bytes of a file carry its manifest store: asks the module for the container that the file is.

In: an open file. Out: the spans of the store, none if there is none. By the first bytes, as players and the C2PA
library go by them; the name of a file says nothing here. A container that is not known raises ValueError, as does one
whose structure cannot be followed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import IO

from provenance.formats.stores import chunks, documents, pictures, sound, tiff
from provenance.formats.stores.pictures import Segmented
from provenance.formats.stores.span import Span

SEGMENTED: dict[bytes, Callable[[IO[bytes]], Segmented]] = {
    b"\xff\xd8\xff": pictures.jpeg,
    pictures.PNG_SIGNATURE: pictures.png,
    b"GIF8": pictures.gif,
}
OTHERS: dict[bytes, Callable[[IO[bytes]], list[Span]]] = {
    b"RIFF": chunks.riff,
    b"\0\0\0\x0cJXL ": chunks.jpeg_xl,
    b"ID3": sound.id3,
    b"II*\0": tiff.tiff,
    b"MM\0*": tiff.tiff,
    b"II+\0": tiff.tiff,
    b"MM\0+": tiff.tiff,
    b"%PDF-": documents.pdf,
}
MARKUP = (b"<", b"\xef\xbb\xbf<")


def store_spans(file: IO[bytes]) -> Sequence[Span]:
    """Raises ValueError."""
    file.seek(0)
    head = file.read(32)
    try:
        parts = segmented(file)
        if parts is not None:
            return parts.spans
        for magic, look in OTHERS.items():
            if head.startswith(magic):
                return look(file)
        if head[4:8] in (b"ftyp", b"moov", b"wide", b"mdat", b"free", b"skip", b"pnot"):
            return chunks.iso(file)
        if head.lstrip().startswith(MARKUP):
            return documents.svg(file)
    except (IndexError, OverflowError, struct.error, OSError) as error:
        raise ValueError(str(error)) from error
    raise ValueError("it is no container that is known here")


def segmented(file: IO[bytes]) -> Segmented | None:
    """The same for the containers whose parts c2pa.hash.boxes can name; None for others. Raises ValueError."""
    file.seek(0)
    head = file.read(8)
    for magic, look in SEGMENTED.items():
        if head.startswith(magic):
            return look(file)
    return None
