"""What stands in a claim signature: the signer's chain, and who signed a time-stamp; damage gives nothing, never a
crash.
"""

from __future__ import annotations

import io
import random
import warnings
from pathlib import Path

import pytest
from asn1crypto import cms, tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder

from provenance.pki.cose import read_signature, stamper_chain
from provenance.pki.keys import DevelopmentKeys
from tests.provenance.stamping import Entity, issue, signer, stamper

ROOT = issue("Stamp Root", authority=True)
MIDDLE = issue("Stamp Middle", ROOT, authority=True)
CLOCK = stamper("Clock", MIDDLE)


def _message(*signers: Entity, also: tuple[Entity, ...] = (MIDDLE,)) -> bytes:
    """A CMS message as in a time-stamp token, with the certificates of its signers and others."""
    builder = PKCS7SignatureBuilder().set_data(b"a time")
    for entity in signers:
        builder = builder.add_signer(entity.certificate, entity.key, hashes.SHA256())
    for entity in also:
        builder = builder.add_certificate(entity.certificate)
    return builder.sign(Encoding.DER, [PKCS7Options.Binary])


def test_the_stamper_comes_first_and_those_above_it_follow() -> None:
    expected = (CLOCK.certificate, MIDDLE.certificate, ROOT.certificate)
    assert stamper_chain(_message(CLOCK, also=(ROOT, MIDDLE))) == expected


def test_a_token_may_stand_in_a_response() -> None:
    response = tsp.TimeStampResp({"status": {"status": 0}, "time_stamp_token": cms.ContentInfo.load(_message(CLOCK))})
    assert stamper_chain(response.dump()) == (CLOCK.certificate, MIDDLE.certificate)


def test_a_response_without_a_token_has_no_stamper() -> None:
    assert stamper_chain(bytes.fromhex("3005 3003020102")) == ()


def test_two_signers_are_none() -> None:
    assert stamper_chain(_message(CLOCK, stamper("Second", MIDDLE))) == ()


def test_a_signer_that_may_not_stamp_is_none() -> None:
    assert stamper_chain(_message(signer("Ada", MIDDLE))) == ()


def test_a_signer_named_by_its_key_is_none() -> None:
    message = cms.ContentInfo.load(_message(CLOCK))
    infos = message["content"]["signer_infos"]
    infos[0]["sid"] = cms.SignerIdentifier({"subject_key_identifier": b"12345678"})
    assert stamper_chain(message.dump(force=True)) == ()


@pytest.mark.parametrize(
    "token", [b"", b"\x30", b"\x30\x00", b"\x30\x80\x00\x00", b"\x30\x84" + b"\xff" * 4, b"0" * 60000]
)
def test_what_is_no_token_has_no_stamper(token: bytes) -> None:
    assert stamper_chain(token) == ()


def test_deep_nesting_has_no_stamper() -> None:
    token = b""
    for _ in range(3000):
        length = len(token).to_bytes(3, "big")
        token = b"\x30\x83" + length + token
    assert stamper_chain(token) == ()


def test_damaged_tokens_never_crash_and_name_nobody_else() -> None:
    whole, chance = _message(CLOCK), random.Random(0)
    for _ in range(1500):
        damaged = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        token = bytes(damaged[: chance.randrange(len(damaged))] if chance.random() < 0.1 else damaged)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # none is to be seen
            found = stamper_chain(token)
        assert not found or found[0].subject != MIDDLE.certificate.subject


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
