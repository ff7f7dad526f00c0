"""Development keys: private, whole, the same for everybody who comes at once, renewed in time."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provenance.pki.keys import (
    DevelopmentKeys,
    certificates_in,
    development_chain_for,
    development_keys,
    expiry_warnings,
    is_development,
    key_folder,
    pem_of,
    read_public_key,
    require_private,
)
from provenance.pki.profile import CERTIFICATE_POLICY, CLAIM_SIGNING
from sfumato.errors import SealError, UsageError


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


def _extension(held: x509.Certificate, kind: type) -> x509.Extension:
    return held.extensions.get_extension_for_class(kind)


@pytest.mark.parametrize(
    ("role", "authority", "path_length", "days"),
    [("root", True, 1, 3650), ("intermediate", True, 0, 1825), ("leaf", False, None, 365)],
)
def test_each_role_has_its_constraints_its_usage_and_its_lifetime(
    keys: DevelopmentKeys, role: str, authority: bool, path_length: int | None, days: int
) -> None:
    held = _certificates(keys)[role]
    constraints, usage = _extension(held, x509.BasicConstraints), _extension(held, x509.KeyUsage)
    assert constraints.critical
    assert usage.critical
    assert (constraints.value.ca, constraints.value.path_length) == (authority, path_length)
    said = usage.value
    assert (said.key_cert_sign, said.crl_sign) == (authority, authority)
    assert (said.digital_signature, said.content_commitment) == (not authority, not authority)
    assert not (said.key_encipherment or said.data_encipherment or said.key_agreement)
    assert held.not_valid_after_utc - held.not_valid_before_utc == timedelta(days=days)


def test_only_the_leaf_is_for_signing_claims_and_nothing_but_constraints_and_usage_is_critical(
    keys: DevelopmentKeys,
) -> None:
    held = _certificates(keys)
    for role in ("root", "intermediate"):
        for kind in (x509.ExtendedKeyUsage, x509.CertificatePolicies, x509.AuthorityInformationAccess):
            with pytest.raises(x509.ExtensionNotFound):
                _extension(held[role], kind)
    for one in held.values():
        critical = {type(each.value) for each in one.extensions if each.critical}
        assert critical == {x509.BasicConstraints, x509.KeyUsage}


def test_a_certificate_begins_an_hour_early_for_clocks_that_differ(tmp_path: Path) -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    for held in _certificates(development_keys(tmp_path, now)).values():
        assert held.not_valid_before_utc == now - timedelta(hours=1)


def test_names_say_whose_they_are_and_roots_of_two_machines_differ(keys: DevelopmentKeys, tmp_path: Path) -> None:
    def common(held: x509.Certificate) -> str:
        return str(held.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)

    mine, other = _certificates(keys), _certificates(development_keys(tmp_path))
    assert common(mine["leaf"]) == common(other["leaf"]) == "sfumato development signer"
    mark = _extension(mine["root"], x509.SubjectKeyIdentifier).value.digest.hex()[:8]
    assert common(mine["root"]) == f"sfumato development root {mark}"
    assert common(mine["intermediate"]) == f"sfumato development intermediate {mark}"
    assert common(mine["root"]) != common(other["root"])


def test_a_certificate_is_renewed_within_thirty_days_of_its_end_and_not_before(tmp_path: Path) -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    old = _certificates(development_keys(tmp_path, first))["leaf"]
    end = old.not_valid_after_utc
    kept = _certificates(development_keys(tmp_path, end - timedelta(days=30, seconds=1)))["leaf"]
    assert kept == old
    renewed = _certificates(development_keys(tmp_path, end - timedelta(days=30)))["leaf"]
    assert renewed.not_valid_after_utc > end


def test_a_clock_before_the_certificate_began_makes_a_new_one(tmp_path: Path) -> None:
    first = datetime(2026, 6, 1, tzinfo=UTC)
    old = _certificates(development_keys(tmp_path, first))["leaf"]
    early = _certificates(development_keys(tmp_path, first - timedelta(days=2)))["leaf"]
    assert early.not_valid_before_utc < old.not_valid_before_utc
    assert early.public_key() == old.public_key()


def test_a_leaf_for_a_key_elsewhere_hangs_on_the_same_intermediate(tmp_path: Path) -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    elsewhere = ec.generate_private_key(ec.SECP256R1()).public_key()
    chain = x509.load_pem_x509_certificates(development_chain_for(elsewhere, tmp_path, now).encode())
    held = _certificates(development_keys(tmp_path, now))
    assert (chain[0].public_key(), chain[1:]) == (elsewhere, [held["intermediate"]])
    chain[0].verify_directly_issued_by(held["intermediate"])
    assert is_development(chain[0])
    assert chain[0].not_valid_before_utc == now - timedelta(hours=1)


def test_a_public_key_is_read_or_refused(tmp_path: Path) -> None:
    form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    curve, other = (
        ec.generate_private_key(ec.SECP256R1()).public_key(),
        ed25519.Ed25519PrivateKey.generate().public_key(),
    )
    for name, key in (("curve", curve), ("other", other)):
        (tmp_path / name).write_bytes(key.public_bytes(*form))
    (tmp_path / "text").write_text("no key")
    assert read_public_key(tmp_path / "curve") == curve
    with pytest.raises(UsageError, match="another kind"):
        read_public_key(tmp_path / "other")
    for name in ("text", "missing"):
        with pytest.raises(UsageError, match="holds no public key"):
            read_public_key(tmp_path / name)


def test_certificates_are_read_in_their_order_or_refused(keys: DevelopmentKeys, tmp_path: Path) -> None:
    (tmp_path / "chain.pem").write_text(keys.chain_pem())
    held = _certificates(keys)
    assert certificates_in(tmp_path / "chain.pem") == [held["leaf"], held["intermediate"]]
    assert pem_of(held["leaf"]) + pem_of(held["intermediate"]) == keys.chain_pem()
    (tmp_path / "text").write_text("no certificate")
    for name in ("text", "missing"):
        with pytest.raises(UsageError, match="no readable certificate"):
            certificates_in(tmp_path / name)


def test_a_chain_says_when_it_is_not_valid_or_soon_no_more(keys: DevelopmentKeys) -> None:
    leaf = _certificates(keys)["leaf"]
    pem, begin, end = pem_of(leaf), leaf.not_valid_before_utc, leaf.not_valid_after_utc
    second = timedelta(seconds=1)
    assert expiry_warnings(pem) == expiry_warnings(pem, begin) == expiry_warnings(pem, end - timedelta(days=30)) == []
    (early,), (soon,), (late,) = (
        expiry_warnings(pem, when) for when in (begin - second, end - timedelta(days=29, hours=1), end)
    )
    assert f"is not valid before {begin:%Y-%m-%d}" in early
    assert f"ends in 29 days, on {end:%Y-%m-%d}" in soon
    assert f"expired on {end:%Y-%m-%d}" in late
    assert "ends in 0 days" in expiry_warnings(pem, end - second)[0]


def test_a_key_open_to_its_group_alone_is_refused_with_its_mode(tmp_path: Path) -> None:
    key = tmp_path / "a.key"
    key.write_text("")
    for mode in (0o601, 0o602, 0o604, 0o610, 0o620, 0o640):
        key.chmod(mode)
        with pytest.raises(SealError, match=f"mode {mode:04o}"):
            require_private(key)
    for mode in (0o600, 0o400, 0o700):
        key.chmod(mode)
        require_private(key)


def test_a_damaged_or_foreign_key_is_named_when_it_is_needed(tmp_path: Path) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    keys = development_keys(tmp_path, start)
    foreign = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for data, why in ((b"no key", "is damaged"), (foreign, "is not an elliptic-curve key")):
        (keys.folder / "intermediate.key").write_bytes(data)
        with pytest.raises(SealError, match=rf"intermediate\.key {why}"):
            development_keys(tmp_path, start + timedelta(days=350))


def test_whoever_comes_second_keeps_what_the_first_one_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = development_keys(tmp_path / "first")

    def too_late(draft: Path, place: Path) -> None:
        shutil.copytree(first.folder, place)
        raise OSError(errno.ENOTEMPTY, "Directory not empty")

    monkeypatch.setattr(Path, "rename", too_late)
    second = development_keys(tmp_path / "second")
    assert _certificates(second) == _certificates(first)
    assert [path.name for path in (tmp_path / "second").iterdir()] == [second.folder.name]  # and no draft


def test_a_set_that_cannot_be_moved_into_its_place_is_an_error_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(draft: Path, place: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(SealError, match="No space left on device"):
        development_keys(tmp_path / "keys")
    assert list((tmp_path / "keys").iterdir()) == []


def test_a_root_has_expired_from_its_last_second_on(tmp_path: Path) -> None:
    keys = development_keys(tmp_path)
    with pytest.raises(SealError, match="has expired"):
        development_keys(tmp_path, _certificates(keys)["root"].not_valid_after_utc)
