"""SHA256SUMS of a folder, as `sha256sum -c` reads it: a line a file, hidden files and itself left out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from sfumato.atomic import write_text
from sfumato.media.clips import file_digest
from sfumato.progress import Stage

FILE = "SHA256SUMS"


def write_sums(folder: Path, stage: Stage) -> None:
    """Raises MediaError for a file that cannot be read, OutputError."""
    listed = list(_files(folder))
    lines = []
    with stage("Taking digests", len(listed)) as advance:
        for path in listed:
            lines.append(_line(path.relative_to(folder).as_posix(), file_digest(path)))
            advance(1)
    write_text(folder / FILE, "".join(lines))


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            if not name.startswith(".") and path.is_file() and path != folder / FILE:
                yield path


def _line(name: str, digest: str) -> str:
    """A name with a line break or a backslash is written as coreutils does: escaped, and a backslash before all."""
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return f"{chr(92) if escaped != name else ''}{digest}  {escaped}\n"
