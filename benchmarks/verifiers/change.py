"""One bit of what a file shows, turned: a signed file in, a copy out that no verifier may accept.

The bit lies in the middle of the media: of the largest `mdat` of ISO boxes, else of the largest stretch that is not the
manifest store. In a text it is the lowest bit of a digit, so that the text stays one.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import IO

from benchmarks.verifiers.specimens import Format
from provenance.formats.boxes import walk
from provenance.formats.containers import BMFF, STILLS
from provenance.formats.stores.find import store_spans
from provenance.formats.stores.span import Span, without

TEXT = ("image/svg+xml",)
LONGEST_WORD = 1024  # bytes in which a text has a digit


def with_bit_turned(source: Path, destination: Path, kind: Format) -> None:
    """Writes `source`, a signed file of that format, to `destination` with one bit of its content turned."""
    shutil.copyfile(source, destination)
    with destination.open("r+b") as file:
        place = _place(file, kind)
        file.seek(place)
        (byte,) = file.read(1)
        file.seek(place)
        file.write(bytes([byte ^ 1]))


def _place(file: IO[bytes], kind: Format) -> int:
    start, end = max(_content(file, kind), key=lambda span: span[1] - span[0])
    middle = (start + end) // 2
    if kind.media_type not in TEXT:
        return middle
    file.seek(middle)
    return next(place for place, byte in enumerate(file.read(LONGEST_WORD), middle) if chr(byte) in "0123456789")


def _content(file: IO[bytes], kind: Format) -> list[Span]:
    if kind.media_type in (*BMFF, *STILLS):
        return [(box.body, box.end) for box in walk(file) if box.kind == b"mdat"]
    everything = [(0, file.seek(0, os.SEEK_END))]
    return everything if kind.sidecar else without(everything, store_spans(file))
