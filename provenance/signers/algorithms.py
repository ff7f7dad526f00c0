"""The algorithms that signers use, and how a signature of each is written and checked.

In: a certificate chain (PEM, leaf first), or a signature. Out: the leaf's `Algorithm` and public key; a signature as
COSE wants it (RFC 9053: r || s of ECDSA, the bare bytes of EdDSA; RFC 8230: of RSASSA-PSS), checked against the leaf: a
token or a service that signs with another key is found out here, where its name is still known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from provenance.pki.paths import UNREADABLE_CERTIFICATE
from sfumato.errors import SealError, UsageError

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
SMALLEST_RSA = 2048  # bits (C2PA specification 2.4, section 13.2.1)


@dataclass(frozen=True)
class Algorithm:
    """alg: the C2PA name. digest: what it hashes with. size: bytes of r and of s; 0 where there are no such parts."""

    alg: str
    digest: hashes.HashAlgorithm
    size: int = 0


CURVES = {
    "secp256r1": Algorithm("es256", hashes.SHA256(), 32),
    "secp384r1": Algorithm("es384", hashes.SHA384(), 48),
    "secp521r1": Algorithm("es512", hashes.SHA512(), 66),
}
PSS = {
    "ps256": Algorithm("ps256", hashes.SHA256()),
    "ps384": Algorithm("ps384", hashes.SHA384()),
    "ps512": Algorithm("ps512", hashes.SHA512()),
}
EDWARDS = Algorithm("ed25519", hashes.SHA512())


def algorithm_of(key: Any, wanted: str = "") -> Algorithm:
    """What a key, public or private, signs with. `wanted`: which algorithm of several; empty: the usual one.

    Raises SealError for a key of another kind or a short one, UsageError if it does not sign with the one wanted.
    """
    if isinstance(key, ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey) and key.curve.name in CURVES:
        known = {CURVES[key.curve.name].alg: CURVES[key.curve.name]}
    elif isinstance(key, rsa.RSAPublicKey | rsa.RSAPrivateKey):
        if key.key_size < SMALLEST_RSA:
            raise SealError(f"The RSA key has {key.key_size} bits", f"C2PA wants {SMALLEST_RSA} at least.")
        known = PSS
    elif isinstance(key, ed25519.Ed25519PublicKey | ed25519.Ed25519PrivateKey):
        known = {EDWARDS.alg: EDWARDS}
    else:
        raise SealError(
            "The key is of a kind that is not supported", f"Use one on {', '.join(CURVES)}, an RSA or an Ed25519 key."
        )
    if wanted and wanted not in known:
        raise UsageError(f"The key does not sign with {wanted}", f"It signs with: {', '.join(known)}.")
    return known[wanted or next(iter(known))]


def leaf_of(chain_pem: str, wanted: str = "") -> tuple[Algorithm, PublicKey]:
    """The algorithm and the public key of the first certificate. Raises SealError for no certificate, and what
    `algorithm_of` raises.
    """
    try:
        key: Any = x509.load_pem_x509_certificates(chain_pem.encode())[0].public_key()
    except UNREADABLE_CERTIFICATE as error:
        raise SealError(f"The certificate chain cannot be read: {error}", "Give PEM, the leaf first.") from error
    return algorithm_of(key, wanted), key


def signed(data: bytes, key: PrivateKey, algorithm: Algorithm) -> bytes:
    """The signature of `data`, as COSE wants it."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return plain_signature(key.sign(data, ec.ECDSA(algorithm.digest)), algorithm)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, _pss(algorithm), algorithm.digest)
    return key.sign(data)


def plain_signature(signature: bytes, algorithm: Algorithm) -> bytes:
    """r || s from r || s, or from DER, which most key services return; that of another algorithm as it is. Raises
    SealError for neither.
    """
    size = algorithm.size
    if len(signature) == 2 * size or not size:
        return signature
    try:
        r, s = decode_dss_signature(signature)
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    except (ValueError, OverflowError) as error:
        advice = f"For {algorithm.alg} it must be r || s ({2 * size} bytes) or DER."
        raise SealError(f"The signer returned {len(signature)} bytes that are no signature", advice) from error


def checked_signature(signature: bytes, data: bytes, algorithm: Algorithm, key: PublicKey) -> bytes:
    """`signature` as COSE wants it. Raises SealError unless `key` made it of `data`."""
    plain = plain_signature(signature, algorithm)
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            r, s = (int.from_bytes(part, "big") for part in (plain[: algorithm.size], plain[algorithm.size :]))
            key.verify(encode_dss_signature(r, s), data, ec.ECDSA(algorithm.digest))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(plain, data, _pss(algorithm), algorithm.digest)
        else:
            key.verify(plain, data)
    except InvalidSignature as error:
        raise SealError(
            "The signer's signature does not fit the certificate",
            f"Give the chain that belongs to its key; it must sign with {algorithm.alg}.",
        ) from error
    return plain


def _pss(algorithm: Algorithm) -> padding.PSS:
    """RFC 8230, section 2: the salt is as long as the digest."""
    return padding.PSS(padding.MGF1(algorithm.digest), algorithm.digest.digest_size)
