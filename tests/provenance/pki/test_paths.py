"""Certification paths: what leads to an anchor, and every way in which a chain does not, each named for its fault."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from provenance.pki.paths import (
    ANSWERING,
    SIGNING,
    STAMPING,
    CertificationPath,
    Purpose,
    find_path,
)

NOW = datetime.now(UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EMAIL, STAMPS = ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.TIME_STAMPING
UNKNOWN = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00")


@dataclass(frozen=True)
class Made:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Any


@cache
def key_of(kind: str, number: str) -> Any:
    """One key for each kind and name: they take long to make."""
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key({"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1()}[kind])


def make(
    name: str,
    issuer: Made | None = None,
    *,
    authority: bool | None = True,
    length: int | None = None,
    may_issue: bool | None = True,
    usages: Sequence[ObjectIdentifier] = (),
    extra: x509.ExtensionType | None = None,
    critical: bool = True,
    end: datetime = NOW + 9 * DAY,
    kind: str = "p256",
    key: str = "",
    subject: str = "",
) -> Made:
    """A certificate. `authority`: None leaves the basic constraints out, `may_issue`: None the key usage; `extra`: one
    more extension.
    """
    own = key_of(kind, key or name)
    called = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Works"), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
    builder = x509.CertificateBuilder(
        issuer.certificate.subject if issuer else called,
        x509.Name.from_rfc4514_string(subject) if subject else called,
        own.public_key(),
        x509.random_serial_number(),
        NOW - 9 * DAY,
        end,
    )
    if authority is not None:
        builder = builder.add_extension(x509.BasicConstraints(authority, length), critical=True)
    if may_issue is not None:
        signs = bool(authority) and may_issue
        builder = builder.add_extension(
            x509.KeyUsage(not signs, False, False, False, False, signs, True, False, False), critical=True
        )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    if extra is not None:
        builder = builder.add_extension(extra, critical=critical)
    signing = issuer.key if issuer else own
    edwards = isinstance(signing, ed25519.Ed25519PrivateKey)
    return Made(builder.sign(signing, None if edwards else hashes.SHA512()), own)


def leaf(issuer: Made, usages: Sequence[ObjectIdentifier] = (EMAIL,), **more: Any) -> Made:
    return make("leaf", issuer, authority=False, usages=usages, **more)


def path(chain: Sequence[Made], *anchors: Made, purpose: Purpose = SIGNING, when: datetime = NOW) -> CertificationPath:
    return find_path([each.certificate for each in chain], [each.certificate for each in anchors], purpose, when)


def certificates(*made: Made) -> tuple[x509.Certificate, ...]:
    return tuple(each.certificate for each in made)


ROOT = make("root")
MIDDLE = make("middle", ROOT)
LEAF = leaf(MIDDLE)


@pytest.mark.parametrize("kind", ["p256", "p384", "p521", "ed25519", "rsa"])
def test_a_chain_of_keys_of_each_kind_leads_to_its_root(kind: str) -> None:
    root = make("root", kind=kind)
    middle = make("middle", root, kind=kind)
    end = leaf(middle, kind=kind)
    assert path([end, middle], root).certificates == certificates(end, middle, root)


def test_a_chain_leads_to_no_other_root() -> None:
    other = make("root", key="another")
    assert path([LEAF, MIDDLE], other).certificates == ()
    assert path([LEAF, MIDDLE], other, ROOT).certificates == certificates(LEAF, MIDDLE, ROOT)


def test_no_anchor_no_path() -> None:
    assert path([LEAF, MIDDLE]).refusal == "no root is given"


def test_no_certificate_no_path() -> None:
    assert path([], ROOT).refusal == "there is no certificate"


def test_an_intermediate_may_be_the_anchor() -> None:
    assert path([LEAF, MIDDLE], MIDDLE).certificates == certificates(LEAF, MIDDLE)


def test_a_leaf_may_be_the_anchor() -> None:
    assert path([LEAF], LEAF).certificates == certificates(LEAF)


def test_a_leaf_that_is_an_anchor_needs_nobody_above_it() -> None:
    assert path([LEAF, MIDDLE], ROOT, LEAF).certificates == certificates(LEAF)


def test_an_anchor_among_the_others_is_only_the_end_of_the_path() -> None:
    for chain in ([LEAF, MIDDLE, ROOT], [LEAF, ROOT, MIDDLE]):
        assert path(chain, ROOT).certificates == certificates(LEAF, MIDDLE, ROOT)


@pytest.mark.parametrize("may_issue", [True, None])
def test_a_leaf_that_is_an_anchor_vouches_for_nobody_else(may_issue: bool | None) -> None:
    anchor = make("anchor", authority=False, may_issue=may_issue)
    assert path([leaf(anchor)], anchor).certificates == ()


def test_an_anchor_that_says_nothing_of_what_its_key_is_for_vouches() -> None:
    root = make("root", may_issue=None)
    assert path([end := leaf(root)], root).certificates == certificates(end, root)


def test_the_policies_of_an_anchor_bind_nobody_below_it() -> None:
    policy = x509.PolicyInformation(ObjectIdentifier("1.2.3.4.5"), None)
    root = make("root", extra=x509.CertificatePolicies([policy]))
    assert path([end := leaf(root)], root).certificates == certificates(end, root)


def test_an_anchor_that_has_ended_still_vouches() -> None:
    root = make("root", end=NOW - DAY)
    assert path([end := leaf(root)], root).certificates == certificates(end, root)


def test_an_anchor_without_key_cert_sign_vouches_for_nobody_else() -> None:
    root = make("root", may_issue=False)
    assert path([leaf(root)], root).certificates == ()


def test_wrong_order_is_put_right() -> None:
    assert path([LEAF, ROOT, MIDDLE], ROOT).certificates == certificates(LEAF, MIDDLE, ROOT)


def test_a_leaf_alone_is_refused_with_what_is_missing() -> None:
    found = path([LEAF], ROOT)
    assert found.certificates == ()
    assert found.refusal.startswith("no issuer matching")
    assert "middle" in found.refusal


def test_a_stranger_of_the_same_name_as_the_issuer_is_not_it() -> None:
    stranger = make("middle", ROOT, key="stranger")
    assert path([LEAF, stranger], ROOT).certificates == ()
    assert path([LEAF, stranger, MIDDLE], ROOT).certificates == certificates(LEAF, MIDDLE, ROOT)


def _excluded(name: str) -> x509.NameConstraints:
    place = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, name)]))
    return x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=[place])


def _permitted(name: str) -> x509.NameConstraints:
    place = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, name)]))
    return x509.NameConstraints(permitted_subtrees=[place], excluded_subtrees=None)


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "basic constraints are missing": ({"authority": None}, "is not a CA"),
    "basic constraints say no": ({"authority": False}, "is not a CA"),
    "keyCertSign is missing": ({"may_issue": False}, "not allowed to sign certificates"),
    "an unknown critical extension": ({"extra": UNKNOWN}, "unsupported critical extension"),
    "a name that is excluded": ({"extra": _excluded("Works")}, "excluded"),
    "a name that is not permitted": ({"extra": _permitted("Elsewhere")}, "not all names"),
    "extended key usage for servers": ({"usages": [ExtendedKeyUsageOID.SERVER_AUTH]}, "extended key usage"),
    "extended key usage for stamps": ({"usages": [STAMPS]}, "extended key usage"),
}


@pytest.mark.parametrize("purpose", [SIGNING, STAMPING, ANSWERING], ids=["signer", "stamper", "responder"])
@pytest.mark.parametrize("fault", list(FAULTS))
def test_an_intermediate_is_refused_for(fault: str, purpose: Purpose) -> None:
    made, why = FAULTS[fault]
    if purpose is STAMPING and made.get("usages") == [STAMPS]:
        made = {"usages": [EMAIL]}
    middle = make("middle", ROOT, **made)
    found = path([leaf(middle, [min(purpose.usages, key=str)]), middle], ROOT, purpose=purpose)
    assert found.certificates == ()
    assert why in found.refusal


def test_an_authority_of_signers_alone_may_name_a_responder() -> None:
    middle = make("middle", ROOT, usages=[EMAIL])
    responder = leaf(middle, [ExtendedKeyUsageOID.OCSP_SIGNING])
    assert path([responder, middle], ROOT, purpose=ANSWERING).certificates == certificates(responder, middle, ROOT)
    assert path([leaf(middle, [EMAIL]), middle], ROOT, purpose=ANSWERING).certificates == ()


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if "name" in fault])
def test_names_are_bound_by_the_anchor_too(fault: str) -> None:
    made, why = FAULTS[fault]
    root = make("root", **made)
    assert why in path([leaf(root)], root).refusal


def test_names_that_are_permitted_pass() -> None:
    root = make("root", extra=_permitted("Works"))
    assert path([end := leaf(root)], root).certificates == certificates(end, root)


@pytest.mark.parametrize("purpose", [SIGNING, STAMPING, ANSWERING], ids=["signer", "stamper", "responder"])
@pytest.mark.parametrize("above", ["anchor", "intermediate"])
def test_more_authorities_than_the_path_length_allows(above: str, purpose: Purpose) -> None:
    root = make("root", length=0 if above == "anchor" else None)
    first = make("first", root, length=None if above == "anchor" else 0)
    second = make("second", first)
    chain = [leaf(second, [min(purpose.usages, key=str)]), second, first]
    assert "path length" in path(chain, root, purpose=purpose).refusal


def test_an_authority_within_the_path_length_passes() -> None:
    root = make("root", length=1)
    middle = make("middle", root, length=0)
    assert path([end := leaf(middle), middle], root).certificates == certificates(end, middle, root)


def test_an_unknown_critical_extension_in_the_leaf() -> None:
    assert "unsupported critical extension" in path([leaf(ROOT, extra=UNKNOWN)], ROOT).refusal


@pytest.mark.parametrize(
    ("purpose", "usages", "holds"),
    [
        (SIGNING, [EMAIL], True),
        (SIGNING, [ObjectIdentifier("1.3.6.1.5.5.7.3.36")], True),
        (SIGNING, [ObjectIdentifier("1.3.6.1.4.1.62558.2.1")], True),
        (SIGNING, [STAMPS], False),
        (SIGNING, [ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE], False),
        (SIGNING, [], False),
        (STAMPING, [STAMPS], True),
        (STAMPING, [EMAIL], False),
        (ANSWERING, [ExtendedKeyUsageOID.OCSP_SIGNING], True),
        (ANSWERING, [EMAIL], False),
    ],
)
def test_the_leaf_must_be_for_the_purpose(purpose: Purpose, usages: list[ObjectIdentifier], holds: bool) -> None:
    assert bool(path([leaf(ROOT, usages)], ROOT, purpose=purpose).certificates) is holds


@pytest.mark.parametrize("usages", [[EMAIL], [ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE], [EMAIL, STAMPS]])
def test_an_authority_that_limits_itself_to_the_purpose_passes(usages: list[ObjectIdentifier]) -> None:
    middle = make("middle", ROOT, usages=usages)
    assert path([leaf(middle), middle], ROOT).certificates != ()


def test_an_authority_for_another_purpose_than_the_leaf_s() -> None:
    middle = make("middle", ROOT, usages=[ObjectIdentifier("1.3.6.1.5.5.7.3.36")])
    assert "an authority in the chain" in path([leaf(middle), middle], ROOT).refusal


@pytest.mark.parametrize(("upper", "holds"), [(EMAIL, True), (STAMPS, False)])
def test_an_authority_without_a_limit_does_not_hide_the_one_above_it(upper: ObjectIdentifier, holds: bool) -> None:
    first = make("first", ROOT, usages=[upper])
    second = make("second", first)
    assert bool(path([leaf(second), second, first], ROOT).certificates) is holds


def test_the_refusal_says_who_is_not_for_the_purpose() -> None:
    said = "the extended key usage of the certificate does not allow signing claims"
    assert path([leaf(ROOT, [STAMPS])], ROOT).refusal == said


def test_a_certificate_whose_extensions_cannot_be_read_is_refused() -> None:
    damaged = x509.UnrecognizedExtension(x509.PrecertificateSignedCertificateTimestamps.oid, b"no list")
    found = path([leaf(ROOT, extra=damaged, critical=False)], ROOT)
    assert found.certificates == ()
    assert found.refusal.startswith("an extension cannot be read")


def test_another_certificate_of_the_anchor_s_name_and_key_is_not_the_anchor() -> None:
    found = path([make("root")], ROOT)
    assert (found.certificates, found.refusal) == ((), "another certificate is given for the same name and key")


def test_a_refusal_is_cut() -> None:
    far, near = (
        x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, letter * length)])
        for letter, length in (("x", 500), ("y", 5))
    )
    stranger = x509.CertificateBuilder(far, near, LEAF.key.public_key(), 1, NOW - DAY, NOW + DAY)
    found = find_path([stranger.sign(ROOT.key, hashes.SHA256())], [ROOT.certificate], SIGNING, NOW)
    assert found.refusal.startswith('no issuer matching "Organization: xxx')
    assert len(found.refusal) == 300
