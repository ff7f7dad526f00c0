"""What every signer has whose key belongs to a certificate: the curve in, the algorithm's name and the chain out."""

from __future__ import annotations

from provenance.signers.curves import Curve


class CertifiedSigner:
    """curve: that of the leaf's key. chain_pem: the certificates, leaf first, without the root."""

    def __init__(self, curve: Curve, chain_pem: str) -> None:
        self._curve = curve
        self._chain_pem = chain_pem

    @property
    def alg(self) -> str:
        return self._curve.alg

    @property
    def chain_pem(self) -> str:
        return self._chain_pem
