"""How much the structure of a media file asks for: counted here, before a library builds it up in memory.

In: an open file. Out: nothing, or MediaError with the limit that it breaks. Headers are read and nothing else; what is
merely damaged is left to whoever decodes it.
"""

from __future__ import annotations

from typing import BinaryIO

from sfumato.structure.boxes import hold_boxes
from sfumato.structure.chunks import hold_png, hold_riff
from sfumato.structure.documents import hold_pdf
from sfumato.structure.frames import hold_gif
from sfumato.structure.segments import hold_jpeg

_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"sidx", b"moof", b"pnot", b"uuid", b"meta")
_HOLDERS = {
    b"\x89PNG\r\n\x1a\n": hold_png,
    b"RIFF": hold_riff,
    b"\xff\xd8": hold_jpeg,
    b"GIF8": hold_gif,
    b"%PDF": hold_pdf,
}


def hold_structure(file: BinaryIO, source: object) -> None:
    """Raises MediaError, which names `source`, for a file whose parts are too many or too deep. Leaves `file` at its
    start.
    """
    try:
        file.seek(0)
        head = file.read(16)
        if head[4:8] in _BOXES:
            hold_boxes(file, source)
        for magic, hold in _HOLDERS.items():
            if head.startswith(magic):
                hold(file, source)
    finally:
        file.seek(0)
