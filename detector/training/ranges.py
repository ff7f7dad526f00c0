"""What files a calibration saw: beyond, its thresholds say nothing.

In: the measured quantities of the reals that thresholds were set on, and of the copies that the quality norm learnt
from. Out: a `Coverage`. Each range reaches from the hundredth to the ninety-ninth part of the files, so that no odd one
stretches it, and further by a margin: a third of its width, more of few files, whose ends lie within what the next ones
have, and never less than a fifth of a logarithm. Drawn, with ten normal quantities: the next file leaves one of the
ranges of 9 files with a chance of 3 %, of those of 50 with one of 0.05 %; with long tails (t, 5 degrees) 9 and 2 %.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from detector.inference.quality_norm import QUALITIES, quantities
from detector.inference.thresholds import Coverage, codec_family
from detector.training.evidence import ClipEvidence, Floats

_ENDS = (0.01, 0.99)
_MARGIN, _MARGIN_OF_FEW = 0.35, 2.0  # of the width; the second is divided by the root of the number of files
_LEAST = 0.2  # of the logarithms that all quantities are


def coverage_of(
    seen: Sequence[Mapping[str, float]], largest_face: float | None = None, codecs: Iterable[str] = ()
) -> Coverage | None:
    """seen: {quantity: value} of each file. largest_face: px, from which on all are alike: a range that comes near it
    is open. codecs: of the videos, as FFmpeg names them. None without files.
    """
    if not seen:
        return None
    ranges: dict[str, tuple[float | None, float | None]] = {}
    for name in seen[0]:
        values = np.array([each[name] for each in seen])
        low, high = _range(np.log(values) if name == "face" else values)
        ranges[name] = (low, high)
        if name == "face":
            top = math.exp(high)
            ranges[name] = (math.exp(low), None if largest_face is not None and top >= largest_face else top)
    return Coverage(ranges, tuple(sorted({codec_family(codec) for codec in codecs})), len(seen))


def coverage_of_clips(clips: Iterable[ClipEvidence], side: int) -> Coverage | None:
    """The same of clips that were judged in crops of `side` px; their codecs are not known any more."""
    seen = [quantities(clip.quality, side) for clip in clips if clip.quality is not None]
    return coverage_of(seen, largest_face(side))


def largest_face(side: int) -> float:
    """px, from which on a face in a crop of `side` px is not enlarged."""
    return quantities(np.zeros(len(QUALITIES)), side)["face"]


def _range(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, _ENDS)
    margin = max(_LEAST, (_MARGIN + _MARGIN_OF_FEW / math.sqrt(len(values))) * (high - low))
    return float(low - margin), float(high + margin)
