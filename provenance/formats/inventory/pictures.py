"""The parts of a JPEG, PNG or GIF, without the manifest store.

In: an open file. Out: `Part`s, in the order of the file.
A JPEG's further pictures are looked up where its list says that they are, so that a list that leads nowhere after
signing shows; so are previews whose place its Exif gives. Raises ValueError for a structure that cannot be followed.
"""

from __future__ import annotations

import os
from typing import IO

from provenance.formats.inventory.camera_notes import previews
from provenance.formats.inventory.multi_picture import picture_list
from provenance.formats.inventory.part import Part, part
from provenance.formats.stores import pictures
from provenance.formats.stores.span import read

SEGMENTS = {
    (0xE0, b"JFIF"): "the resolution (JFIF)",
    (0xE1, b"Exif"): "Exif",
    (0xE1, b"http"): "XMP",
    (0xE2, b"ICC_"): "the colour profile",
    (0xE2, b"MPF\0"): "the list of further pictures",
    (0xE2, b"urn:"): "the parameters of a gain map",
    (0xED, b"Phot"): "IPTC",
}
CHUNKS = {
    b"iCCP": "the colour profile",
    b"eXIf": "Exif",
    b"iTXt": "text or XMP",
    b"tEXt": "text",
    b"zTXt": "text",
    b"acTL": "the animation",
    b"fcTL": "a frame",
    b"fdAT": "a frame",
    b"IDAT": "the picture",
}


def jpeg(file: IO[bytes]) -> list[Part]:
    """Raises ValueError."""
    size, whole = file.seek(0, os.SEEK_END), pictures.jpeg(file)
    further = picture_list(file)
    holes = list(whole.spans) + (further.numbers() if further else [])
    parts, position = [], 2
    for marker, start, end in pictures.jpeg_segments(file):
        position = end
        if any(first <= start and end <= last for first, last in whole.spans):
            continue
        name = (
            SEGMENTS.get((marker, read(file, start + 4, 4)), f"the segment FF{marker:02X}") if end - start >= 8 else ""
        )
        parts.append(part(name or "a short segment", file, [(start, end)], holes))
    parts.append(part("the picture", file, [(position, whole.end)]))
    if whole.end < size:
        parts.append(part("what follows the picture", file, [(whole.end, size)]))
        parts += previews(file, whole.end, size)
    for number, span in enumerate(further.pictures(size) if further else [], start=2):
        parts.append(part(f"picture {number} of the file", file, [span]))
    return parts


def png(file: IO[bytes]) -> list[Part]:
    """Raises ValueError."""
    size, whole = file.seek(0, os.SEEK_END), pictures.png(file)
    parts, position = [], 8
    while position < whole.end:
        head = read(file, position, 8)
        end = position + 12 + int.from_bytes(head[:4], "big")
        if (position, end) not in whole.spans:
            name = CHUNKS.get(head[4:], f"the chunk {head[4:].decode('ascii', 'replace')}")
            parts.append(part(name, file, [(position, end)]))
        position = end
    if whole.end < size:
        parts.append(part("what follows the picture", file, [(whole.end, size)]))
    return parts


def gif(file: IO[bytes]) -> list[Part]:
    """Raises ValueError. Its first bytes are left aside: extensions need the later of the two versions."""
    size, whole = file.seek(0, os.SEEK_END), pictures.gif(file)
    parts = [part("the pictures", file, [(6, whole.end)], whole.spans)]
    if whole.end < size:
        parts.append(part("what follows the pictures", file, [(whole.end, size)]))
    return parts
