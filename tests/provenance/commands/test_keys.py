"""`sfumato keys`: made once, private, named as development, shown with the days that are left."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from provenance.pki.keys import development_keys, expiry_warnings
from provenance.signers.algorithms import leaf_of
from sfumato.app.cli.main import main


def test_new_then_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "show", "--folder", str(tmp_path)]) == 2
    assert "sfumato keys new" in capsys.readouterr().err
    assert main(["keys", "new", "--folder", str(tmp_path)]) == 0
    assert str(tmp_path / "development" / "root.pem") in capsys.readouterr().out
    assert main(["keys", "show", "--folder", str(tmp_path), "--json"]) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [Path(facts["file"]).name for facts in shown] == ["root.pem", "intermediate.pem", "leaf.pem"]
    assert all(facts["development"] and not facts["warnings"] for facts in shown)
    assert 363 <= shown[2]["days_left"] <= 365


def test_keys_are_never_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = development_keys(tmp_path).leaf_key.read_bytes()
    assert main(["keys", "new", "--folder", str(tmp_path)]) == 2
    assert "Move the folder away" in capsys.readouterr().err
    assert development_keys(tmp_path).leaf_key.read_bytes() == before


def test_a_key_elsewhere_gets_a_certificate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = ec.generate_private_key(ec.SECP384R1()).public_key()
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "public.pem").write_bytes(pem)
    chain = tmp_path / "chain.pem"
    assert (
        main(["keys", "new", "--folder", str(tmp_path), "--for", str(tmp_path / "public.pem"), "-o", str(chain)]) == 0
    )
    assert leaf_of(chain.read_text())[1] == key
    assert main(["keys", "show", str(chain)]) == 0
    assert capsys.readouterr().out.count("(development: anybody can make one)") == 2
    assert main(["keys", "new", "--folder", str(tmp_path), "--for", str(tmp_path / "public.pem")]) == 2


def test_only_elliptic_keys_are_certified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = rsa.generate_private_key(65537, 2048).public_key()
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for content, message in ((pem, "another kind"), (b"text", "no public key")):
        (tmp_path / "public.pem").write_bytes(content)
        assert main(["keys", "new", "--for", str(tmp_path / "public.pem"), "-o", str(tmp_path / "chain.pem")]) == 2
        assert message in capsys.readouterr().err


def test_an_expired_certificate_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = development_keys(tmp_path, datetime.now(UTC) - timedelta(days=400))
    assert main(["keys", "show", str(old.folder / "leaf.pem")]) == 1
    assert "expired on" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("days", "message"),
    [(0, ""), (334, ""), (336, "ends in 28 days"), (366, "expired on"), (-2, "is not valid before")],
)
def test_warnings_come_in_time(tmp_path: Path, days: int, message: str) -> None:
    made = development_keys(tmp_path)
    leaf = (made.folder / "leaf.pem").read_text()
    warnings = expiry_warnings(leaf, datetime.now(UTC) + timedelta(days=days))
    assert message in "".join(warnings)
    assert len(warnings) == bool(message)


def test_a_file_without_certificates_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.pem").write_text("nothing")
    assert main(["keys", "show", str(tmp_path / "a.pem")]) == 2
    assert "a.pem holds no readable certificate" in capsys.readouterr().err
