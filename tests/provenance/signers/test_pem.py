"""Keys in PEM files: raw r || s that fits the certificate; keys that cannot be used are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from provenance.pki.keys import DevelopmentKeys, development_keys
from provenance.signers.pem import PemSigner
from sfumato.errors import SealError


def _write(path: Path, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, password: bytes | None = None) -> Path:
    protection = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection))
    path.chmod(0o600)
    return path


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
    path = _write(tmp_path / "koblitz.key", ec.generate_private_key(ec.SECP256K1()))
    with pytest.raises(SealError, match="not supported"):
        PemSigner(path, keys.chain_pem())


def test_a_file_that_is_no_key_is_refused(tmp_path: Path, keys: DevelopmentKeys) -> None:
    path = tmp_path / "text.key"
    path.write_text("not a key")
    path.chmod(0o600)
    with pytest.raises(SealError, match="Cannot load"):
        PemSigner(path, keys.chain_pem())
