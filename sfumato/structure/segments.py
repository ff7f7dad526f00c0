"""Segments and scans of a JPEG (ITU-T T.81). In: an open file. Out: nothing, or MediaError.

A progressive picture is gone through once a scan, all of it: a scan of ten bytes costs as much as the picture is large.
"""

from __future__ import annotations

import mmap
import re
from typing import BinaryIO

from sfumato.limits import SCANS, SEGMENTS

_START_OF_SCAN, _END = 0xDA, 0xD9
_ALONE = frozenset([0x01, *range(0xD0, 0xD9)])  # markers without a length
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd9-\xfe]")  # in the data of a scan: neither a stuffed byte nor a restart


def hold_jpeg(file: BinaryIO, source: object) -> None:
    """Raises MediaError for too many segments, or too many scans of one picture."""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        position, segments, scans = 2, 0, 0
        while position + 4 <= len(data):
            if data[position] != 0xFF:
                found = _MARKER.search(data, position)
                if found is None:
                    return
                position = found.start()
                continue
            kind = data[position + 1]
            if kind == _END:
                return
            if kind == 0xFF:  # a filling byte
                position += 1
                continue
            segments, scans = segments + 1, scans + (kind == _START_OF_SCAN)
            SEGMENTS.hold(source, segments)
            SCANS.hold(source, scans)
            position += 2
            if kind in _ALONE:
                continue
            position += max(2, int.from_bytes(data[position : position + 2], "big"))
            if kind == _START_OF_SCAN:
                found = _MARKER.search(data, position)
                if found is None:
                    return
                position = found.start()
