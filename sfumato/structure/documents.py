"""Objects that are packed into streams of a PDF (ISO 32000-1, 7.5.7). In: an open file. Out: nothing, or MediaError.

A reader unpacks all of them when it opens the file, a thousand times as many bytes as there are.
"""

from __future__ import annotations

import mmap
import re
import zlib
from typing import BinaryIO

from sfumato.limits import PDF_OBJECTS

_STREAM = re.compile(rb"stream\r?\n")
_ALWAYS_READ = re.compile(rb"/(?:ObjStm|XRef)\b")
_DICTIONARY = 1024  # bytes before a stream in which its kind is said
_PIECE = 2**20


def hold_pdf(file: BinaryIO, source: object) -> None:
    """Raises MediaError for packed objects of more bytes than a document has."""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        unpacked = 0
        for found in _STREAM.finditer(data):
            if not _ALWAYS_READ.search(data, max(0, found.start() - _DICTIONARY), found.start()):
                continue
            packed, rest = zlib.decompressobj(), data[found.end() : found.end() + 64 * _PIECE]
            try:
                while rest and not packed.eof:
                    unpacked += len(packed.decompress(rest, _PIECE))
                    rest = packed.unconsumed_tail
                    PDF_OBJECTS.hold(source, unpacked)
            except zlib.error:  # packed otherwise, or damaged
                continue
