"""Files that are not what their name says, and those that cannot hold a manifest."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from provenance.formats.containers import media_type_of_bytes, media_type_of_content
from provenance.manifests.declaration import Declaration
from provenance.pki.keys import DevelopmentKeys
from provenance.signing.seal import development_signer
from provenance.signing.sign import sign_file
from sfumato.errors import MediaError, SealError


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("a.jpg", "PNG", "holds image/png, not image/jpeg"),
        ("a.mp4", "PNG", "no mp4 or mov"),
        ("a.png", "empty", "empty"),
        ("a.avi", "PNG", "holds image/png"),
    ],
)
def test_a_name_that_lies_is_refused(keys: DevelopmentKeys, tmp_path: Path, name: str, kind: str, message: str) -> None:
    source = tmp_path / name
    if kind == "empty":
        source.touch()
    else:
        Image.new("RGB", (8, 8)).save(source, format=kind)
    with pytest.raises(MediaError, match=message):
        sign_file(source, tmp_path / f"out-{name}", Declaration(), development_signer(keys.folder.parent))


@pytest.mark.parametrize("suffix", [".mkv", ".webm", ".flv", ".m4s"])
def test_containers_without_room_are_refused_with_advice(
    keys: DevelopmentKeys, unsealed: Path, tmp_path: Path, suffix: str
) -> None:
    with pytest.raises(SealError, match=r"cannot hold a manifest\. .*ffmpeg -i IN -c copy"):
        sign_file(unsealed, tmp_path / f"out{suffix}", Declaration(), development_signer(keys.folder.parent))


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"\0\0\0\x18ftypisom", "video/mp4"),
        (b"\0\0\0\x18ftypqt  ", "video/quicktime"),
        (b"\0\0\0\x18ftypavif", "image/avif"),
        (b"\0\0\0\x08wide", "video/quicktime"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
        (b"RIFF\0\0\0\0AVI ", "video/avi"),
        (b"RIFF\0\0\0\0WAVE", "audio/wav"),
        (b"RIFF\0\0\0\0ACON", "application/octet-stream"),
        (b"\0\0\0\x18ftypheix", "image/heic"),
        (b"\0\0\0\x18ftypM4A ", "audio/mp4"),
        (b"fLaC", "audio/flac"),
        (b"%PDF-1.7", "application/pdf"),
        (b"ID3\x04\0\0\0\0\0\x0a", "audio/mpeg"),
        (b"\xff\xfb\x90\x00", "audio/mpeg"),
        (b"\xff\xf1\x50\x80", "application/octet-stream"),
        (b"MM\0+", "image/tiff"),
        (b"II*\0", "image/tiff"),
        (b"", "application/octet-stream"),
    ],
)
def test_the_media_type_is_read_from_the_first_bytes(head: bytes, media_type: str) -> None:
    assert media_type_of_bytes(head) == media_type


SVG = '<svg xmlns="http://www.w3.org/2000/svg"/>'


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (SVG.encode(), "image/svg+xml"),
        (f'<?xml version="1.0" encoding="UTF-16"?><!-- svg --><!DOCTYPE svg>{SVG}'.encode("utf-16"), "image/svg+xml"),
        (f"\ufeff\n{SVG}".encode(), "image/svg+xml"),
        (b'<s:svg xmlns:s="http://www.w3.org/2000/svg"><broken', "image/svg+xml"),
        (b"<html><svg/></html>", "application/octet-stream"),
        (b"<!-- svg", "application/octet-stream"),
        (b"svg", "application/octet-stream"),
        (b"ID3\x04\0\0\0\0\0\x02..fLaC", "audio/flac"),
        (b"ID3\x04\0\0\0\0\0\x02..\xff\xfb", "audio/mpeg"),
    ],
)
def test_some_kinds_are_known_only_further_inside(content: bytes, media_type: str) -> None:
    assert media_type_of_content(io.BytesIO(content)) == media_type
