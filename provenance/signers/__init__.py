"""Who signs: one protocol, one file a kind of key, one line a kind in the registry.

A signer gives its algorithm's name, its certificate chain, and raw signatures; where the key lies is its own business.
"""

from __future__ import annotations

from typing import Protocol

from sfumato.registry import Registry

REGISTRY = Registry("signer", {"pem": "provenance.signers.pem:PemSigner"})


class Signer(Protocol):
    """What a seal needs from a key."""

    @property
    def alg(self) -> str:
        """The C2PA name of the algorithm, lower case: es256, es384, es512."""
        ...

    @property
    def chain_pem(self) -> str:
        """The certificates, leaf first, without the root."""
        ...

    def sign(self, data: bytes) -> bytes:
        """The signature of `data` (not of a digest) as COSE wants it: r || s, each as long as the curve's order."""
        ...
