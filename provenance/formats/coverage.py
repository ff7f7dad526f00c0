"""What a signature leaves out of this very file: the parts that its hard binding does not hash, found where they are.

In: the hard-binding assertion of a manifest and the open file. Out: `Uncovered` parts, each with its place, size and
weight. Follows the C2PA specification 2.4, section 9.2: c2pa.hash.bmff excludes ISO boxes by path, c2pa.hash.data byte
ranges, c2pa.hash.boxes boxes by name. A media box may be left out of the one hash and be hashed in pieces instead (a
Merkle tree). The box or segment that holds the manifest is left out by design, and held by the signature itself; it is
not listed.
`essential`: a player shows something else when this part is changed.
"""

from __future__ import annotations

import base64
import io
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

from provenance.formats.boxes import Box, walk
from provenance.formats.manifest_box import holds_manifest

MOST_BOXES = 20_000
MOST_PARTS = 50
CONTAINERS = {
    b"moov",
    b"trak",
    b"mdia",
    b"minf",
    b"stbl",
    b"moof",
    b"traf",
    b"mfra",
    b"edts",
    b"dinf",
    b"udta",
    b"mvex",
    b"meta",
}
ESSENTIAL = (b"moov", b"mdat", b"moof", b"idat", b"meta", b"iloc", b"iprp", b"stco", b"co64")
REMARKS = {
    b"ftyp": "the kind of container",
    b"free": "unused space",
    b"skip": "unused space",
    b"mfra": "an index for jumping",
    b"stco": "where the frames are in the file",
    b"co64": "where the frames are in the file",
    b"mdat": "the pictures and the sound",
}


@dataclass(frozen=True)
class Uncovered:
    """A part that may change without the signature noticing. `place`: a box path or a byte range; `size` in bytes."""

    place: str
    size: int
    remark: str
    essential: bool = False


def uncovered(binding: str, assertion: Mapping[str, Any], file: IO[bytes]) -> tuple[Uncovered, ...]:
    """Parts of `file` that the assertion `binding` leaves out. Shapes that make no sense give nothing: the library
    judges those.
    """
    try:
        if binding.startswith("c2pa.hash.bmff"):
            found = list(_boxes_left_out(assertion, file))
        elif binding.startswith("c2pa.hash.data"):
            found = list(_ranges_left_out(assertion, file))
        elif binding.startswith("c2pa.hash.boxes"):
            found = list(_named_boxes_left_out(assertion))
        else:
            return ()
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        return ()
    return tuple(found[:MOST_PARTS])


def _boxes_left_out(assertion: Mapping[str, Any], file: IO[bytes]) -> Iterator[Uncovered]:
    """Exclusions of c2pa.hash.bmff: a box path, perhaps with bytes that must be there, and perhaps only some bytes of
    the box.
    """
    exclusions = [entry for entry in assertion.get("exclusions") or [] if isinstance(entry, dict)]
    trees = [tree for tree in assertion.get("merkle") or [] if isinstance(tree, dict)]
    trees.sort(key=lambda tree: int(tree.get("localId") or 0))
    for box in itertools.islice(walk(file, CONTAINERS), MOST_BOXES):
        if box.path == (b"mdat",) and trees and _tree_holds(trees.pop(0), box.size - box.header):
            continue
        path = "/" + "/".join(name.decode("latin-1") for name in box.path)
        for entry in exclusions:
            if entry.get("xpath") != path or not _data_fits(entry, box, file) or holds_manifest(box, file):
                continue
            size = _subset(entry.get("subset"), box.size)
            if size:
                yield Uncovered(
                    path,
                    size,
                    REMARKS.get(box.kind, ""),
                    bool(set(box.path) & set(ESSENTIAL)) and box.kind not in (b"free", b"skip"),
                )
                break


def _tree_holds(tree: Mapping[str, Any], size: int) -> bool:
    """A media box that is hashed in pieces: are there enough pieces for all of it? The library checks each piece."""
    if tree.get("fixedBlockSize"):
        return (
            int(tree["count"]) * int(tree["fixedBlockSize"]) >= size - 8
        )  # the first 8 bytes of the content are hashed apart
    if tree.get("variableBlockSizes"):
        return sum(int(piece) for piece in tree["variableBlockSizes"]) >= size - 8
    return int(tree.get("count") or 0) > 0


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


def _subset(subset: Any, size: int) -> int:
    """Bytes of a box that are left out: all, or only the ranges named; length 0 means up to the end."""
    if not subset:
        return size
    left_out = 0
    for part in subset:
        start, length = int(part["offset"]), int(part["length"])
        left_out += max(0, min(size - start, length or size))
    return left_out


def _ranges_left_out(assertion: Mapping[str, Any], file: IO[bytes]) -> Iterator[Uncovered]:
    """Exclusions of c2pa.hash.data: byte ranges. One of them holds the manifest; what else lies in it is reported."""
    end = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(12)
    for entry in assertion.get("exclusions") or []:
        start, length = int(entry["start"]), int(entry["length"])
        length = min(length, end - start)
        if length <= 0:
            continue
        manifest = sum(_manifest_segments(head, start, length, file))
        if manifest < length:
            remark = f"of which {manifest} hold the manifest" if manifest else "not the manifest"
            yield Uncovered(
                f"bytes {start} to {start + length - 1}",
                length - manifest,
                remark,
                _may_be_media(head, start, length, file),
            )


def _manifest_segments(head: bytes, start: int, length: int, file: IO[bytes]) -> Iterator[int]:
    """Sizes of the segments or chunks in a range, one after the other, that are of the kind that holds a manifest."""
    position, end = start, start + length
    while position + 8 <= end:
        file.seek(position)
        first = file.read(8)
        if head.startswith(b"\xff\xd8"):
            size, holds = int.from_bytes(first[2:4], "big") + 2, first[:2] == b"\xff\xeb"  # APP11
        elif head.startswith(b"\x89PNG"):
            size, holds = int.from_bytes(first[:4], "big") + 12, first[4:] == b"caBX"
        elif head.startswith(b"RIFF"):
            size = int.from_bytes(first[4:], "little")
            size, holds = size + 8 + size % 2, first[:4] == b"C2PA"
        else:
            return
        if not holds or position + size > end:
            return
        yield size
        position += size


def _may_be_media(head: bytes, start: int, length: int, file: IO[bytes]) -> bool:
    """A range that begins with a segment or chunk of picture data: a scan, a table, pixels."""
    file.seek(start)
    first = file.read(8)
    if head.startswith(b"\xff\xd8"):
        return not (
            first[:1] == b"\xff" and (0xE0 <= first[1] <= 0xEF or first[1] == 0xFE)
        )  # application data and comments are not media
    if head.startswith(b"\x89PNG"):
        return first[4:] in (b"IHDR", b"PLTE", b"IDAT", b"fdAT", b"tRNS")
    return head.startswith(b"RIFF") and first[:4] in (b"VP8 ", b"VP8L", b"VP8X", b"ANMF", b"ALPH", b"LIST", b"movi")


def _named_boxes_left_out(assertion: Mapping[str, Any]) -> Iterator[Uncovered]:
    for entry in assertion.get("boxes") or []:
        if not entry.get("excluded"):
            continue
        names = [str(name) for name in entry.get("names") or []]
        if names and names != ["C2PA"]:
            yield Uncovered(f"boxes {', '.join(names)[:200]}", 0, "left out by name", True)
