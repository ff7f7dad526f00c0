"""Was the signer's certificate revoked? OCSP (RFC 6960), our own look: the answer in the file, or one that is asked
for.

In: the signer's certificate and its issuer, answers in DER, the time that counts. Out: a `Revocation`. An answer counts
only if it is about this certificate, signed by the issuer or by a responder that the issuer named, and valid at that
time. No answer is no "good". The library leaves out answers that the issuer signs itself; these count here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, SignatureAlgorithmOID

from provenance.pki.certificates import outside_validity
from provenance.pki.paths import ANSWERING, UNREADABLE_CERTIFICATE, find_path

if TYPE_CHECKING:
    from provenance.pki.remote import Remote

NOT_REVOKED, REVOKED = "signingCredential.ocsp.notRevoked", "signingCredential.ocsp.revoked"
GOOD, GOOD_THEN = "not revoked", "not revoked at signing"
CLOCKS_DIFFER = timedelta(minutes=5)
WITHOUT_END = timedelta(days=7)  # how long an answer counts that does not say it
LARGEST_ANSWER = 1024 * 1024
# Of the certificate profile (C2PA specification 2.4, section 14.5.1).
_PSS_DIGESTS = {each.name: each for each in (hashes.SHA256(), hashes.SHA384(), hashes.SHA512())}
_BAD = (
    *UNREADABLE_CERTIFICATE,
    *(TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError),
    *(InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound),
)


@dataclass(frozen=True)
class Revocation:
    """state: "not revoked", "not revoked at signing" (but since), "revoked", or "unknown". `source`: "in the file",
    "asked", or "". `at`: the time of the answer, ISO 8601.
    """

    state: str = "unknown"
    reason: str = "no answer about the certificate"
    source: str = ""
    at: str | None = None

    @property
    def good(self) -> bool:
        """An acceptable answer says that the certificate was not revoked when it counted."""
        return self.state in (GOOD, GOOD_THEN)


def look(
    leaf: x509.Certificate,
    issuer: x509.Certificate,
    answers: Sequence[bytes],
    when: datetime,
    source: str,
    above: Sequence[x509.Certificate] = (),
    signed: datetime | None = None,
) -> Revocation:
    """The worst that acceptable answers say: one "revoked" outweighs any "not revoked". `above`: the path from the
    issuer's own issuer up to the anchor, whose constraints bind a responder, too. `signed`: the time of a recognised
    time-stamp; a certificate that was revoked after it was good when it signed (C2PA specification 2.4, section
    15.9.2), for whatever reason.
    """
    found = Revocation()
    for answer in answers:
        said = _read(leaf, (issuer, *above), answer, when, source, signed)
        if said.state == "revoked":
            return said
        if found.state != GOOD_THEN and (said.good or found.state == "unknown"):
            found = said
    return found


def ask(
    leaf: x509.Certificate,
    issuer: x509.Certificate,
    remote: Remote,
    now: datetime,
    above: Sequence[x509.Certificate] = (),
    signed: datetime | None = None,
) -> Revocation:
    """Asks the responder that the certificate names, if its host is allowed."""
    from provenance.pki.remote import RefusedError

    address = responder_address(leaf)
    if address is None:
        return Revocation(reason="the certificate names no responder")
    request = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, hashes.SHA1()).build()  # noqa: S303  the hash that every responder knows
    body = request.public_bytes(serialization.Encoding.DER)
    try:
        answer = remote.fetch(
            address, body=body, media_type="application/ocsp-request", plain=True, largest=LARGEST_ANSWER
        )
    except RefusedError as error:
        return Revocation(reason=f"the responder was not asked, or gave no answer: {error}")
    return look(leaf, issuer, [answer], now, "asked", above, signed)


def responder_address(leaf: x509.Certificate) -> str | None:
    """Where the certificate says to ask; foreign text."""
    try:
        places = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except (x509.ExtensionNotFound, *UNREADABLE_CERTIFICATE):
        return None
    kind = AuthorityInformationAccessOID.OCSP
    return next(
        (place.access_location.value for place in places if place.access_method == kind and _is_address(place)), None
    )


def _is_address(place: x509.AccessDescription) -> bool:
    return isinstance(place.access_location, x509.UniformResourceIdentifier)


def _read(
    leaf: x509.Certificate,
    issuers: Sequence[x509.Certificate],
    answer: bytes,
    when: datetime,
    source: str,
    signed: datetime | None,
) -> Revocation:
    try:
        response = ocsp.load_der_ocsp_response(answer)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return Revocation(reason=f"the responder says {response.response_status.name.lower()}", source=source)
        single = next((each for each in response.responses if _is_about(each, leaf, issuers[0])), None)
        if single is None:
            return Revocation(reason="the answer is about another certificate", source=source)
        if not _signed(response, issuers, when):
            return Revocation(
                reason="the answer is not signed by the issuer, or a responder it named that was valid then",
                source=source,
            )
        start, at = single.this_update_utc, single.this_update_utc.isoformat()
        released = single.revocation_reason is x509.ReasonFlags.remove_from_crl
        if single.certificate_status is ocsp.OCSPCertStatus.REVOKED and not released:
            return _revoked(single, signed, source)
        if not start - CLOCKS_DIFFER <= when <= (single.next_update_utc or start + WITHOUT_END) + CLOCKS_DIFFER:
            return Revocation(reason=f"the answer of {at} does not cover {when.isoformat()}", source=source, at=at)
        if released or single.certificate_status is ocsp.OCSPCertStatus.GOOD:
            return Revocation(GOOD, f"good, says the answer of {at}", source, at)
        return Revocation(reason="the responder does not know the certificate", source=source, at=at)
    except _BAD as error:
        return Revocation(reason=f"the answer cannot be read: {error}", source=source)


def _revoked(single: ocsp.OCSPSingleResponse, signed: datetime | None, source: str) -> Revocation:
    at, revoked = single.this_update_utc.isoformat(), single.revocation_time_utc
    why = f"revoked on {revoked}"
    if single.revocation_reason is not None:
        why += f" ({single.revocation_reason.value})"
    if signed is not None and revoked is not None and revoked > signed:
        return Revocation(GOOD_THEN, f"{why}, after the time-stamp of {signed}", source, at)
    return Revocation("revoked", why, source, at)


def _is_about(single: ocsp.OCSPSingleResponse, leaf: x509.Certificate, issuer: x509.Certificate) -> bool:
    request = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, single.hash_algorithm).build()
    return (single.serial_number, single.issuer_name_hash, single.issuer_key_hash) == (
        request.serial_number,
        request.issuer_name_hash,
        request.issuer_key_hash,
    )


def _signed(response: ocsp.OCSPResponse, issuers: Sequence[x509.Certificate], when: datetime) -> bool:
    """By the issuer itself, or by a certificate in the answer that the issuer made for this purpose (RFC 6960, section
    4.2.2.2).
    """
    candidates = [
        issuers[0],
        *(each for each in response.certificates if each != issuers[0] and _delegated(each, issuers, when)),
    ]
    return any(_signed_by(response, candidate) for candidate in candidates)


def _delegated(responder: x509.Certificate, issuers: Sequence[x509.Certificate], when: datetime) -> bool:
    """Made by the issuer itself for answering, valid then, and within what the authorities above the issuer allow."""
    path = find_path([responder, *issuers[:-1]], issuers[-1:], ANSWERING, when).certificates
    return path[1:] == tuple(issuers) and outside_validity(path[:2], when) is None


def _signed_by(response: ocsp.OCSPResponse, responder: x509.Certificate) -> bool:
    key, pss = responder.public_key(), response.signature_algorithm_oid == SignatureAlgorithmOID.RSASSA_PSS
    digest = None if pss else response.signature_hash_algorithm
    try:
        if isinstance(key, rsa.RSAPublicKey) and pss:
            key.verify(response.signature, response.tbs_response_bytes, *_stated_pss(response))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(response.signature, response.tbs_response_bytes)
        elif isinstance(key, ec.EllipticCurvePublicKey) and digest is not None:
            key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(digest))
        elif isinstance(key, rsa.RSAPublicKey) and digest is not None:
            key.verify(response.signature, response.tbs_response_bytes, padding.PKCS1v15(), digest)
        else:
            return False
    except _BAD:
        return False
    return True


def _stated_pss(response: ocsp.OCSPResponse) -> tuple[padding.PSS, hashes.HashAlgorithm]:
    """RSASSA-PSS as the answer states it (RFC 4055, section 3.1). Raises one of _BAD for parameters that the
    certificate profile does not allow: a digest that is left out (SHA-1) or old, a mask of another digest.
    """
    from asn1crypto import ocsp as asn1

    answer = asn1.OCSPResponse.load(response.public_bytes(serialization.Encoding.DER))
    stated = answer["response_bytes"]["response"].parsed["signature_algorithm"]["parameters"].native
    mask, name = stated["mask_gen_algorithm"], stated["hash_algorithm"]["algorithm"]
    if (mask["algorithm"], mask["parameters"]["algorithm"]) != ("mgf1", name):
        raise ValueError("RSASSA-PSS with a mask of another digest")
    if stated["trailer_field"] != "trailer_field_bc":
        raise ValueError("RSASSA-PSS with another trailer")
    digest = _PSS_DIGESTS[name]
    return padding.PSS(padding.MGF1(digest), stated["salt_length"]), digest
