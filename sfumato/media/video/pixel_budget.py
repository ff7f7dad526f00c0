"""How many pixels a video may unpack to. In: its path, then the pixels of each frame and their bits. Out: nothing, or
MediaError.

A frame that repeats the last one takes twenty bytes and as long to decode as any other: a file of a megabyte could keep
a machine busy for a day.
"""

from __future__ import annotations

from pathlib import Path

from sfumato.errors import MediaError
from sfumato.limits import PIXELS_A_BYTE, PIXELS_ANYWAY, shown

_USUAL = 12  # bits of a pixel: brightness, and a quarter of two colours


class PixelBudget:
    """Of one video, read once from its first frame on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._left = PIXELS_ANYWAY.most + PIXELS_A_BYTE.most * path.stat().st_size

    def spend(self, pixels: int, bits: int) -> None:
        """Takes the pixels of a frame off, each of so many bits: those of a GIF have 32, and take as much longer to
        decode than the 12 of most videos. Raises MediaError when more has been decoded than a file of this size holds.
        """
        self._left -= pixels * max(bits, _USUAL) // _USUAL
        if self._left < 0:
            raise MediaError(
                f"{self._path} unpacks to more than {shown(PIXELS_ANYWAY.most, 'pixels')} and "
                f"{PIXELS_A_BYTE.most} {PIXELS_A_BYTE.of}",
                "Cut out the part that matters; a picture that stands still may be a still picture.",
            )
