"""What `bench others` writes: a method of fakes by others, reals of one origin, bars."""

from __future__ import annotations

from benchmarks.rows.comparison import BarRow, Compared, Judged
from benchmarks.rows.row import Reader, reader


class MethodRow(Compared, kind="method"):
    """Fakes of one method against reals that were handled alike. detector: "given", or "left out": of detectors that
    did not learn from this method, people held out. metadata, softness: the AUC that no forgery is needed for, of a
    tree on what the files declare and of "the softer, the more fake"; `refused` says why one is None.
    """

    detector: str
    method: str
    family: str
    learnt: bool  # whether the detector learnt from the method
    against: str  # which reals
    detectors: int  # how many judged it, each its own people
    metadata: float | None = None
    softness: float | None = None


class GroupRow(Judged, kind="group"):
    """Reals of one origin: how many each threshold flags, the mean over the detectors that judged them."""

    detector: str
    group: str
    medium: str  # picture or video
    detectors: int


OthersRow = MethodRow | GroupRow | BarRow
read_others_row: Reader[OthersRow] = reader("others", MethodRow, GroupRow, BarRow)
