"""The manifest store is found in an mp4, and nowhere else."""

from __future__ import annotations

import pytest

from provenance.formats.manifest_box import embedded_store
from tests.durable_fixtures import sealed_video


@pytest.fixture(scope="module")
def sealed(keys, tmp_path_factory):
    folder = tmp_path_factory.mktemp("durable")
    return sealed_video(folder / "a.mp4", keys, folder / "repository.sqlite3")


def test_the_store_is_found_in_the_file_and_nowhere_else(sealed, unsealed, tmp_path) -> None:
    with unsealed.open("rb") as file:
        assert embedded_store(file) is None
    for wrong in (b"", b"\0\0\0\x04ftyp", b"\0\0\0\x01mdat" + b"\0" * 7, sealed.path.read_bytes()[:40]):
        (tmp_path / "wrong").write_bytes(wrong)
        with (tmp_path / "wrong").open("rb") as file:
            assert embedded_store(file) is None
