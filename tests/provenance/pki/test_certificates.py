"""Trust lists as PEM, and the signer's chain out of a manifest store: damage gives no chain, never a crash."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
from cryptography import x509

from provenance.pki.certificates import load_anchors
from provenance.pki.cose import read_signature
from provenance.pki.keys import DevelopmentKeys
from sfumato.errors import UsageError


@pytest.fixture(scope="module")
def store(sealed: Path) -> tuple[bytes, str]:
    """The manifest store of the sealed video and the active manifest's label."""
    from c2pa import Reader

    with Reader(str(sealed)) as reader:
        label = reader.get_active_manifest()["label"]
        content = io.BytesIO()
        reader.resource_to_stream(f"self#jumbf=/c2pa/{label}", content)
    return content.getvalue(), label


def test_the_chain_is_found_leaf_first(store: tuple[bytes, str], keys: DevelopmentKeys) -> None:
    assert list(read_signature(*store).chain) == x509.load_pem_x509_certificates(keys.chain_pem().encode())


def test_an_unknown_label_has_no_chain(store: tuple[bytes, str]) -> None:
    assert read_signature(store[0], "urn:c2pa:another").chain == ()


def test_two_manifests_of_one_name_have_no_chain(store: tuple[bytes, str]) -> None:
    content, label = store
    header = 8
    twice = content + content
    assert read_signature(twice, label).chain == ()
    assert int.from_bytes(content[:4], "big") == len(content) > header


def test_damaged_stores_never_crash(store: tuple[bytes, str]) -> None:
    content, label = store
    chance = random.Random(0)
    for _ in range(400):
        damaged = bytearray(content)
        for _ in range(chance.randrange(1, 20)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        read_signature(bytes(damaged[: chance.randrange(len(damaged))] if chance.random() < 0.3 else damaged), label)


@pytest.mark.parametrize(
    "cbor",
    [
        b"\x81" * 5000,
        b"\x9f" * 5000,
        b"\xbf" * 100,
        b"\x5b" + b"\xff" * 8,
        b"\x9b" + b"\xff" * 8,
        b"",
        b"\xff",
        b"\x84\x40\xa0\xf6\x40",
    ],
)
def test_hostile_cbor_gives_no_chain(cbor: bytes) -> None:
    def box(kind: bytes, content: bytes) -> bytes:
        return (len(content) + 8).to_bytes(4, "big") + kind + content

    def described(label: bytes, content: bytes) -> bytes:
        return box(b"jumb", box(b"jumd", b"\0" * 16 + b"\x03" + label + b"\0") + content)

    store = described(b"c2pa", described(b"urn:x", described(b"c2pa.signature", box(b"cbor", cbor))))
    assert read_signature(store, "urn:x").chain == ()


@pytest.mark.parametrize(
    "pem", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_an_empty_trust_list_is_refused(pem: bytes, root: bytes) -> None:
    with pytest.raises(UsageError, match="trust list"):
        load_anchors([root, pem])
