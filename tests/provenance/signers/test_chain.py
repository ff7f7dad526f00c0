"""Chains for signing: put in order and freed of the root, or refused with what is missing named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from provenance.manifests.declaration import Declaration
from provenance.signers import signer_from
from provenance.signers.chain import signing_chain
from provenance.signing.sign import sign_file
from provenance.verifying.verify import verify
from sfumato.errors import SealError
from tests.provenance.stamping import Entity, issue, signer

ROOT = issue("Root", authority=True)
MIDDLE = issue("Middle", ROOT, authority=True)
LEAF = signer("Ada", MIDDLE)
RIGHT = (LEAF.pem + MIDDLE.pem).decode()


def pem(*entities: Entity) -> str:
    return b"".join(entity.pem for entity in entities).decode()


@pytest.mark.parametrize(
    "chain",
    [
        pem(LEAF, MIDDLE),
        pem(LEAF, MIDDLE, ROOT),
        pem(LEAF, ROOT, MIDDLE),
        pem(ROOT, MIDDLE, LEAF),
        pem(LEAF, MIDDLE, MIDDLE, LEAF),
        pem(LEAF, issue("Stranger", authority=True), MIDDLE),
    ],
    ids=["right", "with its root", "swapped", "upside down", "twice", "with a stranger"],
)
def test_a_chain_is_put_in_order_without_its_root(chain: str) -> None:
    assert signing_chain(chain) == RIGHT


def test_a_leaf_below_its_root_is_embedded_alone() -> None:
    leaf = signer("Bob", ROOT)
    assert signing_chain(pem(leaf, ROOT)) == pem(leaf)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_text_between_certificates_is_of_any_encoding(encoding: str, tmp_path: Path) -> None:
    bag = "Bag Attributes\n    friendlyName: Schlüssel für Größe\n".encode(encoding)
    (tmp_path / "chain.pem").write_bytes(bag + LEAF.pem + bag + MIDDLE.pem)
    (tmp_path / "leaf.key").write_bytes(LEAF.key_pem())
    (tmp_path / "leaf.key").chmod(0o600)
    assert signer_from(f"pem:{tmp_path / 'leaf.key'}", tmp_path / "chain.pem").chain_pem == RIGHT


def _unlike(**changes: Any) -> str:
    """Middle's certificate of a leaf that lacks something, and Middle's own."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        MIDDLE.certificate.subject,
        x509.Name.from_rfc4514_string("CN=Unlike"),
        key.public_key(),
        x509.random_serial_number(),
        now - timedelta(days=1),
        now + timedelta(days=9),
    )
    usages = changes.get("usages", [ExtendedKeyUsageOID.EMAIL_PROTECTION])
    signs = changes.get("signs", True)
    if signs is not None:
        builder = builder.add_extension(
            x509.KeyUsage(signs, not signs, False, False, False, False, False, False, False), critical=True
        )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    if changes.get("identifier", True):
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(MIDDLE.key.public_key())
        builder = builder.add_extension(identifier, critical=False)
    leaf = builder.sign(MIDDLE.key, hashes.SHA256())
    return leaf.public_bytes(Encoding.PEM).decode() + pem(MIDDLE)


@pytest.mark.parametrize(
    ("chain", "named"),
    [
        (pem(LEAF), "CN=Middle,O=Middle Works, is missing"),
        (pem(LEAF, ROOT), "CN=Middle,O=Middle Works, is missing"),
        (pem(MIDDLE, ROOT), "only certificates of authorities"),
        (pem(MIDDLE, LEAF, signer("Bob", MIDDLE)), "several certificates of signers"),
        (pem(issue("Alone", usages=[ExtendedKeyUsageOID.EMAIL_PROTECTION])), "was issued by itself"),
        (_unlike(identifier=False), "has no AuthorityKeyIdentifier"),
        (_unlike(usages=[]), "has no extended key usage for signing"),
        (_unlike(usages=[ExtendedKeyUsageOID.SERVER_AUTH]), "has no extended key usage for signing"),
        (_unlike(signs=None), "has no key usage digitalSignature"),
        (_unlike(signs=False), "has no key usage digitalSignature"),
        ("no certificate", "cannot be read"),
    ],
)
def test_what_is_missing_is_named(chain: str, named: str) -> None:
    with pytest.raises(SealError, match=named):
        signing_chain(chain)


def test_a_leaf_with_all_it_needs_is_taken() -> None:
    assert signing_chain(_unlike()).count("BEGIN CERTIFICATE") == 2


def test_a_file_signed_with_a_swapped_chain_is_trusted(portrait: Path, tmp_path: Path) -> None:
    (tmp_path / "chain.pem").write_text(pem(LEAF, ROOT, MIDDLE))
    (tmp_path / "leaf.key").write_bytes(LEAF.key_pem())
    (tmp_path / "leaf.key").chmod(0o600)
    found = signer_from(f"pem:{tmp_path / 'leaf.key'}", tmp_path / "chain.pem")
    sign_file(portrait, tmp_path / "out.jpg", Declaration("edited"), found)
    assert verify(tmp_path / "out.jpg", [ROOT.pem]).outcome == "trusted"
