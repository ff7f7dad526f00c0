"""Pictures that nothing here can write: `from tests.picture_fixtures import write_heic`."""

from __future__ import annotations

from pathlib import Path

from benchmarks.verifiers.heic import HEIC


def write_heic(path: Path) -> Path:
    """A HEIC still, as phones make them."""
    path.write_bytes(HEIC)
    return path
