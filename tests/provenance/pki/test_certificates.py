"""Certificates: anchors as PEM, a chain in order, when it holds, and what a person is shown of a certificate."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from provenance.pki.certificates import (
    CertificateView,
    fingerprint,
    load_anchors,
    names,
    ordered,
    outside_validity,
    read_anchors,
    view,
)
from provenance.pki.paths import LONGEST_CHAIN
from sfumato.errors import UsageError
from tests.provenance.stamping import DAY, Entity, issue

ROOT = issue("Root", authority=True)
MIDDLE = issue("Middle", ROOT, authority=True)
LEAF = issue("Leaf", MIDDLE)
SECOND = timedelta(seconds=1)


def _certificates(*entities: Entity) -> tuple[x509.Certificate, ...]:
    return tuple(entity.certificate for entity in entities)


def _changed(entity: Entity, old: bytes, new: bytes) -> x509.Certificate:
    """The certificate with other bytes in it; its signature does not fit any more."""
    der = entity.certificate.public_bytes(Encoding.DER)
    assert old in der
    return x509.load_der_x509_certificate(der.replace(old, new))


@pytest.mark.parametrize(
    "pem", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_an_empty_trust_list_is_refused(pem: bytes, root: bytes) -> None:
    with pytest.raises(UsageError, match="trust list"):
        load_anchors([root, pem])


def test_all_certificates_of_all_lists_are_anchors() -> None:
    assert load_anchors([ROOT.pem + MIDDLE.pem, LEAF.pem]) == list(_certificates(ROOT, MIDDLE, LEAF))
    assert load_anchors([]) == []


def test_a_chain_goes_from_the_leaf_to_whoever_signed_it_in_whatever_order_they_come() -> None:
    for others in ([MIDDLE, ROOT], [ROOT, MIDDLE], [LEAF, ROOT, MIDDLE]):
        assert ordered(LEAF.certificate, _certificates(*others)) == _certificates(LEAF, MIDDLE, ROOT)


def test_a_chain_ends_where_the_issuer_is_not_among_the_others() -> None:
    assert ordered(LEAF.certificate, []) == _certificates(LEAF)
    assert ordered(LEAF.certificate, _certificates(ROOT)) == _certificates(LEAF)


def test_who_did_not_sign_is_not_in_the_chain() -> None:
    same_name, other_name = issue("Middle", ROOT, authority=True), issue("Elsewhere", authority=True)
    found = ordered(LEAF.certificate, _certificates(same_name, other_name, MIDDLE, ROOT))
    assert found == _certificates(LEAF, MIDDLE, ROOT)


def test_an_issuer_whose_key_cannot_sign_or_is_not_known_is_passed_over() -> None:
    name = MIDDLE.certificate.subject
    begin, end = MIDDLE.certificate.not_valid_before_utc, MIDDLE.certificate.not_valid_after_utc
    exchange = x25519.X25519PrivateKey.generate().public_key()
    agrees = x509.CertificateBuilder(name, name, exchange, 1, begin, end).sign(MIDDLE.key, hashes.SHA256())
    unknown = _changed(MIDDLE, bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06082a8648ce3d03017f"))  # a curve
    for odd in (agrees, unknown):
        assert ordered(LEAF.certificate, (odd, MIDDLE.certificate)) == _certificates(LEAF, MIDDLE)


def test_a_chain_has_an_end() -> None:
    authorities = [ROOT]
    for number in range(LONGEST_CHAIN + 1):
        authorities.append(issue(f"Authority {number}", authorities[-1], authority=True))
    *others, last = _certificates(*authorities)
    assert ordered(last, others) == (last, *others[:-LONGEST_CHAIN:-1])
    assert len(ordered(last, others)) == LONGEST_CHAIN == 10


def test_a_certificate_is_outside_before_its_first_and_after_its_last_second() -> None:
    begin, end = LEAF.certificate.not_valid_before_utc, LEAF.certificate.not_valid_after_utc
    path = _certificates(LEAF, issue("Middle", authority=True, start=begin - DAY, end=end + DAY))
    for when, outside in ((begin, False), (begin - SECOND, True), (end, False), (end + SECOND, True)):
        assert (outside_validity(path, when) is not None) is outside


def test_the_first_certificate_outside_is_named_and_never_the_anchor() -> None:
    now = datetime.now().astimezone()
    old = [issue(name, authority=True, start=now - 9 * DAY, end=now - DAY) for name in ("A", "B", "C")]
    assert outside_validity(_certificates(*old), now) == old[0].certificate
    assert outside_validity(_certificates(LEAF, *old), now) == old[0].certificate
    assert outside_validity(_certificates(LEAF, MIDDLE, *old), now) == old[0].certificate
    assert outside_validity(_certificates(LEAF, MIDDLE, old[0]), now) is None
    assert outside_validity(_certificates(old[0]), now) is None
    assert outside_validity((), now) is None


def test_a_view_holds_what_stands_in_the_certificate() -> None:
    found = view(LEAF.certificate)
    assert (found.subject, found.issuer) == ("CN=Leaf,O=Leaf Works", "CN=Middle,O=Middle Works")
    assert (found.common_name, found.organisation) == ("Leaf", "Leaf Works")
    assert found.not_before == LEAF.certificate.not_valid_before_utc.isoformat()
    assert found.not_after == LEAF.certificate.not_valid_after_utc.isoformat()
    digest = hashlib.sha256(LEAF.certificate.public_bytes(Encoding.DER)).hexdigest()
    assert found.fingerprint == fingerprint(LEAF.certificate) == digest


def test_only_what_is_among_the_anchors_is_called_one() -> None:
    assert not view(ROOT.certificate).anchor
    assert view(ROOT.certificate, _certificates(MIDDLE, ROOT)).anchor
    assert not view(ROOT.certificate, _certificates(issue("Root", authority=True))).anchor


def test_a_view_made_without_a_word_about_anchors_is_of_none() -> None:
    assert not CertificateView("CN=Ada", "CN=Root", "Ada", None, "2026", "2027", "a" * 64).anchor


def test_long_names_are_cut() -> None:
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "x" * 199 + "yz" + "x" * 300)])
    begin, end = ROOT.certificate.not_valid_before_utc, ROOT.certificate.not_valid_after_utc
    builder = x509.CertificateBuilder(name, name, ROOT.key.public_key(), 1, begin, end)
    found = view(builder.sign(ROOT.key, hashes.SHA256()))
    assert found.organisation == "x" * 199 + "y"  # 200
    assert (len(found.subject), len(found.issuer)) == (400, 400)


def test_a_name_that_cannot_be_decoded_is_left_out() -> None:
    damaged = _changed(LEAF, b"Leaf", b"\xff\xfe\xff\xfe")
    assert list(names(damaged, NameOID.COMMON_NAME)) == []
    found = view(damaged)
    assert (found.subject, found.common_name, found.organisation) == ("", None, None)
    assert found.issuer == "CN=Middle,O=Middle Works"


def test_a_file_that_is_no_trust_list_is_named(tmp_path: Path) -> None:
    (tmp_path / "list.pem").write_bytes(ROOT.pem)
    assert read_anchors(tmp_path / "list.pem") == ROOT.pem
    (tmp_path / "list.pem").write_bytes(b"words")
    with pytest.raises(UsageError, match=r"^\S+list\.pem holds no readable certificate"):
        read_anchors(tmp_path / "list.pem")
    with pytest.raises(UsageError, match=r"^Cannot read the trust list \S+gone\.pem: No such file"):
        read_anchors(tmp_path / "gone.pem")
