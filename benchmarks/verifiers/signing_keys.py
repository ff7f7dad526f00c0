"""A signer for each kind of key that `sfumato sign` takes, with a development certificate.

In: the name of a kind, and a folder for the authority. Out: a `Signer`, its key made on the spot and kept in memory.
Root and intermediate are on P-256; the kind is that of the signer's own key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from provenance.pki.keys import development_chain_for
from provenance.signers import Signer
from provenance.signers.algorithms import SMALLEST_RSA, PrivateKey, algorithm_of, signed
from provenance.signers.callable import CallableSigner

KEYS: Mapping[str, Callable[[], PrivateKey]] = {
    "P-256": partial(ec.generate_private_key, ec.SECP256R1()),
    "P-384": partial(ec.generate_private_key, ec.SECP384R1()),
    "P-521": partial(ec.generate_private_key, ec.SECP521R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "RSA": partial(rsa.generate_private_key, 65537, SMALLEST_RSA),
}


def new_signer(name: str, authority: Path) -> Signer:
    """Signs with a new key of the kind called `name`. `authority`: a folder of development keys, whose intermediate
    certifies it.
    """
    key = KEYS[name]()
    chain = development_chain_for(key.public_key(), authority)
    return CallableSigner(partial(signed, key=key, algorithm=algorithm_of(key)), chain)
