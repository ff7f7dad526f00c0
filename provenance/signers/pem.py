"""A private key in a PEM file (PKCS#8, unencrypted, readable by its owner alone) and its certificate chain.

In: the key's path and the chain's PEM text. Out: a Signer. The algorithm follows from the kind of key.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

from cryptography.hazmat.primitives import serialization

from provenance.pki.keys import require_private
from provenance.signers.algorithms import PrivateKey, algorithm_of, signed
from provenance.signers.certified import CertifiedSigner
from sfumato.errors import SealError


class PemSigner(CertifiedSigner):
    """Signs with the key in `key_path`. Raises SealError if others may read it, or it does not fit `chain_pem`."""

    def __init__(self, key_path: Path, chain_pem: str, algorithm: str = "") -> None:
        require_private(key_path)
        try:
            key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
        except TypeError as error:
            raise SealError(
                f"The private key {key_path} is protected by a password", "Give an unencrypted PKCS#8 file."
            ) from error
        except (OSError, ValueError) as error:
            raise SealError(f"Cannot load the key {key_path}: {error}", "It must be PEM.") from error
        algorithm_of(key, algorithm)
        super().__init__(chain_pem, algorithm)
        if self._public != key.public_key():
            raise SealError(
                f"The private key {key_path} does not belong to the certificate", "Give the leaf's own key and chain."
            )
        self._key = cast("PrivateKey", key)

    def sign(self, data: bytes) -> bytes:
        """data: what is to be signed. Returns what COSE wants: of ECDSA r || s, big-endian, 2 x 32, 48 or 66 bytes."""
        return signed(data, self._key, self._algorithm)
