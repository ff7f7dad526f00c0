"""Certificates: trust anchors as PEM, a chain put in order to be shown, and a certificate as plain values.

In: PEM, or certificates out of a file. Out: certificates, or text about them. Whether a chain leads to an anchor is for
provenance.pki.paths to say; nothing here vouches for anything.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from provenance.pki.paths import LONGEST_CHAIN, UNREADABLE_CERTIFICATE
from sfumato.errors import UsageError
from sfumato.limits import CERTIFICATES, TRUST
from sfumato.regular_file import read_regular

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


def read_anchors(path: Path) -> bytes:
    """The PEM file at `path`. Raises UsageError if it cannot be read, or holds no certificate."""
    try:
        pem = read_regular(path, TRUST)
    except OSError as error:
        raise UsageError(f"Cannot read the trust list {path}: {error.strerror}") from error
    try:
        load_anchors([pem])
    except UsageError as error:
        raise UsageError(error.message.replace("A trust list", str(path), 1), error.advice) from error
    return pem


def load_anchors(pems: Sequence[bytes]) -> list[x509.Certificate]:
    """All certificates in `pems`. Raises UsageError if one of them holds none: an empty trust list is a mistake, not a
    policy.
    """
    anchors = []
    for pem in pems:
        CERTIFICATES.hold("A trust list", pem.count(b"-----BEGIN CERTIFICATE"), UsageError)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # old roots have odd serial numbers
                anchors += x509.load_pem_x509_certificates(pem)
        except UNREADABLE_CERTIFICATE as error:
            raise UsageError(
                "A trust list holds no readable certificate", "Give a PEM file with root certificates."
            ) from error
    return anchors


def ordered(leaf: x509.Certificate, others: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """A chain out of certificates that come in any order: the leaf, then whoever signed it, as far as that goes."""
    chain = [leaf]
    while len(chain) < LONGEST_CHAIN:
        issuer = next((other for other in others if other not in chain and is_issuer(other, chain[-1])), None)
        if issuer is None:
            break
        chain.append(issuer)
    return tuple(chain)


def outside_validity(path: Sequence[x509.Certificate], when: datetime) -> x509.Certificate | None:
    """The first certificate below the anchor that was not valid at `when`. An anchor is vouched for by whoever gave
    it.
    """
    return not_valid(path[:-1], when)


def not_valid(certificates: Sequence[x509.Certificate], when: datetime) -> x509.Certificate | None:
    """The first one that was not valid at `when`."""
    return next(
        (each for each in certificates if not each.not_valid_before_utc <= when <= each.not_valid_after_utc), None
    )


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


def is_issuer(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    """By name and signature; whether it was allowed to is another question."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
