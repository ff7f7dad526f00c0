"""Files of tensors (safetensors). In: a path. Out: nothing, or an error that the caller names.

The header is JSON, as long as the first eight bytes say; the library reads it whole before it looks at anything else.
"""

from __future__ import annotations

import os
from pathlib import Path

from sfumato.errors import MediaError, SfumatoError
from sfumato.limits import TENSORS, TENSORS_HEADER
from sfumato.regular_file import open_regular


def hold_tensors(path: Path, error: type[SfumatoError] = MediaError) -> None:
    """Raises `error` for a header or a file over the limits, OSError for no regular file or none that can be read."""
    with open_regular(path) as file:
        TENSORS_HEADER.hold(path, int.from_bytes(file.read(8), "little"), error, "It is damaged, or no safetensors.")
        TENSORS.hold(path, file.seek(0, os.SEEK_END), error, "No network of ours is as large.")
