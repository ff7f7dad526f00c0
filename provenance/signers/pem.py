"""A private key in a PEM file (PKCS#8, unencrypted, readable by its owner alone) and its certificate chain.

In: the key's path and the chain's PEM text. Out: a Signer. The algorithm follows from the key's curve.
"""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from provenance.pki.keys import require_private
from provenance.signers.certified import CertifiedSigner
from provenance.signers.curves import CURVES, plain_signature
from sfumato.errors import SealError


class PemSigner(CertifiedSigner):
    """Signs with the key in `key_path`. Raises SealError if others may read it, or it does not fit `chain_pem`."""

    def __init__(self, key_path: Path, chain_pem: str) -> None:
        require_private(key_path)
        try:
            key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
            leaf = x509.load_pem_x509_certificates(chain_pem.encode("ascii"))[0]
        except TypeError as error:
            raise SealError(
                f"The private key {key_path} is protected by a password", "Give an unencrypted PKCS#8 file."
            ) from error
        except (OSError, ValueError) as error:
            advice = "Both must be PEM; the chain starts with the leaf."
            raise SealError(f"Cannot load the key {key_path} and its chain: {error}", advice) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name not in CURVES:
            raise SealError(
                f"The private key {key_path} is of a kind that is not supported",
                f"Use a key on one of: {', '.join(CURVES)}.",
            )
        if leaf.public_key() != key.public_key():
            raise SealError(
                f"The private key {key_path} does not belong to the certificate", "Give the leaf's own key and chain."
            )
        super().__init__(CURVES[key.curve.name], chain_pem)
        self._key = key

    def sign(self, data: bytes) -> bytes:
        """data: what is to be signed. Returns r || s, big-endian, 2 x 32, 48 or 66 bytes."""
        return plain_signature(self._key.sign(data, ec.ECDSA(self._curve.digest)), self._curve)
