"""A contact sheet of fakes: a row a method, the real twin beside its fake, for a person to look at before anything
learns from them.

In: rows of fakes and twins. Out: one PNG that says in words, in XMP and in a signed manifest that generated pictures
are in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sfumato.app.review.contact_sheet import INK, PAPER, save_sheet, spread, write_line
from sfumato.media.clips import ClipRow, clip_file

_GAP, _LABEL = 6, 22  # px


def write_sheet(path: Path, clips: Path, rows: Sequence[ClipRow], examples: int = 6, side: int = 176) -> None:
    """At most `examples` pairs of each method, evenly spaced over the rows; the middle frame of each. Raises
    MediaError, OutputError.
    """
    from PIL import Image, ImageDraw, ImageOps

    by_path = {row.path: row for row in rows}
    methods: dict[str, list[tuple[ClipRow, ClipRow]]] = defaultdict(list)
    for row in rows:
        if row.label == "fake" and row.pair_of in by_path:
            methods[row.method].append((by_path[row.pair_of], row))
    columns = max(1, *(min(examples, len(found)) for found in methods.values())) if methods else 1
    wide, high = 2 * side + 2 * _GAP, side + _LABEL + _GAP
    sheet = Image.new("RGB", (_GAP + columns * wide, max(1, len(methods)) * high + _GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, (method, found) in enumerate(sorted(methods.items())):
        write_line(draw, (_GAP, number * high + 4), f"{method}: real twin, fake (synthetic)", 13, INK)
        shown = np.linspace(0, len(found) - 1, min(examples, len(found))).round().astype(int)
        for column, index in enumerate(shown):
            for offset, row in enumerate(found[index]):
                whole = Image.fromarray(middle_frame(clip_file(clips, row)))
                picture = ImageOps.pad(whole, (side, side), Image.Resampling.LANCZOS, PAPER)
                sheet.paste(picture, (_GAP + column * wide + offset * side, number * high + _LABEL))
    save_sheet(path, sheet)


def middle_frame(video: Path) -> NDArray[np.uint8]:
    """(H, W, 3). Raises MediaError."""
    return spread(video, 3)[1]
