"""What a signature leaves out of this very file: the parts that its hard binding does not hash, found where they are.

In: the hard-binding assertion of a manifest and the open file. Out: `Uncovered` parts, each with its place, size and
weight. Follows the C2PA specification (Data Hash, BMFF-Based Hash, General Box Hash, Collection Data Hash):
c2pa.hash.data excludes byte ranges, c2pa.hash.bmff ISO boxes by path, c2pa.hash.boxes parts of a picture by name, and
c2pa.hash.collection.data names files of an archive. What holds the manifest is left out by design, and held by the
signature itself; it is not listed, exactly as far as the structure of the file says that it reaches. All else that is
left out is essential: nobody can tell what is shown when it is changed. That goes for metadata too, which the
specification lets a writer leave out: they turn pictures, colour them and lead to other ones. A structure that cannot
be followed, and an assertion that is not understood, excuse nothing.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import IO, Any

from provenance.formats.box_coverage import boxes_left_out
from provenance.formats.stores.find import segmented, store_spans
from provenance.formats.stores.span import merged, without
from provenance.formats.uncovered import Uncovered

MOST_PARTS = 50
BINDING = re.compile(r"c2pa\.hash\.(data|boxes|bmff|collection\.data)(?:\.v(\d))?(?:__\d+)?")
END_NAMES = {"EOI", "IEND", "3B"}  # the last part of a JPEG, a PNG, a GIF
STORE_NAMES = ["C2PA"]
ARCHIVED_STORE = "META-INF/content_credential.c2pa"


def uncovered(binding: str, assertion: Mapping[str, Any], file: IO[bytes]) -> tuple[Uncovered, ...]:
    """Parts of `file` that the assertion `binding` leaves out, the essential ones first."""
    form = BINDING.fullmatch(binding)
    if form is None:
        return (Uncovered("the whole file", 0, f"a hard binding that is not understood: {binding[:100]}", True),)
    try:
        if form[1] == "bmff":
            found = list(boxes_left_out(int(form[2] or 1), assertion, file))
        elif form[1] == "data":
            found = list(_ranges_left_out(assertion, file))
        elif form[1] == "boxes":
            found = list(_named_parts_left_out(assertion, file))
        else:
            found = list(_members_left_out(assertion, file))
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        return (Uncovered("the whole file", 0, f"what is left out cannot be told: {error}"[:300], True),)
    return tuple(sorted(found, key=lambda part: not part.essential)[:MOST_PARTS])


def _ranges_left_out(assertion: Mapping[str, Any], file: IO[bytes]) -> Iterator[Uncovered]:
    """Exclusions of c2pa.hash.data: byte ranges, in any order, which may overlap and reach past the end."""
    size = file.seek(0, os.SEEK_END)
    ranges = []
    for entry in assertion.get("exclusions") or []:
        start, length = entry["start"], entry["length"]
        if not isinstance(start, int) or not isinstance(length, int) or start < 0 or length < 0:
            raise ValueError("a range that is none")
        ranges.append((min(start, size), min(start + length, size)))
    ranges = merged(ranges)
    if not ranges:
        return
    try:
        stores, remark = store_spans(file), "not the manifest"
    except ValueError as error:
        stores, remark = (), f"perhaps the manifest, but the file cannot be followed: {error}"
    for start, end in without(ranges, stores):
        yield Uncovered(f"bytes {start} to {end - 1}", end - start, remark, True)


def _named_parts_left_out(assertion: Mapping[str, Any], file: IO[bytes]) -> Iterator[Uncovered]:
    """c2pa.hash.boxes: every part by name, in the order of the file, which the library compares with the file up to the
    last name; so that must be the last part. The one named C2PA is not hashed, nor is one that says `excluded`.
    """
    size, parts = file.seek(0, os.SEEK_END), segmented(file)
    if parts is None:
        raise ValueError("the parts of such a file are not known here")
    names: list[str] = []
    for entry in assertion["boxes"]:
        here = [str(name) for name in entry["names"]]
        names += here
        if entry.get("exclusions"):
            yield Uncovered(f"in parts {', '.join(here)[:200]}", 0, "left out by place", True)
        if entry.get("excluded") and here != STORE_NAMES:
            yield Uncovered(f"parts {', '.join(here)[:200]}", 0, "left out by name", True)
    if names.count("C2PA") > len(parts.spans):
        yield Uncovered("parts C2PA", 0, "not the manifest", True)
    if not names or names[-1] not in END_NAMES:
        yield Uncovered(f"all behind {names[-1][:200] if names else 'the beginning'}", 0, "not named", True)
    if parts.end < size:
        yield Uncovered(f"bytes {parts.end} to {size - 1}", size - parts.end, "behind the end of the picture", True)


def _members_left_out(assertion: Mapping[str, Any], file: IO[bytes]) -> Iterator[Uncovered]:
    """c2pa.hash.collection.data: files of an archive by their names; its directory has a hash of its own."""
    if not assertion.get("zip_central_directory_hash"):
        yield Uncovered("the directory of the archive", 0, "not hashed", True)
    named = set(assertion["uris"])
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise ValueError(f"no archive: {error}") from error
    names = [member.filename for member in members]
    if len(set(names)) != len(names):
        raise ValueError("two files of the archive have one name")
    for member in members:
        folder = member.is_dir() and not member.file_size and not member.compress_size
        if member.filename not in named and member.filename != ARCHIVED_STORE and not folder:
            yield Uncovered(member.filename[:200], member.file_size, "a file of the archive that is not named", True)
