"""Whether the files of a set are those that it lists: none missing, none too many, none changed, none that a link leads
away to. In: the material, where each row's file is, and its digest. Out: `Check`s.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from sfumato.app.sets.check.material import Material
from sfumato.app.sets.check.report import Check, Fault
from sfumato.app.sets.layout import CLIPS, DETAILS, FACTS, MANIFEST, RECIPE, RIGHTS, SUMS, VIDEOS
from sfumato.errors import MediaError
from sfumato.limits import RECORD
from sfumato.media.clips import clip_file, file_digest
from sfumato.regular_file import read_regular

OF_A_SET = (RECIPE, CLIPS, DETAILS, RIGHTS, FACTS, SUMS, MANIFEST)
_LINE = re.compile(rb"([0-9a-f]{64}) [ *](.+)")
_OUT = "that a link leads out of the folder"


def places(material: Material) -> list[Path | None]:
    """For each row its file, or folder of frames; None for what is not there or lies outside the folder."""
    found: list[Path | None] = []
    for row in material.rows:
        try:
            place = clip_file(material.clips, row)
            found.append(place if place.is_file() or place.is_dir() else None)
        except (MediaError, OSError, ValueError, RuntimeError):  # RuntimeError: links in a circle
            found.append(None)
    return found


def check_files(material: Material, found: Sequence[Path | None]) -> Check:
    """Missing, too many, linked away. What is too many is told of a set alone: beside another list may lie anything."""
    folder, inside = material.folder.resolve(), list[str]()
    away = {
        row.path
        for row, place in zip(material.rows, found, strict=True)
        if place is None and _leads_out(material, row.path)
    }
    missing = [
        row.path for row, place in zip(material.rows, found, strict=True) if place is None and row.path not in away
    ]
    notes = []
    if material.whole:
        for name, link_out in _walked(folder):
            if link_out:
                away.add(name)
            inside.append(name)
        listed = {row.path for row in material.rows}
        known = {*OF_A_SET, *(name for name in _summed(material) if not name.startswith(f"{VIDEOS}/"))}
        extra = [name for name in inside if name not in listed and name not in known and name not in away]
        missing += [name for name in OF_A_SET if not (folder / name).exists()]
    else:
        extra = []
        notes.append("What else lies in the folder was not looked at: it is no set, only a list of clips.")
    faults = [
        *Fault.of("file missing", missing),
        *Fault.of("file too many", extra, "in no row of the list"),
        *Fault.of(f"file {_OUT}", sorted(away)),
    ]
    return Check("files", faults, f"{len(material.rows)} listed", notes=notes)


def check_digests(material: Material, digests: Sequence[str]) -> Check:
    """digests: sha256 of each row's file, "" where there is none."""
    pairs = [(row, digest) for row, digest in zip(material.rows, digests, strict=True) if digest]
    changed = [row.path for row, digest in pairs if digest != row.sha256]
    faults = Fault.of("file with another SHA-256 than its row says", changed, "changed after the list was written")
    return Check("digests", faults, f"{len(pairs)} files")


def check_sums(material: Material, digests: Mapping[str, str]) -> Check:
    """SHA256SUMS against the files. digests: {path of a row's file: its sha256}; others are taken here."""
    name = SUMS
    if not material.whole:
        return Check(name, why_not="it is no set, only a list of clips")
    folder = material.folder.resolve()
    try:
        lines = read_regular(folder / SUMS, RECORD).splitlines()
    except OSError as error:
        return Check(name, Fault.of("file that cannot be read", [SUMS], error.strerror or ""))
    odd, stated, twice = list[str](), dict[str, str](), list[str]()
    for number, line in enumerate(lines, 1):
        parts = _LINE.fullmatch(line)
        path = _inside(parts[2]) if parts else None
        if parts is None or path is None:
            odd.append(f"line {number}")
        elif path in stated:
            twice.append(path)
        else:
            stated[path] = parts[1].decode()
    gone, lies = list[str](), list[str]()
    for path, digest in stated.items():
        actual = digests.get(path) or _digest(folder, path)
        if not actual:
            gone.append(path)
        elif actual != digest:
            lies.append(path)
    left_out = [
        path for path, out in _walked(folder) if path not in stated and path not in (SUMS, MANIFEST) and not out
    ]
    faults = [
        *Fault.of("line that is none", odd),
        *Fault.of("file named twice", twice),
        *Fault.of("file that is named and not there", gone),
        *Fault.of("file with another SHA-256 than SHA256SUMS says", lies),
        *Fault.of("file that SHA256SUMS leaves out", left_out),
    ]
    return Check(name, faults, f"{len(stated)} lines")


def _summed(material: Material) -> Iterator[str]:
    """The names in SHA256SUMS, as far as it can be read."""
    try:
        lines = read_regular(material.folder / SUMS, RECORD).splitlines()
    except OSError:
        return
    for line in lines:
        if (parts := _LINE.fullmatch(line)) and (path := _inside(parts[2])):
            yield path


def _inside(name: bytes) -> str | None:
    """The name as text; None for one that leads out of the folder."""
    try:
        text = name.decode()
    except UnicodeDecodeError:
        return None
    path = PurePosixPath(text)
    return str(path) if "\0" not in text and not path.is_absolute() and ".." not in path.parts else None


def _digest(folder: Path, path: str) -> str:
    """ "" for what cannot be read, or lies outside."""
    try:
        place = (folder / path).resolve()
        return file_digest(place) if place.is_relative_to(folder) else ""
    except (MediaError, OSError, ValueError, RuntimeError):
        return ""


def _leads_out(material: Material, path: str) -> bool:
    folder = material.folder.resolve()
    try:
        return not (folder / path).resolve().is_relative_to(folder)
    except (OSError, ValueError, RuntimeError):
        return False


def _walked(folder: Path) -> Iterator[tuple[str, bool]]:
    """Every file below `folder`, with / between, hidden ones too, and whether a link leads out of it there. Links to
    folders are told as they are and not followed.
    """
    for place, folders, names in os.walk(folder):
        folders.sort()
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]  # noqa: PTH114, PTH118 (a million files)
        for name in sorted([*names, *links]):
            path = Path(place, name)
            out = path.is_symlink() and not _resolved(path).is_relative_to(folder)
            yield path.relative_to(folder).as_posix(), out


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path
