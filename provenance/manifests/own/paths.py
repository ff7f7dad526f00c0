"""Files that a manifest of somebody's own names: a relative path in, a file in its folder out, or a refusal.

Whoever signs with a manifest of a stranger gives away nothing that lies elsewhere: no path leads up or out of the
folder, no link either, and no address is opened.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from provenance.formats.untrusted import cut
from sfumato.errors import MediaError, MissingFileError, UsageError

_ADVICE = "Put the file beside the manifest, or below, and name it from there, with /."


def file_inside(folder: Path, text: str, where: str) -> Path:
    """The real path of `text` in `folder`. Raises UsageError for one that leads out of it, MediaError for a file that
    is missing or no regular one.
    """
    parts = PurePosixPath(text).parts
    if not parts or text.startswith("/") or ".." in parts or ":" in parts[0] or "\\" in text or "\0" in text:
        raise UsageError(f"{cut(text)!r} is no relative path inside the manifest's folder ({where})", _ADVICE)
    place = Path(os.path.realpath(folder / text))
    if not place.is_relative_to(os.path.realpath(folder)):
        raise UsageError(f"{cut(text)!r} is a link that leads out of the manifest's folder ({where})", _ADVICE)
    if not os.path.exists(place):  # noqa: PTH110 (a Path raises for a name that is too long)
        raise MissingFileError(f"There is no file {cut(text)!r} in the manifest's folder ({where})")
    if not place.is_file():
        raise MediaError(f"{cut(text)!r} is not a regular file ({where})", "Name one file.")
    if place.suffix.lower() == ".json":
        raise MediaError(f"{cut(text)!r} is a definition of an ingredient ({where})", "Name the media file itself.")
    return place
