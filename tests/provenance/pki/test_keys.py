"""Development keys: private, whole, the same for everybody who comes at once, renewed in time."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provenance.pki.keys import DevelopmentKeys, development_keys, key_folder
from provenance.pki.profile import CERTIFICATE_POLICY, CLAIM_SIGNING
from sfumato.errors import SealError


def _certificates(keys: DevelopmentKeys) -> dict[str, x509.Certificate]:
    return {
        role: x509.load_pem_x509_certificate((keys.folder / f"{role}.pem").read_bytes())
        for role in ("root", "intermediate", "leaf")
    }


def test_private_keys_are_private(keys: DevelopmentKeys) -> None:
    assert stat.S_IMODE(keys.folder.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in keys.folder.glob("*.key")}
    assert modes == {"root.key": 0o600, "intermediate.key": 0o600, "leaf.key": 0o600}


def test_a_loose_umask_changes_nothing(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        keys = development_keys(tmp_path / "new" / "keys")
    finally:
        os.umask(before)
    assert stat.S_IMODE(keys.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "new" / "keys").stat().st_mode) == 0o700
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in keys.folder.glob("*.key"))


def test_the_chain_holds_and_every_subject_says_development(keys: DevelopmentKeys) -> None:
    certificates = _certificates(keys)
    certificates["leaf"].verify_directly_issued_by(certificates["intermediate"])
    certificates["intermediate"].verify_directly_issued_by(certificates["root"])
    certificates["root"].verify_directly_issued_by(certificates["root"])
    for certificate in certificates.values():
        assert "development" in str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def test_the_leaf_has_the_profile_that_verifiers_accept(keys: DevelopmentKeys) -> None:
    leaf = _certificates(keys)["leaf"]
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert usage.value.content_commitment
    assert not usage.value.key_cert_sign
    assert list(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        CLAIM_SIGNING,
        ExtendedKeyUsageOID.EMAIL_PROTECTION,
    ]
    assert (
        leaf.extensions.get_extension_for_class(x509.CertificatePolicies).value[0].policy_identifier
        == CERTIFICATE_POLICY
    )
    for extension in (x509.AuthorityInformationAccess, x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier):
        assert leaf.extensions.get_extension_for_class(extension)
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=366)


def test_second_use_finds_the_first_keys(tmp_path: Path) -> None:
    first = development_keys(tmp_path).chain_pem()
    assert development_keys(tmp_path).chain_pem() == first


def test_first_use_by_several_processes_at_once_makes_one_set(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from provenance.signing.seal import development_signer;"
        "print(development_signer(Path(sys.argv[1])).chain_pem)"
    )
    workers = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE) for _ in range(4)
    ]
    chains = {worker.communicate(timeout=60)[0] for worker in workers}
    assert all(worker.returncode == 0 for worker in workers)
    assert len(chains) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["development"]


def test_a_leaf_close_to_its_end_gets_a_new_certificate_for_the_same_key(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    old = development_keys(tmp_path, now - timedelta(days=340))
    key, certificate = old.leaf_key.read_bytes(), _certificates(old)["leaf"]
    renewed = _certificates(development_keys(tmp_path))
    assert old.leaf_key.read_bytes() == key
    assert renewed["leaf"].public_key() == certificate.public_key()
    assert renewed["leaf"].serial_number != certificate.serial_number
    assert renewed["leaf"].not_valid_after_utc > now + timedelta(days=300)
    renewed["leaf"].verify_directly_issued_by(renewed["intermediate"])


def test_an_old_intermediate_is_renewed_too(tmp_path: Path) -> None:
    development_keys(tmp_path, datetime.now(UTC) - timedelta(days=1820))
    renewed = _certificates(development_keys(tmp_path))
    assert renewed["intermediate"].not_valid_after_utc > datetime.now(UTC) + timedelta(days=1000)
    renewed["intermediate"].verify_directly_issued_by(renewed["root"])
    renewed["leaf"].verify_directly_issued_by(renewed["intermediate"])


def test_an_expired_root_is_refused_with_advice(tmp_path: Path) -> None:
    development_keys(tmp_path, datetime.now(UTC) - timedelta(days=3700))
    with pytest.raises(SealError, match=r"expired.*away"):
        development_keys(tmp_path)


@pytest.mark.parametrize("role", ["root", "intermediate", "leaf"])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, role: str) -> None:
    keys = development_keys(tmp_path)
    (keys.folder / f"{role}.key").chmod(0o644)
    with pytest.raises(SealError, match=r"read by others.*chmod 600"):
        development_keys(tmp_path)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    development_keys(tmp_path).leaf_key.unlink()
    with pytest.raises(SealError, match=r"leaf\.key"):
        development_keys(tmp_path)


@pytest.mark.parametrize("name", ["leaf.pem", "root.pem"])
def test_a_damaged_certificate_is_named(tmp_path: Path, name: str) -> None:
    (development_keys(tmp_path).folder / name).write_text("no certificate")
    with pytest.raises(SealError, match=name):
        development_keys(tmp_path)


def test_a_place_that_cannot_be_written_is_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SealError, match="SFUMATO_KEYS"):
        development_keys(tmp_path / "file" / "keys")


def test_the_argument_comes_before_the_variable_before_the_data_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SFUMATO_KEYS", str(tmp_path / "variable"))
    assert key_folder(tmp_path / "argument") == tmp_path / "argument"
    assert key_folder() == tmp_path / "variable"
    monkeypatch.delenv("SFUMATO_KEYS")
    assert key_folder().name == "keys"
    assert "sfumato" in key_folder().parts


def test_keys_are_not_encrypted_pkcs8(keys: DevelopmentKeys) -> None:
    assert serialization.load_pem_private_key(keys.leaf_key.read_bytes(), password=None)
