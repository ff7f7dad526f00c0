"""Files of strangers, opened: a path in, an open file or its bytes out, or OSError that says why not.

Only regular files, links to them included. A named pipe nobody writes to never opens, a terminal waits for somebody to
type, and /dev/zero has no end; so the kind is asked of what was opened, which was opened without waiting.
"""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

from sfumato.limits import Limit, shown

IRREGULAR = "it is not a regular file"


def open_regular(path: Path) -> BufferedReader:
    """Opens `path` to be read. Raises OSError, with `strerror` for people, for what is no regular file too."""
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0)))  # noqa: SIM115
    try:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, IRREGULAR, str(path))
    except BaseException:
        file.close()
        raise
    return file


def read_regular(path: Path, limit: Limit) -> bytes:
    """The bytes of `path`, as many as `limit` allows. Raises OSError, for a larger file too."""
    with open_regular(path) as file:
        data = file.read(limit.most + 1)
    if len(data) > limit.most:
        raise OSError(errno.EFBIG, f"it has more than {shown(limit.most, limit.of)}", str(path))
    return data


def read_regular_text(path: Path, limit: Limit, encoding: str = "utf-8") -> str:
    """The same as text. Raises OSError, UnicodeDecodeError."""
    return read_regular(path, limit).decode(encoding)
