"""What a picture takes to be decoded, from its header. In: a picture that Pillow has opened and not loaded. Out:
nothing, or MediaError.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sfumato.limits import PICTURE_MEMORY, PICTURE_PIXELS

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

_ADVICE = "Downsize it first, or export it as a plain JPEG."
_BYTES = {"L": 1, "I;16": 3, "I;16B": 3, "1": 5, "P": 5, "PA": 8, "I": 5, "F": 5}  # of a pixel as Pillow holds it, and
# beside it before it is downsized: 8 bits of 16, colours of a palette; else 4
_DECODERS = {"WEBP": 12, "AVIF": 8, "JPEG2000": 12, "TIFF": 1}  # bytes of a pixel beside it, within the library
_COEFFICIENTS = 2  # bytes of each, of a progressive JPEG: all are kept until the last scan


def hold_picture(path: Path, picture: PillowImage) -> None:
    """Raises MediaError for more pixels, or more bytes to decode them, than the limits allow."""
    pixels = picture.width * picture.height
    PICTURE_PIXELS.hold(f"{path} ({picture.width} x {picture.height})", pixels, advice=_ADVICE)
    each = _BYTES.get(picture.mode, 4) + _DECODERS.get(picture.format or "", 0)
    if picture.info.get("progressive"):
        each += _COEFFICIENTS * len(picture.getbands())
    PICTURE_MEMORY.hold(f"{path} ({picture.width} x {picture.height})", pixels * each, advice=_ADVICE)
