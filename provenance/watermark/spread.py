"""The mark of this project: spread spectrum on a fixed grid, for whole videos. See embed, detect, pattern, code and
geometry.
"""

from __future__ import annotations

from provenance.watermark.detect import SpreadReader
from provenance.watermark.embed import SpreadMarker


class SpreadWatermark:
    """`key`: who knows it can read, forge and remove the mark; the default is public, for a mark that anybody shall
    find.
    """

    alg = "org.sfumato.watermark.1"

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key

    def marker(self, payload: bytes) -> SpreadMarker:
        """Raises ValueError for a payload of another length than 8 bytes."""
        return SpreadMarker(payload, self._key)

    def reader(self) -> SpreadReader:
        return SpreadReader(self._key)
