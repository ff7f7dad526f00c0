"""How much an address may cost: bytes, seconds, redirects. In: a `FetchLimits`. Out: what is left of its seconds."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sfumato.limits import MEGABYTE


@dataclass(frozen=True)
class FetchLimits:
    """size: bytes of one file, at least 1; seconds: for one file as a whole, from looking up its name to its last byte,
    above 0; redirects: how many may be followed, at least 0; hosts: the only ones that are talked to, in lower case,
    by http and https, None for any. Raises ValueError for others.
    """

    size: int = 512 * MEGABYTE  # ten minutes of 1080p as phones record it
    seconds: float = 300.0
    redirects: int = 5
    hosts: frozenset[str] | None = None

    def __post_init__(self) -> None:
        if self.size < 1 or not 0 < self.seconds < float("inf") or self.redirects < 0:
            raise ValueError(f"not limits: {self}")


class Clock:
    """Runs from when it is made."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds, above 0. Raises TimeoutError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("it takes too long")
        return left
