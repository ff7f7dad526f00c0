"""Algorithms outside the lists of C2PA are told with the code of C2PA, wherever a manifest names them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cbor2
import pytest

from provenance.verifying.algorithms import HASHES, unsupported, unsupported_sentence
from provenance.verifying.verify import verify

ES256 = b"\xa2\x01\x26\x18\x21"  # the header of a claim signature begins so: two entries, 1: -7, 33: the certificates


def _box(kind: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4, "big") + kind + content


def _part(label: str, *contents: bytes) -> bytes:
    return _box(b"jumb", _box(b"jumd", bytes(16) + b"\x03" + label.encode() + b"\0") + b"".join(contents))


def _store(
    header: bytes | None = None, claim: dict[str, Any] | None = None, label: str = "c2pa.hash.data", **binding: Any
) -> bytes:
    """A manifest store with one manifest `m`."""
    signed = cbor2.dumps([cbor2.dumps({1: -7}) if header is None else header, {}, None, b""])
    parts = [
        _part("c2pa.assertions", _part(label, _box(b"cbor", cbor2.dumps(binding)))),
        _part("c2pa.claim.v2", _box(b"cbor", cbor2.dumps(claim or {}))),
        _part("c2pa.signature", _box(b"cbor", signed)),
    ]
    return _part("c2pa", _part("m", *parts))


def test_the_signatures_of_the_list_and_no_other_are_passed() -> None:
    numbers = [*range(-300, 30), -65535]
    passed = {number for number in numbers if not unsupported(_store(cbor2.dumps({1: number})), "m")}
    assert passed == {-7, -8, -35, -36, -37, -38, -39}  # ES256, Ed25519, ES384, ES512, PS256, PS384, PS512


@pytest.mark.parametrize(
    ("number", "said"),
    [
        *[(-257, "RS256"), (-258, "RS384"), (-259, "RS512"), (-65535, "RS1"), (-47, "ES256K")],
        *[(4, "HMAC"), (5, "HMAC"), (6, "HMAC"), (-1, "-1"), ("ES256", "ES256")],
    ],
)
def test_every_other_signature_is_named(number: int | str, said: str) -> None:
    assert unsupported(_store(cbor2.dumps({1: number})), "m") == (f"the claim signature uses {said}",)


@pytest.mark.parametrize("header", [b"", cbor2.dumps({}), cbor2.dumps({1: None})])
def test_a_signature_without_an_algorithm_is_told(header: bytes) -> None:
    assert unsupported(_store(header), "m") == ("the claim signature names no algorithm",)


@pytest.mark.parametrize("name", HASHES)
def test_every_hash_of_the_list_is_passed(name: str) -> None:
    claim = {"alg": name, "created_assertions": [{"url": "a", "alg": name, "hash": b""}]}
    assert unsupported(_store(claim=claim, alg=name, merkle=[{"alg": name}]), "m") == ()


@pytest.mark.parametrize(
    ("store", "said"),
    [
        (_store(claim={"alg": "md5"}), "the claim is hashed with md5"),
        (_store(claim={"created_assertions": [{"alg": "sha1"}]}), "a reference in the claim is hashed with sha1"),
        (_store(claim={"assertions": [{"alg": "sha1"}]}), "a reference in the claim is hashed with sha1"),
        (_store(alg="sha1"), "the binding to the media is hashed with sha1"),
        (_store(label="c2pa.hash.bmff.v3", merkle=[{"alg": "sha1"}]), "the binding to the media is hashed with sha1"),
    ],
)
def test_every_other_hash_is_named(store: bytes, said: str) -> None:
    assert unsupported(store, "m") == (said,)


def test_a_watermark_may_have_any_algorithm() -> None:
    assert unsupported(_store(label="c2pa.soft-binding", alg="com.example.mark"), "m") == ()


def test_what_is_no_cbor_is_left_to_the_library() -> None:
    assert unsupported(_store().replace(b"\xa1\x01\x26", b"\xff\xff\xff"), "m") == (
        "the claim signature names no algorithm",
    )
    assert unsupported(b"no boxes", "m") == ()


@pytest.mark.parametrize("message", [[], {}, 7, [7], None])
def test_a_signature_of_another_shape_is_left_to_the_library(message: Any) -> None:
    signature = _part("c2pa.signature", _box(b"cbor", cbor2.dumps(message)))
    assert unsupported(_part("c2pa", _part("m", signature)), "m") == ()


FOREIGN = _box(b"cbor", cbor2.dumps({"alg": "md5"}))


@pytest.mark.parametrize(
    "box",
    [
        _box(b"jumb", b""),
        _box(b"jumb", FOREIGN),
        _box(b"free", _part("c2pa.hash.data", FOREIGN)[8:]),
        _box(b"jumb", _box(b"free", bytes(17) + b"c2pa.hash.data\0") + FOREIGN),
    ],
    ids=["empty", "without a description", "no assertion", "a description of another kind"],
)
def test_a_box_that_is_no_assertion_says_nothing(box: bytes) -> None:
    assert unsupported(_part("c2pa", _part("m", _part("c2pa.assertions", box))), "m") == ()


def test_five_phrases_are_enough() -> None:
    store = _store(merkle=[{"alg": f"hash {number}"} for number in range(9)])
    assert unsupported(store, "m")[-1] == "the binding to the media is hashed with hash 4"
    assert len(unsupported(store, "m")) == 5


def test_a_foreign_name_is_cut() -> None:
    assert len(unsupported(_store(alg="s" * 5000), "m")[0]) < 1200
    assert "does not say" in unsupported_sentence([])


@pytest.mark.parametrize("number", [b"\x28", b"\x20"])  # one the library reports by itself, one it gives up on
def test_a_foreign_signature_in_a_file_is_invalid_with_its_code(
    sealed: Path, root: bytes, tmp_path: Path, number: bytes
) -> None:
    data = sealed.read_bytes()
    assert data.count(ES256) == 1
    (tmp_path / "other.mp4").write_bytes(data.replace(ES256, ES256[:2] + number + ES256[3:]))
    found = verify(tmp_path / "other.mp4", [root])
    assert (found.outcome, "algorithm.unsupported" in found.codes) == ("invalid", True)
    assert found.reason.startswith("an algorithm that C2PA does not allow: the claim signature uses")


def test_a_foreign_hash_in_a_file_is_invalid_with_its_code(sealed: Path, root: bytes, tmp_path: Path) -> None:
    data = sealed.read_bytes()
    assert b"calgfsha256" in data
    (tmp_path / "other.mp4").write_bytes(data.replace(b"calgfsha256", b"calgfmd5-00"))
    found = verify(tmp_path / "other.mp4", [root])
    assert (found.outcome, "algorithm.unsupported" in found.codes) == ("invalid", True)
    assert "is hashed with md5-00" in found.reason
