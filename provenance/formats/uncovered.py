"""A part of a file that its signature does not cover: one line of the evidence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Uncovered:
    """A part that may change without the signature noticing. `place`: a box path or a byte range; `size` in bytes.

    essential: what a player shows may be another thing when this part is changed, or nobody can tell.
    """

    place: str
    size: int
    remark: str
    essential: bool = False
