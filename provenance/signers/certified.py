"""What every signer has whose key belongs to a certificate: its certificates in, the algorithm and the chain out."""

from __future__ import annotations

from provenance.signers.algorithms import leaf_of
from provenance.signers.chain import signing_chain


class CertifiedSigner:
    """chain_pem: its certificates, put in order here. `algorithm`: which one of several an RSA key signs with; empty:
    ps256. Raises SealError for a chain that cannot be used, UsageError for an algorithm of another kind of key.
    """

    def __init__(self, chain_pem: str, algorithm: str = "") -> None:
        self._chain_pem = signing_chain(chain_pem)
        self._algorithm, self._public = leaf_of(self._chain_pem, algorithm)

    @property
    def alg(self) -> str:
        return self._algorithm.alg

    @property
    def chain_pem(self) -> str:
        """Leaf first, without the root."""
        return self._chain_pem
