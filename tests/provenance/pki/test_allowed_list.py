"""Allowed lists: certificates or their digests in, fingerprints out; other lines are comments."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes

from provenance.pki.allowed_list import load_allowed_list
from sfumato.errors import UsageError
from tests.provenance.stamping import issue

ONE, OTHER = issue("One"), issue("Other")
DIGEST = ONE.certificate.fingerprint(hashes.SHA256())
COLONS = ":".join(f"{byte:02X}" for byte in DIGEST)


@pytest.mark.parametrize(
    "text",
    [
        ONE.pem,
        b"Bag Attributes: Gr\xf6\xdfe\n" + ONE.pem,
        base64.b64encode(DIGEST),
        b"# a friend\r\n" + base64.b64encode(DIGEST) + b"\r\n\r\n",
        b"=" * 44 + b"\n" + base64.b64encode(DIGEST),
        DIGEST.hex().encode(),
        f"  sha256:{DIGEST.hex().upper()}\n".encode(),
        f"    sha256: {DIGEST.hex()}".encode(),
        COLONS.encode(),
    ],
    ids=[
        "PEM",
        "PEM with text",
        "base64",
        "base64 with comments",
        "base64 behind a line like it",
        "hex",
        "hex with a name",
        "as keys show writes it",
        "hex with colons",
    ],
)
def test_a_certificate_is_named_in_many_ways(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(text)
    found = load_allowed_list(tmp_path / "list")
    assert found.fingerprints == {DIGEST.hex()}
    assert found.sha256 == hashlib.sha256(text).hexdigest()


def test_certificates_and_digests_may_stand_in_one_file(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(OTHER.pem + base64.b64encode(DIGEST))
    assert len(load_allowed_list(tmp_path / "list").fingerprints) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "names no certificate"),
        (b"a friend\n" + b"=" * 44, "names no certificate"),
        (base64.b64encode(DIGEST + b"!"), "names no certificate"),
        (ONE.pem.replace(b"M", b"N"), "damaged certificate"),
    ],
    ids=["nothing", "words", "a digest too long", "a damaged certificate"],
)
def test_a_list_that_names_nobody_is_refused(text: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(text)
    with pytest.raises(UsageError, match=message):
        load_allowed_list(tmp_path / "list")


def test_a_list_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Cannot read"):
        load_allowed_list(tmp_path / "list")


def test_a_list_without_end_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "list").open("wb") as file:
        file.truncate(33 * 1024 * 1024)
    with pytest.raises(UsageError, match="more than 32 MB"):
        load_allowed_list(tmp_path / "list")
