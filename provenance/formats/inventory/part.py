"""One part of a file as it is compared before and after signing: its name, and a digest of what it holds.

In: an open file and stretches of it. Out: `Part`s. Long media are not read whole: evenly spread samples of them are,
which finds what was moved, cut or mixed up, the faults of a writer of containers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO

from provenance.formats.stores.span import PIECE, Span, merged, without

SAMPLES = 64
SAMPLE = 4096  # bytes


@dataclass(frozen=True)
class Part:
    """`name`: what a person calls it. `digest`: SHA-256 in hex."""

    name: str
    digest: str


def part(name: str, file: IO[bytes], spans: Iterable[Span], holes: Iterable[Span] = ()) -> Part:
    """The bytes of `spans` without those of `holes`, and whatever else tells this part from another."""
    digest = hashlib.sha256()
    for start, end in without(merged(spans), holes):
        file.seek(start)
        while start < end:
            data = file.read(min(PIECE, end - start))
            if not data:
                raise ValueError("it ends too early")
            digest.update(data)
            start += len(data)
    return Part(name, digest.hexdigest())


def value(name: str, *content: object) -> Part:
    """A part that is no stretch of the file."""
    return Part(name, hashlib.sha256(repr(content).encode("utf-8", "surrogatepass")).hexdigest())


def sampled(name: str, file: IO[bytes], start: int, end: int) -> Part:
    """A long stretch by its length and by samples, the first and the last bytes among them."""
    length, digest = end - start, hashlib.sha256()
    last = max(0, length - SAMPLE)
    for number in range(SAMPLES):
        file.seek(start + last * number // (SAMPLES - 1))
        digest.update(file.read(min(SAMPLE, length)))
        if not last:
            break
    return value(name, length, digest.hexdigest())
