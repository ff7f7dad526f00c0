"""What signing must leave as it is: everything in the file, and whose file it is.

In: the source and the signed file beside its final place. Out: a source whose list of further pictures is right once it
is signed; a refusal that names what would be lost; the mode and the owner of the file that is replaced. Nothing is
decoded: the parts of both files are compared (provenance.formats.inventory).
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from provenance.formats.inventory.find import inventory, lost
from provenance.formats.inventory.multi_picture import changes_for, picture_list
from provenance.formats.inventory.part import Part
from provenance.formats.stores.chunks import riff
from sfumato.errors import SealError

MOST_NAMED = 8
FRAME = re.compile(rb"(?=0[0-9][\0-\x7f]{2}(.{4}))", re.DOTALL)  # stream, kind, length
FRAME_HEADER, LONGEST_FRAME = 8, 1 << 20  # bytes; text taken for a length is a longer one


def parts_of(file: IO[bytes], path: Path) -> list[Part]:
    """What `file` holds. Raises SealError where its structure cannot be followed: nobody could then say what signing
    did to it, and no signature of it would be trusted.
    """
    try:
        return inventory(file)
    except ValueError as error:
        raise SealError(
            f"{path} cannot be signed: what it holds cannot be followed to its end ({error})",
            "Write it anew with the program that made it.",
        ) from error


def with_moved_pictures(source: IO[bytes], signed: IO[bytes]) -> IO[bytes] | None:
    """The source, with the places of its further pictures written as they are in the signed file; None where they are
    right. Raises SealError where they cannot be.
    """
    source.seek(0)
    if source.read(3) != b"\xff\xd8\xff":
        return None
    try:
        before = picture_list(source)
        after = picture_list(signed) if before is not None else None
        if before is None or after is None:
            return None
        sizes = source.seek(0, os.SEEK_END), signed.seek(0, os.SEEK_END)
        changes = changes_for(before, sizes[0], after, sizes[1])
    except ValueError as error:
        raise SealError(f"The file could not be sealed: {error}", "Nothing was written.") from error
    if not changes:
        return None
    source.seek(0)
    moved = io.BytesIO(source.read())
    for place, numbers in changes.items():
        moved.seek(place)
        moved.write(numbers)
    return moved


def taken_for_frames(signed: IO[bytes]) -> bool:
    """Whether a player that looks for frames everywhere in an AVI, as FFmpeg does (libavformat/avidec.c, avi_sync),
    would find one in the manifest. What is random in a manifest is another the second time it is signed.
    """
    signed.seek(0)
    head = signed.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"AVI ":
        return False
    size = signed.seek(0, os.SEEK_END)
    try:
        stores = riff(signed)
    except ValueError:
        return False  # `refuse_loss` says what is wrong
    for start, end in stores:
        signed.seek(start)
        for found in FRAME.finditer(signed.read(end - start)):
            length = int.from_bytes(found[1], "little")
            if length <= min(LONGEST_FRAME, size - start - found.start() - FRAME_HEADER):
                return True
    return False


def refuse_loss(before: Sequence[Part], signed: IO[bytes], path: Path) -> None:
    """Raises SealError unless all parts of the source are in the signed file, in their order."""
    try:
        missing = lost(before, inventory(signed))
    except ValueError as error:
        missing = [f"its structure ({error})"]
    if missing:
        more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
        raise SealError(
            f"Signing {path} would lose or change {', '.join(missing[:MOST_NAMED])}{more}",
            "Nothing was written. Sign it with --sidecar, which leaves the file as it is.",
        )


def behind_links(destination: Path) -> Path:
    """The file that a link leads to: the link stays a link."""
    return Path(os.path.realpath(destination)) if os.path.islink(destination) else destination  # noqa: PTH114 (a Path raises for a name that is too long)


def keep_private(temporary: Path, replaced: Path) -> None:
    """Before anything is written: nobody else may read the copy of a file that is not theirs."""
    if replaced.exists():
        temporary.chmod(0o600)


def take_over_rights(temporary: Path, replaced: Path) -> None:
    """The mode and, as far as this user may give files away, the owner and the group of the file that is replaced.
    Where the group cannot be kept, the new one gets no rights that were meant for the old one.
    """
    try:
        status = replaced.stat()
    except FileNotFoundError:
        return
    mode = status.st_mode & 0o777
    with suppress(PermissionError):
        os.chown(temporary, status.st_uid, -1)
    try:
        os.chown(temporary, -1, status.st_gid)
    except PermissionError:
        mode &= ~0o070
    temporary.chmod(mode)
