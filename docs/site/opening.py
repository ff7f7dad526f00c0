"""The picture that README.md opens with: frames that the program made of the shipped paintings.

    sfumato animate mona-lisa la-velata lady-agnew -m serene -m cheerful -m eloquent --each -o opening
    python docs/site/opening.py opening

In: a folder with a video of each painting in each motion. Out: docs/pictures/opening.jpg, a row a painting. It is
signed, as whatever leaves the program with generated faces in it: `sfumato verify docs/pictures/opening.jpg`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from sfumato.app.animation.gallery import shipped_portraits
from sfumato.app.review.contact_sheet import FAINT, PAPER, spread, write_line
from sfumato.app.review.marked import marked_jpeg
from sfumato.atomic import atomic_path

OUTPUT = Path(__file__).resolve().parents[1] / "pictures" / "opening.jpg"
_SIDE, _GAP, _FOOT = 160, 8, 30  # px
_OF = 40  # frames of a video, evenly spaced, among which those that are shown are counted
_SHOWN = (("serene", 0), ("serene", 15), ("cheerful", 11), ("cheerful", 15), ("eloquent", 9), ("eloquent", 24))


def write_opening(videos: Path, output: Path = OUTPUT) -> None:
    """Draws the picture from `PAINTING-MOTION.mp4` in `videos`, the paintings in the gallery's order."""
    portraits = list(shipped_portraits().values())
    width, height = _GAP + len(_SHOWN) * (_SIDE + _GAP), _GAP + len(portraits) * (_SIDE + _GAP) + _FOOT
    sheet = Image.new("RGB", (width, height), PAPER)
    for row, portrait in enumerate(portraits):
        frames = {motion: spread(videos / f"{portrait.name}-{motion}.mp4", _OF) for motion, _ in _SHOWN}
        for column, (motion, index) in enumerate(_SHOWN):
            place = _GAP + column * (_SIDE + _GAP), _GAP + row * (_SIDE + _GAP)
            sheet.paste(_small(frames[motion][index]), place)
    names = ", ".join(f"{portrait.title} ({portrait.painter})" for portrait in portraits)
    write_line(
        ImageDraw.Draw(sheet),
        (_GAP, height - _FOOT + 6),
        f"AI-generated (sfumato) of one painting each: {names}.",
        13,
        FAINT,
    )
    output.parent.mkdir(exist_ok=True)
    with atomic_path(output) as temporary:
        temporary.write_bytes(marked_jpeg(sheet, output.name, quality=88))


def _small(image: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(image).resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    write_opening(Path(sys.argv[1]))
