"""The algorithm follows from the certificate's key; every one signs what verifies here and elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa

from provenance.manifests.declaration import Declaration
from provenance.pki.keys import DevelopmentKeys, development_chain_for
from provenance.signers.algorithms import algorithm_of, checked_signature, leaf_of, signed
from provenance.signers.callable import CallableSigner
from provenance.signers.pem import PemSigner
from provenance.signing.sign import sign_file
from provenance.verifying.verify import verify
from sfumato.errors import SealError, UsageError


@cache
def _rsa(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)  # takes long


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


@pytest.mark.parametrize("name", ["ps256", "ps384", "ps512", "ed25519"])
def test_an_rsa_or_ed25519_key_signs_what_three_verifiers_trust(
    name: str, keys: DevelopmentKeys, portrait: Path, root: bytes, encypher: Callable[[Path], str], tmp_path: Path
) -> None:
    from c2pa import Context, Reader

    from provenance.library.settings import reading

    key = ed25519.Ed25519PrivateKey.generate() if name == "ed25519" else _rsa()
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "leaf.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    (tmp_path / "leaf.key").chmod(0o600)
    chain = development_chain_for(key.public_key(), keys.folder.parent)
    signer = PemSigner(tmp_path / "leaf.key", chain, name)
    out = tmp_path / "out.jpg"
    sign_file(portrait, out, Declaration("edited"), signer)
    with Reader(str(out), context=Context.from_dict(reading([root]))) as library:
        assert library.get_validation_state() == "Trusted"
    assert signer.alg == name
    assert verify(out, [root]).outcome == "trusted"
    assert encypher(out) == "Trusted"


def test_an_rsa_key_signs_with_ps256_unless_told_otherwise() -> None:
    assert [algorithm_of(_rsa(), wanted).alg for wanted in ("", "ps256", "ps512")] == ["ps256", "ps256", "ps512"]


@pytest.mark.parametrize(
    ("key", "wanted", "error", "message"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "ps256", UsageError, "It signs with: es256"),
        (ed25519.Ed25519PrivateKey.generate(), "ps256", UsageError, "It signs with: ed25519"),
        (ec.generate_private_key(ec.SECP256K1()), "", SealError, "not supported"),
        (dsa.generate_private_key(1024), "", SealError, "not supported"),
        (rsa.generate_private_key(65537, 1024), "", SealError, "has 1024 bits"),
    ],
)
def test_other_keys_and_algorithms_are_refused(key: Any, wanted: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        algorithm_of(key, wanted)


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate(), None])
def test_a_signature_that_does_not_fit_is_found_out(key: Any) -> None:
    key = key or _rsa()
    algorithm = algorithm_of(key)
    good = signed(b"claim", key, algorithm)
    assert checked_signature(good, b"claim", algorithm, key.public_key()) == good
    for data, signature in ((b"another claim", good), (b"claim", good[:-1] + bytes([good[-1] ^ 1]))):
        with pytest.raises(SealError, match="does not fit"):
            checked_signature(signature, data, algorithm, key.public_key())


def test_rsa_with_the_padding_of_old_does_not_fit() -> None:
    signature = _rsa().sign(b"claim", padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(SealError, match="must sign with ps256"):
        checked_signature(signature, b"claim", algorithm_of(_rsa()), _rsa().public_key())


def test_a_chain_without_a_certificate_is_refused() -> None:
    with pytest.raises(SealError, match="cannot be read"):
        leaf_of("no certificate")
