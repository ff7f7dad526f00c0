"""What has to hold before a library opens a picture or a video. In: a path. Out: nothing, or one MediaError."""

from __future__ import annotations

from pathlib import Path

from sfumato.errors import MediaError
from sfumato.regular_file import open_regular
from sfumato.structure import hold_structure


def require_media_file(path: Path, kind: str) -> None:
    """`kind`: "picture" or "video", for people. Raises MediaError: a folder, missing, not a regular file, 0 bytes, or a
    structure beyond the limits (docs/limits.md); OSError where it cannot be read.
    """
    if path.is_dir():
        raise MediaError(f"{path} is a folder, not a {kind}", f"Name one {kind} file.")
    if not path.exists():
        raise MediaError(f"{path} does not exist", "Check the name.")
    if not path.is_file():
        raise MediaError(f"{path} is not a regular file", "Copy what it gives into a file first.")
    if path.stat().st_size == 0:
        raise MediaError(f"{path} is empty (0 bytes)", "Copy or download it again.")
    with open_regular(path) as file:
        hold_structure(file, path)
