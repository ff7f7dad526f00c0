"""Every kind of file that the library reads: signed it is trusted, unsigned it has none, whatever its name says."""

from __future__ import annotations

from pathlib import Path

import pytest

from provenance.verifying.verify import verify
from tests.provenance.excluding import MEDIA_TYPES, made
from tests.provenance.resealing import sign
from tests.provenance.stamping import issue, signer


@pytest.mark.parametrize("kind", MEDIA_TYPES)
def test_a_file_without_a_credential_has_none(kind: str, tmp_path: Path) -> None:
    for name in (f"a.{kind}", "a.bin", "a.jpg"):
        (tmp_path / name).write_bytes(made(kind, 1))
        assert verify(tmp_path / name).outcome == "none"


@pytest.mark.parametrize("kind", [kind for kind in MEDIA_TYPES if kind != "pdf"])
def test_a_signed_file_is_known_by_its_content(kind: str, tmp_path: Path) -> None:
    root = issue("Root", authority=True)
    for name in (f"a.{kind}", "a.bin"):
        (tmp_path / name).write_bytes(sign(signer("Ada", root), made(kind, 1), MEDIA_TYPES[kind]))
        assert verify(tmp_path / name, [root.pem]).outcome == "trusted"


@pytest.mark.parametrize("content", [b"plain text", b"<html></html>", b"<svg", b"\x89PNG"])
@pytest.mark.parametrize("name", ["a.mp3", "a.svg", "a.jpg", "a.wav"])
def test_what_is_no_media_is_unreadable(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert verify(tmp_path / name).outcome == "unreadable"


@pytest.mark.parametrize(
    "content", [b"\x1a\x45\xdf\xa3" + bytes(40), b"OggS" + bytes(40), b"FORM" + bytes(40), b"RF64" + bytes(40)]
)
def test_a_container_without_room_has_none(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(content)
    assert verify(tmp_path / "a.bin").outcome == "none"
