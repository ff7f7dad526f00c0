"""Where the detector looked, as a picture: each explained frame beside its two heat maps, with time and logits under
them.

In: an `Explanation`. Out: a strip of pictures, or a PNG sheet. Brighter is more; the colours (inferno) get lighter
steadily, so that they read in grey and with any colour vision. One scale for all maps of a sheet, and never finer than
`FAINT`: noise stays dark.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.inference.explain import EVIDENCE, ExplainedFrame, Explanation
from sfumato.app.review.contact_sheet import FAINT as GREY
from sfumato.app.review.contact_sheet import INK, PAPER, save_sheet, write_line

Image = NDArray[np.uint8]
HeatRow = tuple[ExplainedFrame, list[Image]]  # a frame; its crop and its two heat maps
FAINT = (
    4.0  # calibrated logits that a place adds, times the places: what is less than this is never the brightest colour
)
_GAP, _HEAD, _LABEL, _FOOT = 10, 34, 40, 30  # px


def heat_pictures(explanation: Explanation) -> list[HeatRow]:
    """Each frame with three pictures (S, S, 3) uint8 RGB: the crop, and the heat map of each head over it in grey."""
    maps = [frame.kind_maps() for frame in explanation.frames]
    most = max(FAINT, *(float(m.max()) for m in maps))
    return [
        (frame, [frame.crop, *(_overlaid(frame.crop, head / most) for head in heads)])
        for frame, heads in zip(explanation.frames, maps, strict=True)
    ]


def write_heat_sheet(
    path: Path, explanation: Explanation, title: str, words: str, generated: bool, side: int = 224
) -> None:
    """A row a frame. `title` and `words` must be printable; `generated`: mark the picture so, for frames that are
    declared to be.

    Raises OutputError.
    """
    from PIL import Image as Pillow
    from PIL import ImageDraw

    rows = heat_pictures(explanation)
    width = _GAP + 3 * (side + _GAP)
    lines = _wrapped(words, width // 7)
    head = _HEAD + 18 * len(lines)
    sheet = Pillow.new("RGB", (width, head + len(rows) * (side + _LABEL) + _FOOT), PAPER)
    draw = ImageDraw.Draw(sheet)
    write_line(draw, (_GAP, 8), title if len(title) <= 80 else f"{title[:79]}…", 15, INK)
    for number, line in enumerate(lines):
        write_line(draw, (_GAP, _HEAD - 4 + 18 * number), line, 13, INK)
    for row, (frame, pictures) in enumerate(rows):
        top = head + row * (side + _LABEL)
        for column, (picture, label) in enumerate(zip(pictures, labels(frame), strict=True)):
            left = _GAP + column * (side + _GAP)
            sheet.paste(Pillow.fromarray(picture).resize((side, side), Pillow.Resampling.LANCZOS), (left, top))
            write_line(draw, (left, top + side + 5), label, 12, INK)
    note = "Brighter: more evidence there. A map is coarse, and shows where the net looks, not what was done."
    write_line(draw, (_GAP, sheet.height - _FOOT + 8), note, 12, GREY)
    save_sheet(path, sheet, generated)


def labels(frame: ExplainedFrame) -> list[str]:
    """What stands under the three pictures of a frame."""
    return [
        f"at {frame.time:.2f} s",
        *(f"{EVIDENCE[name]} {value:+.1f}" for name, value in frame.told().items()),
    ]


def sheet_name(path: Path, digest: str | None) -> str:
    """A file name of plain letters for the sheet of `path`; the digest keeps apart what has the same name."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", path.name).strip("._-")[:60] or "file"
    return f"{stem}-{(digest or 'unknown')[:10]}.png"


def _overlaid(crop: Image, heat: NDArray[np.float64]) -> Image:
    """heat: (S, S) in [0, 1]. The crop in dim grey, where there is heat in its colour."""
    grey = np.repeat(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2).astype(np.float32) * 0.75
    level = np.clip(
        cv2.GaussianBlur(heat, (0, 0), len(crop) / 24), 0, 1
    )  # the map has few places: without it their grid shows
    colours = cv2.applyColorMap(np.rint(255 * level).astype(np.uint8), cv2.COLORMAP_INFERNO)[:, :, ::-1]
    share = np.sqrt(level)[:, :, None] * 0.75
    return np.clip(np.rint(grey * (1 - share) + colours * share), 0, 255).astype(np.uint8)


def _wrapped(text: str, width: int) -> Sequence[str]:
    import textwrap

    return textwrap.wrap(text, width)
