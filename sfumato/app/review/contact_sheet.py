"""A contact sheet: a row a clip, the source picture first, then frames evenly spaced in time. In: pictures and videos.
Out: one PNG.

Generated frames stay marked when they leave as a picture: the sheet says so where people read it and where programs do
(see sfumato.app.review.marked).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sfumato.app.review.marked import save_marked
from sfumato.atomic import atomic_path
from sfumato.media.video import VideoReader

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

PAPER, INK, FAINT = (246, 242, 234), (43, 36, 30), (126, 114, 100)
_GAP, _LABEL, _FOOT = 8, 26, 34  # px


def write_contact_sheet(
    path: Path, clips: Sequence[tuple[str, NDArray[np.uint8], Path]], note: str, frames: int = 8, side: int = 144
) -> None:
    """`clips`: label, source picture (H, W, 3) uint8 RGB, video; `note` stands at the foot. Raises MediaError,
    OutputError.
    """
    from PIL import Image, ImageDraw

    width = _GAP + (frames + 1) * (side + _GAP) + _GAP
    height = _GAP + len(clips) * (_LABEL + side + _GAP) + _FOOT
    sheet = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    for row, (label, source, video) in enumerate(clips):
        top = _GAP + row * (_LABEL + side + _GAP)
        write_line(draw, (_GAP, top + 4), label, 15, INK)
        sheet.paste(_square(source, side), (_GAP, top + _LABEL))
        for column, image in enumerate(spread(video, frames)):
            left = 2 * _GAP + (column + 1) * (side + _GAP)
            sheet.paste(_square(image, side), (left, top + _LABEL))
    write_line(draw, (_GAP, height - _FOOT + 8), note, 13, FAINT)
    save_sheet(path, sheet)


def save_sheet(path: Path, sheet: PillowImage, generated: bool = True) -> None:
    """Writes a PNG, marked and signed where generated pictures are in it. Raises SealError, OutputError."""
    if generated:
        save_marked(path, sheet, path.name)
        return
    with atomic_path(path) as temporary:
        sheet.save(temporary, format="PNG")


def spread(video: Path, count: int) -> list[NDArray[np.uint8]]:
    """At most `count` frames, (H, W, 3) uint8 RGB, evenly spaced over the clip; reads it twice rather than hold it."""
    with VideoReader(video) as reader:
        total = sum(1 for _ in reader)
    wanted = set(np.linspace(0, total - 1, min(count, total)).round().astype(int).tolist())
    with VideoReader(video) as reader:
        return [frame.image for frame in reader if frame.index in wanted]


def _square(image: NDArray[np.uint8], side: int) -> PillowImage:
    from PIL import Image, ImageOps

    return ImageOps.fit(Image.fromarray(image), (side, side), Image.Resampling.LANCZOS)


def write_line(draw: object, place: tuple[int, int], text: str, size: int, colour: tuple[int, int, int]) -> None:
    """Text at `place`, in the one font that is always there; it knows Latin-1."""
    from PIL import ImageDraw, ImageFont

    assert isinstance(draw, ImageDraw.ImageDraw)  # noqa: S101
    draw.text(
        place, text.encode("latin-1", "replace").decode("latin-1"), fill=colour, font=ImageFont.load_default(size)
    )
