"""What a hard binding says that it leaves out, where the media that it binds are not at hand: those of an ingredient.

In: the assertion, and the size of the manifest store around it. Out: `Uncovered` parts that cannot be the manifest or
the free space that a writer may leave out (C2PA specification 2.4, sections 18.5 to 18.8). Whether a range that could
be the manifest was the manifest, only the media would tell; provenance.formats.coverage looks at those.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from provenance.formats.coverage import BINDING, STORE_NAMES
from provenance.formats.stores.span import merged
from provenance.formats.uncovered import Uncovered

LOOSE_BOXES = ("/ftyp", "/mfra", "/free", "/skip")
ENTRY = 64  # bytes: a second range may be the entry of the manifest in a directory, as in TIFF
OVERHEAD = 65536  # bytes of headers and padding around a store, which is text of twice its size at most


def stated_uncovered(binding: str, assertion: Mapping[str, Any], store: int) -> tuple[Uncovered, ...]:
    """Essential parts that `binding` leaves out. `store`: bytes of the manifest store."""
    form = BINDING.fullmatch(binding)
    if form is None:
        return (Uncovered("the whole file", 0, f"a hard binding that is not understood: {binding[:100]}", True),)
    try:
        if form[1] == "bmff":
            found = list(_boxes(int(form[2] or 1), assertion))
        elif form[1] == "data":
            found = list(_ranges(assertion, store))
        elif form[1] == "boxes":
            found = list(_named_parts(assertion))
        else:
            found = [] if assertion.get("zip_central_directory_hash") else [_part("the directory of the archive")]
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        return (_part("the whole file", f"what is left out cannot be told: {error}"[:300]),)
    return tuple(found[:50])


def _part(place: str, remark: str = "", size: int = 0) -> Uncovered:
    return Uncovered(place, size, remark, True)


def _ranges(assertion: Mapping[str, Any], store: int) -> Iterator[Uncovered]:
    ranges = [
        (int(each["start"]), int(each["start"]) + int(each["length"])) for each in assertion.get("exclusions") or []
    ]
    longest, *others = sorted(merged(ranges), key=lambda span: span[0] - span[1]) or [(0, 0)]
    if longest[1] - longest[0] > 2 * store + OVERHEAD:
        yield _part(f"bytes {longest[0]} to {longest[1] - 1}", "more than the manifest", longest[1] - longest[0])
    if sum(end - start for start, end in others) > ENTRY:
        for start, end in sorted(others):
            yield _part(f"bytes {start} to {end - 1}", "besides the manifest", end - start)


def _boxes(version: int, assertion: Mapping[str, Any]) -> Iterator[Uncovered]:
    if version < 2:
        yield _part("/", "the first form of this hash does not hold where boxes are")
    if not assertion.get("hash"):
        yield _part("/", "no hash of what lies outside the pieces")
    for entry in assertion.get("exclusions") or []:
        path = str(entry["xpath"])
        own = path == "/uuid" and entry.get("data")
        in_pieces = path == "/mdat" and assertion.get("merkle")
        if not (path in LOOSE_BOXES or own or in_pieces):
            yield _part(path[:200], "neither the manifest nor free space")


def _named_parts(assertion: Mapping[str, Any]) -> Iterator[Uncovered]:
    for entry in assertion["boxes"]:
        names = [str(name) for name in entry["names"]]
        if entry.get("exclusions") or (entry.get("excluded") and names != STORE_NAMES):
            yield _part(f"parts {', '.join(names)[:200]}", "left out")
