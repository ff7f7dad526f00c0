"""A run in pieces: what one call may take of it. In: minutes. Out: whether they are over."""

from __future__ import annotations

import time

from sfumato.training.distributed import Ranks


class Piece:
    """Minutes of the clock from when this was made, with all that a run does beside its steps: decoding, validating,
    saving. None: no limit. The budget of the run itself, in minutes or steps, is counted apart and over all pieces.
    """

    def __init__(self, minutes: float | None = None) -> None:
        self._ends = None if minutes is None else time.monotonic() + 60 * minutes

    def over(self, ranks: Ranks) -> bool:
        """Asked after the same step by all ranks, which then stop together."""
        if self._ends is None:
            return False
        return ranks.mean({"over": float(time.monotonic() >= self._ends)})["over"] > 0
