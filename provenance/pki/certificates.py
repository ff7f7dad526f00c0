"""Certificates: trust anchors as PEM, a chain followed up to one of them, and a certificate as plain values to show.

In: certificates out of a file, and the roots that somebody gave for one purpose: signing, or stamping times. Out: the
path from the leaf to a root, or nothing. This is our own look beside the library's, which takes a root given for
time-stamps as good for signers too, and the reverse.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from sfumato.errors import UsageError

LONGEST_CHAIN = 10
MOST_CHARACTERS = 200  # of one name in a certificate


@dataclass(frozen=True)
class CertificateView:
    """What a person is shown of a certificate. `fingerprint`: SHA-256 of its DER, hex; times: ISO 8601, UTC. `anchor`:
    given here.
    """

    subject: str
    issuer: str
    common_name: str | None
    organisation: str | None
    not_before: str
    not_after: str
    fingerprint: str
    anchor: bool = False


def load_anchors(pems: Sequence[bytes]) -> list[x509.Certificate]:
    """All certificates in `pems`. Raises UsageError if one of them holds none: an empty trust list is a mistake, not a
    policy.
    """
    anchors = []
    for pem in pems:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # old roots have odd serial numbers
                anchors += x509.load_pem_x509_certificates(pem)
        except ValueError as error:
            raise UsageError(
                "A trust list holds no readable certificate", "Give a PEM file with root certificates."
            ) from error
    return anchors


def path_to(chain: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """The certificates from the leaf up to an anchor, both included; empty if there is no such path.

    Each certificate of `chain` must be issued by the next, and whoever issues must be allowed to (basic constraints,
    key usage).
    """
    for index, certificate in enumerate(chain[:LONGEST_CHAIN]):
        if certificate in anchors:
            return tuple(chain[: index + 1])
        issuer = next((anchor for anchor in anchors if _issued(certificate, anchor)), None)
        if issuer is not None:
            return (*chain[: index + 1], issuer)
        if index + 1 >= len(chain) or not _issued(certificate, chain[index + 1]):
            return ()
    return ()


def ordered(leaf: x509.Certificate, others: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """A chain out of certificates that come in any order: the leaf, then whoever issued it, as far as that goes."""
    chain = [leaf]
    while len(chain) < LONGEST_CHAIN:
        issuer = next((other for other in others if other not in chain and _issued(chain[-1], other)), None)
        if issuer is None:
            break
        chain.append(issuer)
    return tuple(chain)


def outside_validity(path: Sequence[x509.Certificate], when: datetime) -> x509.Certificate | None:
    """The first certificate below the anchor that was not valid at `when`. An anchor is vouched for by whoever gave
    it.
    """
    return next((each for each in path[:-1] if not each.not_valid_before_utc <= when <= each.not_valid_after_utc), None)


def view(certificate: x509.Certificate, anchors: Sequence[x509.Certificate] = ()) -> CertificateView:
    """Plain values of a certificate; the names in it are foreign text, cut but not escaped."""
    return CertificateView(
        subject=_whole_name(certificate, "subject"),
        issuer=_whole_name(certificate, "issuer"),
        common_name=next(names(certificate, NameOID.COMMON_NAME), None),
        organisation=next(names(certificate, NameOID.ORGANIZATION_NAME), None),
        not_before=certificate.not_valid_before_utc.isoformat(),
        not_after=certificate.not_valid_after_utc.isoformat(),
        fingerprint=fingerprint(certificate),
        anchor=certificate in anchors,
    )


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate's DER, hex."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def names(certificate: x509.Certificate, kind: x509.ObjectIdentifier) -> Iterator[str]:
    """The subject's names of one kind. A name that cannot be decoded is left out."""
    try:
        attributes = certificate.subject.get_attributes_for_oid(kind)
    except ValueError:
        return
    yield from (str(attribute.value)[:MOST_CHARACTERS] for attribute in attributes)


def _whole_name(certificate: x509.Certificate, which: str) -> str:
    try:
        name: x509.Name = getattr(certificate, which)
        return name.rfc4514_string()[: 2 * MOST_CHARACTERS]
    except ValueError:
        return ""


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
        return _may_issue(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False


def _may_issue(issuer: x509.Certificate) -> bool:
    """A certificate authority, and not one that its key usage forbids to sign certificates."""
    try:
        if not issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
        return issuer.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound as missing:
        return missing.oid == x509.KeyUsage.oid  # no key usage forbids nothing; no basic constraints: no authority
