"""What `bench quick` writes: a full and a quick scan of the same videos, the bars."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.rows.comparison import BarRow, Rate
from benchmarks.rows.row import Estimate, Reader, Row, reader


class QuickRates(Row):
    """At one threshold, the shares that are flagged by a full and by a quick scan, and their difference (quick less
    full); differ: of how many videos the two say different things.
    """

    full: Rate
    quick: Rate
    change: Estimate
    differ: Rate


class QuickRow(Row, kind="quick"):
    """Videos of one kind. decided: the share that ended with the keyframes; rates: by the false-positive rate of the
    threshold; full_seconds, keyframe_seconds: of the processor, the mean of a video; gain: full seconds over those of
    the quick scan, which are the keyframes' and, where these left it open, also the full ones.
    """

    family: str
    n: int
    decided: Rate
    rates: Mapping[str, QuickRates]
    full_seconds: float
    keyframe_seconds: float
    gain: Estimate


BenchQuickRow = QuickRow | BarRow
read_quick_row: Reader[BenchQuickRow] = reader("quick", QuickRow, BarRow)
