"""A manifest store without its file: who signed it, and whether it is whole."""

from __future__ import annotations

import pytest

from provenance.durable.recovered import read_store
from tests.durable_fixtures import Sealed, sealed_video


@pytest.fixture(scope="module")
def sealed(keys, tmp_path_factory) -> Sealed:
    """One video whose repository holds another one too."""
    folder = tmp_path_factory.mktemp("recovery")
    sealed_video(folder / "other.mp4", keys, folder / "repository.sqlite3", seed=5)
    return sealed_video(folder / "a.mp4", keys, folder / "repository.sqlite3")


@pytest.mark.parametrize(
    "what",
    [
        b"trainedAlgorithmicMedia",
        b"c2pa.watermarked.bound",
        b"org.sfumato.watermark.1",
        b"specVersion",
        b"sfumato development",
    ],
)
def test_a_manifest_that_was_changed_is_not_valid(sealed, what) -> None:
    data = bytearray(sealed.store)
    data[data.index(what) + 3] ^= 1
    assert read_store(bytes(data)).signature in ("invalid", "unreadable")


def test_what_is_no_store_is_unreadable() -> None:
    for data in (b"", b"x", b"\0" * 1000, b"\xff" * 100_000):
        assert read_store(data).signature == "unreadable"
