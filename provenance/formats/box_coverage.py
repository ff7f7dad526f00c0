"""What c2pa.hash.bmff leaves out of an mp4 or its like (C2PA specification: BMFF-Based Hash).

In: the assertion and the open file. Out: `Uncovered` parts, each with its place, size and weight. A writer has to
leave out ftyp, mfra and the box of the manifest, and may leave out free space; no player shows those, unless the file
says that its media lie there. Every other exclusion is essential, be it of a whole box or of some bytes of it, and so
is one that is not understood. A media box may be left out of the one hash and be hashed in pieces instead (a Merkle
tree).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

from provenance.formats.boxes import FULL_BOXES, LARGE_HEADER, Box, walk
from provenance.formats.positions import media_in
from provenance.formats.stores.chunks import store_box, whole_boxes
from provenance.formats.stores.span import Span, merged, without
from provenance.formats.uncovered import Uncovered

MOST_BOXES = 20_000  # looked at for one exclusion
CONTAINERS = {
    *(b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"mfra", b"edts", b"dinf", b"udta", b"mvex"),
    b"meta",
}
LOOSE = {b"ftyp": "the kind of container", b"mfra": "an index for jumping", b"free": "unused space"}
LOOSE[b"skip"] = LOOSE[b"free"]
REMARKS = {
    **LOOSE,
    b"stco": "where the frames are in the file",
    b"co64": "where the frames are in the file",
    b"mdat": "the pictures and the sound",
}
PATH = re.compile(r"(?:/[^/\[\]@*]{4}(?:\[[1-9]\d*\])?)+")  # boxes by name; the standard has no other form of a path
INDEX = re.compile(r"\[\d+\]")  # which of several boxes: all of them are taken to be left out


def boxes_left_out(version: int, assertion: Mapping[str, Any], file: IO[bytes]) -> Iterator[Uncovered]:
    """`version`: of the assertion. Raises ValueError, TypeError, KeyError or AttributeError for a file or an assertion
    that makes no sense.
    """
    top = whole_boxes(file)
    if version < 2:
        yield Uncovered("/", 0, "the first form of this hash does not hold where boxes are", True)
    if not assertion.get("hash"):
        yield Uncovered("/", 0, "no hash of what lies outside the pieces", True)
    stores = store_box(top, file)
    loose = list(stores)
    held = dict(_held_in_pieces(assertion, top))
    for entry in assertion.get("exclusions") or []:
        path = entry["xpath"]
        if not PATH.fullmatch(path):
            yield Uncovered(f"exclusion {path[:200]}", 0, "a path that is not understood", True)
            continue
        names = tuple(name.encode("latin-1", "replace") for name in INDEX.sub("", path)[1:].split("/"))
        found, hidden = _find(file, top, names)
        if hidden:
            yield Uncovered(path, 0, "in a box that is not looked into", True)
        for box in found:
            if not _data_fits(entry, box, file):
                continue
            taken = [*stores, *held.get(box.start, ())] if len(names) == 1 else []
            size = sum(end - start for start, end in without(_subset(entry.get("subset"), box), taken))
            if size:
                yield Uncovered(path, size, REMARKS.get(box.kind, ""), names[0] not in LOOSE)
                loose.append((box.start, box.end))
    if media_in(file, top, loose):
        yield Uncovered("/", 0, "pictures or sound that lie in what is left out", True)


def _find(file: IO[bytes], top: Sequence[Box], names: Sequence[bytes]) -> tuple[list[Box], bool]:
    """The boxes with this path, and whether there may be more, in boxes that cannot be followed."""
    level, hidden, looked_at = [box for box in top if box.kind == names[0]], False, 0
    for depth, name in enumerate(names[1:], start=1):
        below = []
        for box in level:
            if box.kind not in CONTAINERS:
                hidden = True
                continue
            position = box.body + (4 if box.kind in FULL_BOXES else 0)
            for child in walk(file, start=position, end=box.end):
                looked_at += 1
                if looked_at > MOST_BOXES:
                    return level, True
                position = child.end
                if child.kind == name:
                    below.append(Box((*names[:depth], name), child.start, child.size, child.header))
            hidden |= position != box.end
        level = below
    return level, hidden


def _held_in_pieces(assertion: Mapping[str, Any], top: Sequence[Box]) -> Iterator[tuple[int, list[Span]]]:
    """The media boxes that are hashed in pieces, by their place, and what of them: all that lies 16 bytes behind their
    beginning, if there are enough pieces for it. The library checks each piece.
    """
    trees = sorted(assertion.get("merkle") or [], key=lambda tree: int(tree["localId"]))
    if [int(tree["localId"]) for tree in trees] != list(range(len(trees))):
        raise ValueError("its trees of pieces are not numbered")
    for tree, box in zip(trees, (box for box in top if box.kind == b"mdat"), strict=False):
        if tree.get("fixedBlockSize"):
            size = int(tree["count"]) * int(tree["fixedBlockSize"])
        else:
            size = sum(int(piece) for piece in tree.get("variableBlockSizes") or [])
        if size >= box.size - LARGE_HEADER:
            yield box.start, [(box.start + LARGE_HEADER, box.end)]


def _data_fits(entry: Mapping[str, Any], box: Box, file: IO[bytes]) -> bool:
    for wanted in entry.get("data") or []:
        value = _bytes(wanted["value"])
        file.seek(box.start + int(wanted["offset"]))
        if file.read(len(value)) != value:
            return False
    return True


def _bytes(value: Any) -> bytes:
    """The library writes bytes as a list of numbers, or as text: b64'...'."""
    return base64.b64decode(value.removeprefix("b64").strip("'")) if isinstance(value, str) else bytes(value)


def _subset(subset: Any, box: Box) -> list[Span]:
    """What of a box is left out: all, or only ranges of it, counted from its start; length 0 means up to its end."""
    if not subset:
        return [(box.start, box.end)]
    spans = []
    for part in subset:
        start, length = box.start + int(part["offset"]), int(part["length"])
        spans.append((start, min(box.end, start + length) if length else box.end))
    return merged(spans)
