"""The algorithm follows from the certificate's curve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from provenance.manifests.declaration import Declaration
from provenance.pki.keys import DevelopmentKeys, development_chain_for
from provenance.signers.callable import CallableSigner
from provenance.signing.sign import sign_file
from provenance.verifying.verify import verify


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_the_algorithm_follows_from_the_certificate(
    tmp_path: Path, keys: DevelopmentKeys, unsealed: Path, root: bytes, curve: Any
) -> None:
    key = ec.generate_private_key(curve)
    chain = development_chain_for(key.public_key(), keys.folder.parent)
    hash_of = {"secp256r1": hashes.SHA256(), "secp384r1": hashes.SHA384(), "secp521r1": hashes.SHA512()}[curve.name]
    signer = CallableSigner(lambda data: key.sign(data, ec.ECDSA(hash_of)), chain)
    sign_file(unsealed, tmp_path / "out.mp4", Declaration(), signer)
    assert verify(tmp_path / "out.mp4", [root]).outcome == "trusted"
