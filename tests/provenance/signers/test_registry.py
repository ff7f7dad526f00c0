"""Signers: raw r || s over the data, keys that fit their certificate, refusals that say why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from provenance.manifests.declaration import Declaration
from provenance.pki.keys import DevelopmentKeys, development_chain_for, development_keys
from provenance.signers import REGISTRY, signer_from
from provenance.signers.callable import CallableSigner
from provenance.signers.pem import PemSigner
from provenance.signing.sign import sign_file
from provenance.verifying.verify import verify
from sfumato.errors import SealError, UsageError


def _write(path: Path, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, password: bytes | None = None) -> Path:
    protection = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection))
    path.chmod(0o600)
    return path


def test_every_registered_signer_loads() -> None:
    pytest.importorskip("pkcs11", reason="needs python-pkcs11 (pip install -e '.[pkcs11]')")
    assert [REGISTRY.load(name).__name__ for name in REGISTRY.names()] == [
        "CallableSigner",
        "PemSigner",
        "Pkcs11Signer",
    ]


def test_a_signature_is_r_and_s_and_fits_the_certificate(keys: DevelopmentKeys) -> None:
    signer = PemSigner(keys.leaf_key, keys.chain_pem())
    signature = signer.sign(b"a claim")
    assert signer.alg == "es256"
    assert len(signature) == 64
    public = x509.load_pem_x509_certificate(signer.chain_pem.encode()).public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    encoded = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    public.verify(encoded, b"a claim", ec.ECDSA(hashes.SHA256()))


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    keys = development_keys(tmp_path)
    keys.leaf_key.chmod(0o640)
    with pytest.raises(SealError, match="chmod 600"):
        PemSigner(keys.leaf_key, keys.chain_pem())


def test_a_key_of_another_certificate_is_refused(keys: DevelopmentKeys) -> None:
    with pytest.raises(SealError, match="does not belong"):
        PemSigner(keys.folder / "root.key", keys.chain_pem())


def test_a_key_behind_a_password_is_refused(tmp_path: Path, keys: DevelopmentKeys) -> None:
    path = _write(tmp_path / "locked.key", ec.generate_private_key(ec.SECP256R1()), b"password")
    with pytest.raises(SealError, match="password"):
        PemSigner(path, keys.chain_pem())


def test_a_kind_of_key_without_support_is_refused(tmp_path: Path, keys: DevelopmentKeys) -> None:
    path = _write(tmp_path / "rsa.key", rsa.generate_private_key(65537, 2048))
    with pytest.raises(SealError, match="not supported"):
        PemSigner(path, keys.chain_pem())


def test_a_file_that_is_no_key_is_refused(tmp_path: Path, keys: DevelopmentKeys) -> None:
    path = tmp_path / "text.key"
    path.write_text("not a key")
    path.chmod(0o600)
    with pytest.raises(SealError, match="Cannot load"):
        PemSigner(path, keys.chain_pem())


def test_a_callable_may_return_either_form(keys: DevelopmentKeys) -> None:
    key = serialization.load_pem_private_key(keys.leaf_key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    der = CallableSigner(lambda data: key.sign(data, ec.ECDSA(hashes.SHA256())), keys.chain_pem())
    plain = CallableSigner(PemSigner(keys.leaf_key, keys.chain_pem()).sign, keys.chain_pem())
    assert (der.alg, len(der.sign(b"claim"))) == ("es256", 64)
    assert len(plain.sign(b"claim")) == 64


@pytest.mark.parametrize(
    ("answer", "message"),
    [(b"", "no signature"), (b"x" * 64, "does not fit"), ("text", "returned str"), (b"0" * 70, "no signature")],
)
def test_a_callable_with_a_wrong_answer_is_found_out(keys: DevelopmentKeys, answer: Any, message: str) -> None:
    with pytest.raises(SealError, match=message):
        CallableSigner(lambda data: answer, keys.chain_pem()).sign(b"claim")


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


def test_a_signer_is_found_by_its_specification(
    tmp_path: Path, keys: DevelopmentKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_text(keys.chain_pem())
    assert isinstance(signer_from(f"pem:{keys.leaf_key}", chain), PemSigner)
    module = f"sfumato_test_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{module}.py").write_text(
        "class Service:\n    @staticmethod\n    def sign(data):\n        return data\nnumber = 7\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert isinstance(signer_from(f"{module}:Service.sign", chain), CallableSigner)
    for name, message in (
        (f"{module}:number", "is no function"),
        (f"{module}:absent", "cannot be loaded"),
        ("no_such_module:f", "cannot be loaded"),
    ):
        with pytest.raises(UsageError, match=message):
            signer_from(name, chain)


@pytest.mark.parametrize("name", ["", "pem", "pem:", "os; system:x", "https://kms.example/key"])
def test_a_specification_that_names_nothing_is_refused(name: str, tmp_path: Path, keys: DevelopmentKeys) -> None:
    (tmp_path / "chain.pem").write_text(keys.chain_pem())
    with pytest.raises(UsageError, match="does not name a signer"):
        signer_from(name, tmp_path / "chain.pem")


def test_a_signer_needs_its_chain(keys: DevelopmentKeys, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--chain"):
        signer_from(f"pem:{keys.leaf_key}", None)
    with pytest.raises(SealError, match=r"gone\.pem"):
        signer_from(f"pem:{keys.leaf_key}", tmp_path / "gone.pem")
    with pytest.raises(SealError, match=r"gone\.key"):
        (tmp_path / "chain.pem").write_text(keys.chain_pem())
        signer_from(f"pem:{tmp_path / 'gone.key'}", tmp_path / "chain.pem")
