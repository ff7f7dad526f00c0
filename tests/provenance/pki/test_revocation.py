"""OCSP answers: about this certificate, by its issuer or somebody the issuer named, and in time; everything else is
"unknown".
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from provenance.pki.remote import Remote
from provenance.pki.revocation import ask, look, responder_address
from provenance.verifying.policy import make_policy
from provenance.verifying.verify import verify
from tests.provenance.stamping import DAY, Entity, answer, issue, serve, sign_as, signer

NOW = datetime.now(UTC)
ROOT = issue("Root", authority=True)
MIDDLE = issue("Middle", ROOT, authority=True)
LEAF = signer("Ada", MIDDLE)
OTHER = signer("Bob", MIDDLE)
RESPONDER = issue("Responder", MIDDLE, usages=[ExtendedKeyUsageOID.OCSP_SIGNING])
STRANGER = issue("Middle", authority=True)  # the same name, another key


def _look(der: bytes, when: datetime = NOW, leaf: Entity = LEAF) -> Any:
    return look(leaf.certificate, MIDDLE.certificate, [der], when, "in the file")


@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256()])
@pytest.mark.parametrize("delegated", [False, True])
def test_a_good_answer_counts(delegated: bool, algorithm: hashes.HashAlgorithm) -> None:
    der = answer(
        LEAF, MIDDLE, RESPONDER if delegated else MIDDLE, embed=[RESPONDER] if delegated else [], algorithm=algorithm
    )
    found = _look(der)
    assert (found.state, found.source) == ("not revoked", "in the file")


def test_revoked_is_revoked_whatever_else_is_said() -> None:
    good, bad = answer(LEAF, MIDDLE, MIDDLE), answer(LEAF, MIDDLE, MIDDLE, revoked=True)
    assert look(LEAF.certificate, MIDDLE.certificate, [good, bad], NOW, "asked").state == "revoked"
    assert look(LEAF.certificate, MIDDLE.certificate, [bad, good], NOW, "asked").state == "revoked"


@pytest.mark.parametrize(
    ("der", "why"),
    [
        (answer(OTHER, MIDDLE, MIDDLE), "another certificate"),
        (answer(LEAF, STRANGER, STRANGER), "another certificate"),
        (answer(LEAF, MIDDLE, STRANGER), "not signed"),
        (answer(LEAF, MIDDLE, OTHER, embed=[OTHER]), "not signed"),
        (answer(LEAF, MIDDLE, ROOT, embed=[ROOT]), "not signed"),
        (answer(LEAF, MIDDLE, RESPONDER), "not signed"),
        (answer(LEAF, MIDDLE, MIDDLE, now=NOW - 20 * DAY), "does not cover"),
        (answer(LEAF, MIDDLE, MIDDLE, now=NOW + 2 * DAY), "does not cover"),
        (b"", "cannot be read"),
        (b"\x30\x03\x0a\x01\x06", "unauthorized"),
    ],
)
def test_other_answers_leave_it_unknown(der: bytes, why: str) -> None:
    found = _look(der)
    assert found.state == "unknown"
    assert why in found.reason


def test_an_expired_responder_does_not_count() -> None:
    old = issue("Old", MIDDLE, usages=[ExtendedKeyUsageOID.OCSP_SIGNING], start=NOW - 9 * DAY, end=NOW - DAY)
    assert _look(answer(LEAF, MIDDLE, old, embed=[old])).state == "unknown"


def test_no_answer_is_no_good_answer() -> None:
    assert look(LEAF.certificate, MIDDLE.certificate, [], NOW, "asked").state == "unknown"


def test_damaged_answers_never_crash() -> None:
    good, chance = answer(LEAF, MIDDLE, RESPONDER, embed=[RESPONDER]), random.Random(0)
    for _ in range(300):
        der = bytearray(good)
        der[chance.randrange(len(der))] ^= 1 << chance.randrange(8)
        damaged = bytes(der[: chance.randrange(len(der))] if chance.random() < 0.2 else der)
        assert _look(damaged).state in ("unknown", "not revoked")


@pytest.mark.parametrize("revoked", [False, True])
def test_a_responder_is_asked_if_its_host_is_named(
    unsealed: Path, created: dict[str, Any], tmp_path: Path, revoked: bool
) -> None:
    leaves: list[Entity] = []
    with serve(lambda path, body: (200, {}, answer(leaves[0], MIDDLE, MIDDLE, revoked=revoked))) as (address, seen):
        leaves.append(signer("Ada", MIDDLE, responder=f"{address}/ocsp"))
        assert responder_address(leaves[0].certificate) == f"{address}/ocsp"
        film = sign_as(leaves[0], [MIDDLE], unsealed, tmp_path / "film.mp4", {"assertions": [created]})
        silent = verify(film, [ROOT.pem], policy=make_policy({"not-revoked": True}))
        assert (silent.outcome, silent.codes, seen) == ("untrusted", ("policy.failed",), [])
        elsewhere = verify(film, [ROOT.pem], remote=Remote(["example.com"]))
        assert (elsewhere.outcome, elsewhere.revocation.state, seen) == ("trusted", "unknown", [])
        found = verify(
            film,
            [ROOT.pem],
            policy=make_policy({"not-revoked": True}),
            remote=Remote([address.removeprefix("http://")]),
        )
        assert seen == ["/ocsp"]
    if revoked:
        assert (found.outcome, found.codes) == ("invalid", ("signingCredential.ocsp.revoked",))
    else:
        assert (found.outcome, found.revocation.source) == ("trusted", "asked")
        assert "signingCredential.ocsp.notRevoked" in found.successes


def test_a_responder_that_is_down_leaves_it_unknown() -> None:
    leaf = signer("Ada", MIDDLE, responder="http://127.0.0.1:9/ocsp")
    found = ask(leaf.certificate, MIDDLE.certificate, Remote(["127.0.0.1:9"]), NOW)
    assert found.state == "unknown"
    assert "did not answer" in found.reason


def test_a_certificate_without_a_responder_is_not_asked_about() -> None:
    assert "names no responder" in ask(LEAF.certificate, MIDDLE.certificate, Remote(["example.com"]), NOW).reason
