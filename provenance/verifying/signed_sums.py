"""A folder whose sums are signed: SHA256SUMS, as `sha256sum` writes it, and its manifest beside it.

In: the folder and how a file is looked at. Out: what the manifest of the sums is worth, invalid where a listed file has
changed or is gone; and the files that hold, which need no credential of their own. What no line lists is not covered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from provenance.verifying.verification import Verification
from sfumato.errors import MediaError
from sfumato.limits import NAMES, SET_ROWS
from sfumato.media.clips import file_digest
from sfumato.regular_file import open_regular

SUMS, SIDECAR = "SHA256SUMS", "SHA256SUMS.c2pa"
MATCH, CHANGED = "sums.match", "sums.mismatch"
_LINE = re.compile(r"([0-9a-f]{64})  (\S[^\r\n\0]*)\n?")


@dataclass(frozen=True)
class SignedSums:
    """found: about the file of sums; held: listed files that are as they were, none where the sums are not valid."""

    found: Verification
    held: frozenset[Path] = frozenset()


def has_signed_sums(folder: Path) -> bool:
    """Whether `folder` is one, with both files in it."""
    return (folder / SUMS).is_file() and (folder / SIDECAR).is_file()


def verify_sums(folder: Path, look: Callable[[Path], Verification]) -> SignedSums:
    """Never raises for what is in the folder."""
    found = look(folder / SUMS)
    if found.outcome not in ("trusted", "untrusted"):
        return SignedSums(found)
    held, wrong, gone = set[Path](), list[str](), list[str]()
    try:
        for digest, name in _lines(folder / SUMS):
            path = folder / name
            if not path.exists():
                gone.append(name)
            elif _digest(path) == digest:
                held.add(path)
            else:
                wrong.append(name)
    except (OSError, ValueError, MediaError) as error:
        cause = getattr(error, "strerror", None) or error
        return SignedSums(
            replace(found, outcome="invalid", codes=(CHANGED,), reason=f"the sums cannot be read: {cause}")
        )
    if not wrong and not gone:
        reason = "; ".join(filter(None, (found.reason, f"{len(held)} files are as their sums say")))
        return SignedSums(replace(found, successes=(*found.successes, MATCH), reason=reason), frozenset(held))
    told = [f"{len(names)} {what} ({names[0]})" for names, what in ((wrong, "changed"), (gone, "missing")) if names]
    invalid = replace(found, outcome="invalid", codes=(CHANGED,), reason=f"of the files listed: {', '.join(told)}")
    return SignedSums(invalid, frozenset(held))


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Raises ValueError for a line of another form, a name twice, or one that leads out of the folder."""
    seen: set[str] = set()
    with open_regular(path) as file:
        while line := file.readline(NAMES.most + 1):
            match = _LINE.fullmatch(line.decode("utf-8"))
            if match is None:
                raise ValueError(f"line {len(seen) + 1} is no sum of a file")
            digest, name = match.groups()
            if name in seen or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                raise ValueError(f"line {len(seen) + 1} names a file twice, or one outside the folder")
            seen.add(name)
            SET_ROWS.hold(path, len(seen))
            yield digest, name


def _digest(path: Path) -> str:
    try:
        return file_digest(path)
    except MediaError:  # a folder, a pipe, or nothing that may be read
        return ""
