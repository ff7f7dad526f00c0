"""Who signs: one protocol, one file a kind of key, one line a kind in the registry.

A signer gives its algorithm's name, its certificate chain, and raw signatures; where the key lies is its own business.
`signer_from` finds one by its specification: pem:KEY, a pkcs11: URI, or module:callable.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from sfumato.errors import SealError, UsageError
from sfumato.limits import TRUST
from sfumato.registry import Registry
from sfumato.regular_file import read_regular

REGISTRY = Registry(
    "signer",
    {
        "pem": "provenance.signers.pem:PemSigner",
        "pkcs11": "provenance.signers.pkcs11:Pkcs11Signer",
        "callable": "provenance.signers.callable:CallableSigner",
    },
    {"pkcs11": "pkcs11"},
)


class Signer(Protocol):
    """What a seal needs from a key."""

    @property
    def alg(self) -> str:
        """The C2PA name of the algorithm, lower case: es256, es384, es512, ps256, ps384, ps512, ed25519."""
        ...

    @property
    def chain_pem(self) -> str:
        """The certificates, leaf first, without the root."""
        ...

    def sign(self, data: bytes) -> bytes:
        """The signature of `data` (not of a digest) as COSE wants it: of ECDSA r || s, each as long as the curve's
        order.
        """
        ...


def signer_from(specification: str, chain: Path | None, algorithm: str = "") -> Signer:
    """The signer that `specification` names, with the certificates in the file `chain`. `algorithm`: of an RSA key.

    Raises UsageError for a specification that names none, MissingPartError for an extra that is not installed,
    SealError for a key or a chain that cannot be used.
    """
    kind, _, rest = specification.partition(":")
    if not rest:
        raise UsageError(
            f"{specification!r} does not name a signer", "Give pem:KEY, a pkcs11: URI, or module:callable."
        )
    if chain is None:
        raise UsageError("A signer needs its certificates", "Give --chain FILE: PEM, the leaf first, without the root.")
    try:
        chain_pem = read_regular(chain, TRUST).decode("latin-1")  # text between the certificates may be anything
    except OSError as error:
        raise SealError(f"Cannot read the certificate chain {chain}: {error}", "Give PEM, the leaf first.") from error
    signer: Signer
    if kind == "pem":
        signer = REGISTRY.load("pem")(Path(rest), chain_pem, algorithm)
    elif kind == "pkcs11":
        signer = REGISTRY.load("pkcs11")(specification, chain_pem, algorithm)
    else:
        from provenance.signers.callable import named_callable

        signer = REGISTRY.load("callable")(named_callable(specification), chain_pem, algorithm)
    return signer
