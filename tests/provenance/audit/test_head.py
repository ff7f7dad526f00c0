"""A signed head: its signature is a JSON Web Signature, and fits one statement in one place of one log."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from provenance.audit.head import Statement, head_of, read_head, signed_body
from provenance.audit.line import canonical, next_line
from provenance.pki.keys import is_development
from provenance.signers.algorithms import algorithm_of, signed
from provenance.signing.seal import development_signer
from sfumato.errors import SealError
from tests.audit_fixtures import Newsroom

SAID = Statement("a" * 32, 7, "b" * 64, "2026-01-31T12:00:00.000Z")


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Newsroom:
    return Newsroom(tmp_path_factory.mktemp("newsroom"))


@pytest.fixture
def body(newsroom: Newsroom) -> dict[str, Any]:
    return signed_body(SAID, newsroom.signer())


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_any_reader_of_json_web_signatures_can_check_it(body: dict[str, Any]) -> None:
    """By the words of RFC 7515, without a line of ours."""
    header = json.loads(decoded(body["protected"]))
    assert (header["alg"], header["typ"]) == ("ES256", "sfumato-audit-head")
    payload = base64.urlsafe_b64encode(json.dumps(body["statement"], sort_keys=True, separators=(",", ":")).encode())
    key: Any = x509.load_der_x509_certificate(base64.b64decode(header["x5c"][0])).public_key()
    signature = decoded(body["signature"])
    r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:]))
    text = f"{body['protected']}.{payload.rstrip(b'=').decode()}".encode()
    key.verify(encode_dss_signature(r, s), text, ec.ECDSA(hashes.SHA256()))


def test_it_reads_back(body: dict[str, Any], newsroom: Newsroom) -> None:
    found = read_head(body)
    assert found.statement == SAID
    assert found.chain[0] == newsroom.leaf.certificate


def test_the_leaf_signs_whatever_stands_above_it() -> None:
    found = read_head(signed_body(SAID, development_signer()))
    assert [is_development(each) for each in found.chain] == [True, True]
    assert found.chain[0].issuer == found.chain[1].subject


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate(),
                                 rsa.generate_private_key(65537, 2048)], ids=["es384", "ed25519", "ps256"])  # fmt: skip
def test_every_kind_of_key_can_sign(key: Any, newsroom: Newsroom) -> None:
    algorithm = algorithm_of(key)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(newsroom.leaf.certificate.subject)
        .issuer_name(newsroom.root.certificate.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
        .sign(newsroom.root.key, hashes.SHA256())
    )

    class Signer:
        alg = algorithm.alg
        chain_pem = newsroom.root.__class__(certificate, newsroom.leaf.key).pem.decode()

        def sign(self, data: bytes) -> bytes:
            return signed(data, key, algorithm)

    assert read_head(signed_body(SAID, Signer())).statement == SAID


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body["statement"].update(lines=8),
        lambda body: body["statement"].update(time="2026-01-31T12:00:00.001Z"),
        lambda body: body["statement"].update(log="c" * 32),
        lambda body: body["statement"].update(more=1),
        lambda body: body["statement"].update(type="a claim"),
        lambda body: body["statement"].update(lines=True),
        lambda body: body.update(signature="A" * len(body["signature"])),
        lambda body: body.update(signature=body["signature"] + "="),
        lambda body: body.update(signature=7),
        lambda body: body.update(protected=body["protected"][:-4]),
        lambda body: body.update(protected=base64.urlsafe_b64encode(b"[]").decode()),
        lambda body: body.update(more=1),
        lambda body: body.update(statement=[]),
    ],
)
def test_a_changed_head_is_refused(body: dict[str, Any], change: Any) -> None:
    change(body)
    with pytest.raises(ValueError):
        read_head(body)


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS256"}, {"alg": "ES384"}, {"x5c": []}, {"x5c": ["AA=="]},
                                    {"x5c": 1}, {"typ": "JWT"}, {"crit": ["exp"]}])  # fmt: skip
def test_a_header_of_another_kind_is_refused(body: dict[str, Any], header: dict[str, Any]) -> None:
    changed = {**json.loads(decoded(body["protected"])), **header}
    body["protected"] = base64.urlsafe_b64encode(canonical(changed)).rstrip(b"=").decode()
    with pytest.raises(ValueError):
        read_head(body)


def test_a_signature_in_another_form_is_refused(body: dict[str, Any]) -> None:
    """The same numbers as DER: one head has one spelling."""
    plain = decoded(body["signature"])
    der = encode_dss_signature(int.from_bytes(plain[:32], "big"), int.from_bytes(plain[32:], "big"))
    body["signature"] = base64.urlsafe_b64encode(der).rstrip(b"=").decode()
    with pytest.raises(ValueError, match="RFC 7518"):
        read_head(body)


def test_a_head_holds_in_its_own_place_alone(newsroom: Newsroom) -> None:
    now = datetime(2026, 1, 31, 12, tzinfo=UTC)
    first = next_line(None, "begin", {"log": "a" * 32}, now)
    said = Statement("a" * 32, 1, first.sha256, first.time)
    head = next_line(first, "head", signed_body(said, newsroom.signer()), now)
    assert head_of(head, "a" * 32).statement == said
    for other, log in ((replace(head, number=3), "a" * 32), (replace(head, previous="c" * 64), "a" * 32),
                       (replace(head, time="2027-01-31T12:00:00.000Z"), "a" * 32), (head, "d" * 32)):  # fmt: skip
        with pytest.raises(ValueError, match="another place"):
            head_of(other, log)


def test_a_chain_of_another_key_is_found_out_when_signing(newsroom: Newsroom, tmp_path: Path) -> None:
    other = Newsroom(tmp_path, "Other")

    class Mixed:
        alg = "es256"
        chain_pem = newsroom.signer().chain_pem

        def sign(self, data: bytes) -> bytes:
            return other.signer().sign(data)

    with pytest.raises(SealError, match="does not read back"):
        signed_body(SAID, Mixed())
