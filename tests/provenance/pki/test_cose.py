"""What stands in a claim signature: the signer's chain, and who signed a time-stamp; damage gives nothing, never a
crash.
"""

from __future__ import annotations

import io
import random
import warnings
from pathlib import Path

import cbor2
import pytest
from asn1crypto import cms, tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from provenance.pki.cose import EmbeddedSignature, read_signature, stamper_chain
from provenance.pki.keys import DevelopmentKeys
from tests.provenance.stamping import Entity, issue, signer, stamper, token

ROOT = issue("Stamp Root", authority=True)
MIDDLE = issue("Stamp Middle", ROOT, authority=True)
CLOCK = stamper("Clock", MIDDLE)


def _message(*signers: Entity, also: tuple[Entity, ...] = (MIDDLE,)) -> bytes:
    return token(*signers, also=also)


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
    assert stamper_chain(_message(issue("Whoever", MIDDLE))) == ()
    both = [ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING]
    assert stamper_chain(_message(issue("Both", MIDDLE, usages=both))) == ()


def test_others_of_the_same_issuer_or_the_same_number_are_not_the_stamper() -> None:
    sibling = stamper("Sibling", MIDDLE)
    same = x509.CertificateBuilder(
        ROOT.certificate.subject,
        CLOCK.certificate.subject,
        sibling.key.public_key(),
        CLOCK.certificate.serial_number,
        CLOCK.certificate.not_valid_before_utc,
        CLOCK.certificate.not_valid_after_utc,
    ).sign(ROOT.key, hashes.SHA256())
    also = (sibling, Entity(same, sibling.key), MIDDLE)
    assert stamper_chain(_message(CLOCK, also=also)) == (CLOCK.certificate, MIDDLE.certificate)


def test_the_same_certificate_twice_is_one_stamper() -> None:
    assert stamper_chain(_message(CLOCK, also=(CLOCK, MIDDLE))) == (CLOCK.certificate, MIDDLE.certificate)


def test_a_token_without_its_certificate_has_no_stamper() -> None:
    message = cms.ContentInfo.load(_message(CLOCK))
    message["content"]["certificates"] = [cms.CertificateChoices.load(CHAIN[1])]
    assert stamper_chain(message.dump(force=True)) == ()


def test_what_is_not_signed_has_no_stamper() -> None:
    digested = cms.ContentInfo({"content_type": "data", "content": b"a time"})
    assert stamper_chain(digested.dump()) == ()


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


def _box(kind: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4, "big") + kind + content


def _described(label: bytes, content: bytes) -> bytes:
    return _box(b"jumb", _box(b"jumd", b"\0" * 16 + b"\x03" + label + b"\0") + content)


def _store(*signatures: bytes) -> bytes:
    """A manifest store whose manifest urn:x holds these signatures, each a CBOR item."""
    boxes = b"".join(_box(b"cbor", signature) for signature in signatures)
    return _described(b"c2pa", _described(b"urn:x", _described(b"c2pa.signature", boxes)))


def _signed(protected: object, unprotected: object) -> EmbeddedSignature:
    """What is read of a COSE_Sign1 with these headers. `protected`: None for a header of no bytes."""
    header = b"" if protected is None else cbor2.dumps(protected)
    return read_signature(_store(cbor2.dumps([header, unprotected, None, b"signature"])), "urn:x")


CHAIN = [each.certificate.public_bytes(Encoding.DER) for each in (CLOCK, MIDDLE)]


@pytest.mark.parametrize("label", [33, "x5chain"])
def test_the_chain_may_stand_in_either_header_under_either_label(label: int | str) -> None:
    expected = (CLOCK.certificate, MIDDLE.certificate)
    assert _signed({label: CHAIN}, {}).chain == expected
    assert _signed({}, {label: CHAIN}).chain == _signed(None, {label: CHAIN}).chain == expected


def test_the_chain_that_is_signed_comes_before_one_that_is_not() -> None:
    assert _signed({33: CHAIN[:1]}, {33: CHAIN[1:]}).chain == (CLOCK.certificate,)


def test_one_certificate_needs_no_list() -> None:
    assert _signed({33: CHAIN[0]}, {}).chain == (CLOCK.certificate,)


def test_a_chain_is_read_up_to_its_tenth_certificate() -> None:
    assert len(_signed({33: CHAIN * 6}, {}).chain) == 10


def test_no_header_no_chain() -> None:
    assert _signed({}, {}) == EmbeddedSignature()


def test_tokens_and_answers_are_read_from_the_header_that_is_not_signed() -> None:
    headers = {
        "sigTst": {"tstTokens": [{"val": b"older"}]},
        "sigTst2": {"tstTokens": [{"val": b"one"}, {"val": "text"}, {"val": b"two"}]},
        "rVals": {"ocspVals": [b"good", "text", b"bad"]},
    }
    found = _signed({33: CHAIN}, headers)
    assert (found.tokens, found.answers) == ((b"one", b"two", b"older"), (b"good", b"bad"))
    assert found.chain == (CLOCK.certificate, MIDDLE.certificate)
    signed = _signed({33: CHAIN, **headers}, {})
    assert (signed.tokens, signed.answers) == ((), ())


def test_no_more_than_ten_answers_are_read() -> None:
    answers = [bytes([number]) for number in range(12)]
    assert _signed({33: CHAIN}, {"rVals": {"ocspVals": answers}}).answers == tuple(answers[:10])


def test_two_signatures_are_none() -> None:
    message = cbor2.dumps([cbor2.dumps({33: CHAIN}), {}, None, b"signature"])
    assert read_signature(_store(message), "urn:x").chain != ()
    assert read_signature(_store(message, message), "urn:x") == EmbeddedSignature()
    assert read_signature(_store(), "urn:x") == EmbeddedSignature()


def test_what_is_no_cbor_in_the_place_of_a_signature_is_passed_over() -> None:
    message = cbor2.dumps([cbor2.dumps({33: CHAIN}), {}, None, b"signature"])
    boxes = _box(b"json", b"{}") + _box(b"cbor", message)
    store = _described(b"c2pa", _described(b"urn:x", _described(b"c2pa.signature", boxes)))
    assert len(read_signature(store, "urn:x").chain) == 2


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
    assert read_signature(_store(cbor), "urn:x").chain == ()
