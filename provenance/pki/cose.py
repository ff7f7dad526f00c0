"""What a claim signature carries beside itself: the signer's certificates, time-stamp tokens, revocation answers.

In: the bytes of a manifest store and the label of the manifest. Out: `EmbeddedSignature`. The signature is a COSE_Sign1
(RFC 9052) in the JUMBF box c2pa.signature; certificates are in the header x5chain (RFC 9360), tokens in sigTst or
sigTst2, OCSP answers in rVals (C2PA 2.4, sections 10.3.2.5 and 14.5). A time-stamp token is read as far as needed to
know which certificate signed it, by asn1crypto: in Python, so that a hostile one can raise an error and nothing worse.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization.pkcs7 import load_der_pkcs7_certificates
from cryptography.x509.oid import ExtendedKeyUsageOID

from provenance.formats.jumbf import boxes, cbor, descend
from provenance.pki.certificates import ordered
from provenance.pki.paths import LONGEST_CHAIN, UNREADABLE_CERTIFICATE

if TYPE_CHECKING:
    from asn1crypto import cms

X5CHAIN = (33, "x5chain")  # RFC 9360, and the text label of older claims
STAMPS = ("sigTst2", "sigTst")
MOST_ANSWERS = 10
UNREADABLE = (
    *UNREADABLE_CERTIFICATE,
    IndexError,
    TypeError,
    KeyError,
    AttributeError,
    RecursionError,
    UnsupportedAlgorithm,
)


@dataclass(frozen=True)
class EmbeddedSignature:
    """chain: the signer's certificates, leaf first. tokens: RFC 3161, DER. answers: OCSP, DER. Empty where nothing can
    be read.
    """

    chain: tuple[x509.Certificate, ...] = ()
    tokens: tuple[bytes, ...] = ()
    answers: tuple[bytes, ...] = ()


def read_signature(store: bytes, label: str) -> EmbeddedSignature:
    """The signature of the manifest `label`. Empty if it cannot be found or read, or is there twice."""
    try:
        contents = descend(store, (None, label, "c2pa.signature"))
        signatures = [cose for content in contents for kind, cose in boxes(content) if kind == b"cbor"]
        if len(signatures) != 1:  # two: which one did the library check?
            return EmbeddedSignature()
        message = cbor(signatures[0])  # COSE_Sign1: [protected, unprotected, payload, signature]
        protected = cbor(message[0]) if message[0] else {}
        return EmbeddedSignature(_chain(protected, message[1]), tuple(_tokens(message[1])), tuple(_answers(message[1])))
    except UNREADABLE:
        return EmbeddedSignature()


def stamper_chain(token: bytes) -> tuple[x509.Certificate, ...]:
    """The certificate that signed a time-stamp token, then those above it in the token. Empty unless there is exactly
    one signer.

    A token is a TimeStampToken, or a whole TimeStampResp around one.
    """
    try:
        message = _content_info(token)
        issuer, serial = _signer_id(message)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some authorities have odd serial numbers
            certificates = load_der_pkcs7_certificates(message.dump())
            signers = [
                each
                for each in dict.fromkeys(certificates)
                if each.serial_number == serial and each.issuer.public_bytes() == issuer
            ]
            return ordered(signers[0], certificates) if len(signers) == 1 and _may_stamp(signers[0]) else ()
    except UNREADABLE:
        return ()


def _chain(protected: Mapping[Any, Any], unprotected: Mapping[Any, Any]) -> tuple[x509.Certificate, ...]:
    for headers in (protected, unprotected):
        for key in X5CHAIN:
            if key in headers:
                found = headers[key]
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    ders = (found if isinstance(found, (list, tuple)) else [found])[:LONGEST_CHAIN]
                    return tuple(x509.load_der_x509_certificate(der) for der in ders)
    return ()


def _tokens(headers: Mapping[Any, Any]) -> Iterator[bytes]:
    for name in STAMPS:
        for entry in headers.get(name, {}).get("tstTokens", []):
            if isinstance(entry["val"], bytes):
                yield entry["val"]


def _answers(headers: Mapping[Any, Any]) -> list[bytes]:
    values = headers.get("rVals", {}).get("ocspVals", [])
    return [value for value in values if isinstance(value, bytes)][:MOST_ANSWERS]


def _may_stamp(certificate: x509.Certificate) -> bool:
    """A certificate for time-stamps and nothing else (RFC 3161, section 2.3)."""
    try:
        usages = list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return False
    return usages == [ExtendedKeyUsageOID.TIME_STAMPING]


def _content_info(data: bytes) -> cms.ContentInfo:
    """The CMS message: `data` itself, or the token inside a TimeStampResp."""
    from asn1crypto import cms, core, tsp

    if isinstance(core.Sequence.load(data)[0], core.Sequence):  # PKIStatusInfo; a message begins with what kind it is
        token: cms.ContentInfo = tsp.TimeStampResp.load(data)["time_stamp_token"]
        return token
    return cms.ContentInfo.load(data)


def _signer_id(message: cms.ContentInfo) -> tuple[bytes, int]:
    """Issuer (DER) and serial number that the only SignerInfo names (RFC 5652, section 5.3). Raises ValueError for any
    other form.
    """
    if message["content_type"].native != "signed_data":
        raise ValueError("not signed data")
    signers = message["content"]["signer_infos"]
    if len(signers) != 1:
        raise ValueError("not one signer")
    identity = signers[0]["sid"]
    if identity.name != "issuer_and_serial_number":
        raise ValueError("a signer named in another way")
    return identity.chosen["issuer"].dump(), identity.chosen["serial_number"].native
