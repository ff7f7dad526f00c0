"""The elliptic curves that signers use, and the two ways to write a signature on one.

In: a certificate chain (PEM, leaf first), or a signature. Out: the leaf's `Curve` and public key; a signature as COSE
wants it, r || s, checked against the leaf: a token or a service that signs with another key is found out here, where
its name is still known.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from sfumato.errors import SealError


@dataclass(frozen=True)
class Curve:
    """alg: the C2PA name. digest: what the algorithm hashes with. size: bytes of r and of s."""

    alg: str
    digest: hashes.HashAlgorithm
    size: int


CURVES = {
    "secp256r1": Curve("es256", hashes.SHA256(), 32),
    "secp384r1": Curve("es384", hashes.SHA384(), 48),
    "secp521r1": Curve("es512", hashes.SHA512(), 66),
}


def leaf_of(chain_pem: str) -> tuple[Curve, ec.EllipticCurvePublicKey]:
    """The curve and the public key of the first certificate. Raises SealError for no certificate, or a key of another
    kind.
    """
    try:
        key = x509.load_pem_x509_certificates(chain_pem.encode("ascii"))[0].public_key()
    except ValueError as error:
        raise SealError(f"The certificate chain cannot be read: {error}", "Give PEM, the leaf first.") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in CURVES:
        raise SealError(
            "The certificate's key is of a kind that is not supported", f"Use a key on one of: {', '.join(CURVES)}."
        )
    return CURVES[key.curve.name], key


def plain_signature(signature: bytes, curve: Curve) -> bytes:
    """r || s from r || s, or from DER, which most key services return. Raises SealError for neither."""
    if len(signature) == 2 * curve.size:
        return signature
    try:
        r, s = decode_dss_signature(signature)
        return r.to_bytes(curve.size, "big") + s.to_bytes(curve.size, "big")
    except (ValueError, OverflowError) as error:
        advice = f"For {curve.alg} it must be r || s ({2 * curve.size} bytes) or DER."
        raise SealError(f"The signer returned {len(signature)} bytes that are no signature", advice) from error


def checked_signature(signature: bytes, data: bytes, curve: Curve, key: ec.EllipticCurvePublicKey) -> bytes:
    """`signature` as r || s. Raises SealError unless `key` made it of `data`."""
    plain = plain_signature(signature, curve)
    r, s = int.from_bytes(plain[: curve.size], "big"), int.from_bytes(plain[curve.size :], "big")
    try:
        key.verify(encode_dss_signature(r, s), data, ec.ECDSA(curve.digest))
    except InvalidSignature as error:
        raise SealError(
            "The signer's signature does not fit the certificate", "Give the chain that belongs to its key."
        ) from error
    return plain
