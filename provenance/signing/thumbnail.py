"""A small picture of a file for its manifest: a path in, JPEG bytes out.

It is made of what the file shows, of a video's first frame, watermark included, upright and without any metadata. None
is made unless somebody asks: it stays in the credential when the file is later edited, and shows what was cut away or
blurred. Of ingredients none is ever made: they are stated by their digests.
"""

from __future__ import annotations

import io
from pathlib import Path

from sfumato.errors import MediaError, SealError
from sfumato.execution.file_kinds import file_kind

LONGEST_SIDE = 256  # px
QUALITY = 80  # of the JPEG: some 10 kB
_READ_PIXELS = 2048 * 2048  # of a large photo, before it is made small


def has_picture(path: Path) -> bool:
    """False for sound, drawings (SVG) and what is not known: they are signed without a thumbnail."""
    return file_kind(path) is not None


def make_thumbnail(path: Path) -> bytes:
    """Empty where `has_picture` is false. Raises SealError for a file whose picture cannot be read."""
    from PIL import Image

    found = file_kind(path)
    if found is None:
        return b""
    try:
        if found.kind == "video":
            from sfumato.media.video.reader import VideoReader

            with VideoReader(path, max_side=LONGEST_SIDE) as video:
                image = next(iter(video)).image
        else:
            from sfumato.media.images import read_image

            image = read_image(path, max_pixels=_READ_PIXELS)
    except MediaError as error:
        advice = f"{error.advice} Or sign it without --allow-thumbnail."
        raise SealError(f"No thumbnail can be made: {error.message}", advice) from error
    small = Image.fromarray(image)
    small.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    encoded = io.BytesIO()
    small.save(encoded, "JPEG", quality=QUALITY)
    return encoded.getvalue()
