"""Files of tensors (safetensors). In: a path. Out: what the file holds, or an error that the caller names.

The header is JSON, as long as the first eight bytes say; the library reads it whole before it looks at anything else.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sfumato.errors import MediaError, SfumatoError
from sfumato.limits import TENSORS, TENSORS_HEADER
from sfumato.regular_file import open_regular

if TYPE_CHECKING:
    from torch import Tensor


def hold_tensors(path: Path, error: type[SfumatoError] = MediaError) -> None:
    """Raises `error` for a header or a file over the limits, OSError for no regular file or none that can be read."""
    with open_regular(path) as file:
        header, size = int.from_bytes(file.read(8), "little"), file.seek(0, os.SEEK_END)
        if header <= size:  # else it is no such file, or a part of one, as the library says at once
            TENSORS_HEADER.hold(path, header, error, "It is damaged, or no safetensors.")
        TENSORS.hold(path, size, error, "No network of ours is as large.")


def read_tensors(path: Path, error: type[SfumatoError] = MediaError) -> tuple[dict[str, str], dict[str, Tensor]]:
    """The facts in the header, and every tensor. Raises what `hold_tensors` does, and ValueError for no such file."""
    from safetensors import SafetensorError, safe_open

    hold_tensors(path, error)
    try:
        with safe_open(str(path), framework="pt") as file:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as failure:
        raise ValueError(str(failure)) from failure
