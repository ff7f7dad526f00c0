"""What a file holds, and what of it another one lacks: asks the module for the container that the file is.

In: an open file, or what two files hold. Out: `Part`s, or the names of those that are lost. By the first bytes, as the
search for the manifest store.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Sequence
from typing import IO

from provenance.formats.inventory import chunks, document, pictures, sound, tiff
from provenance.formats.inventory.part import Part
from provenance.formats.stores.find import MARKUP

BY_MAGIC = {
    b"\xff\xd8\xff": pictures.jpeg,
    b"\x89PNG": pictures.png,
    b"GIF8": pictures.gif,
    b"RIFF": chunks.riff,
    b"II*\0": tiff.tiff,
    b"MM\0*": tiff.tiff,
    b"II+\0": tiff.tiff,
    b"MM\0+": tiff.tiff,
    b"ID3": sound.sound,
    b"fLaC": sound.sound,
}


def inventory(file: IO[bytes]) -> list[Part]:
    """Raises ValueError."""
    file.seek(0)
    head = file.read(512)
    try:
        for magic, look in BY_MAGIC.items():
            if head.startswith(magic):
                return look(file)
        if head[4:8] in (b"ftyp", b"moov", b"wide", b"mdat", b"free", b"skip", b"pnot"):
            return chunks.iso(file)
        if head[:1] == b"\xff":  # a frame of MPEG sound
            return sound.sound(file)
        if head.lstrip().startswith(MARKUP):
            return document.svg(file)
    except (IndexError, KeyError, OverflowError, UnicodeError, struct.error, OSError) as error:
        raise ValueError(str(error)) from error
    raise ValueError("it is no container that is known here")


def lost(before: Sequence[Part], after: Sequence[Part]) -> list[str]:
    """Names of what was there `before` and is not there, or not in its place, `after`; each once."""
    missing = Counter(before) - Counter(after)
    if missing:
        return list(dict.fromkeys(each.name for each in missing))
    kept = Counter(before)
    order = [each for each in after if each in kept]
    return [] if order == list(before) else ["the order of its parts"]
