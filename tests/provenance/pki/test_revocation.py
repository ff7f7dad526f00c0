"""OCSP answers: about this certificate, by its issuer or somebody the issuer named, and in time; everything else is
"unknown".
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from provenance.pki.remote import Remote
from provenance.pki.revocation import ask, look, responder_address
from provenance.verifying.policy import make_policy
from provenance.verifying.verify import verify
from tests.provenance.pki.test_paths import leaf as leaf_of
from tests.provenance.pki.test_paths import make
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


def test_what_binds_the_issuer_binds_its_responders() -> None:
    """A responder's names must be within those that the authorities above the issuer permit."""
    permitted = x509.NameConstraints([x509.DirectoryName(x509.Name.from_rfc4514_string("O=Works"))], None)
    for responder, found in (("CN=Answers,O=Works", "not revoked"), ("CN=Answers,O=Elsewhere", "unknown")):
        root = make("root", extra=permitted)
        middle, end = (made := make("middle", root)), leaf_of(made)
        usages = [ExtendedKeyUsageOID.OCSP_SIGNING]
        answering = make("answers", middle, authority=False, usages=usages, subject=responder)
        der = answer(end, middle, answering, embed=[answering])  # type: ignore[arg-type]
        said = look(end.certificate, middle.certificate, [der], NOW, "in the file", [root.certificate])
        assert said.state == found


@pytest.mark.parametrize("reason", [None, x509.ReasonFlags.superseded, x509.ReasonFlags.key_compromise])
@pytest.mark.parametrize(("hours", "state"), [(1, "not revoked at signing"), (0, "revoked"), (-1, "revoked")])
def test_what_was_revoked_after_it_signed_was_good_then(
    hours: int, state: str, reason: x509.ReasonFlags | None
) -> None:
    signed = NOW.replace(microsecond=0) - 3 * DAY
    der = _revoked_answer(signed + timedelta(hours=hours), reason)
    found = look(LEAF.certificate, MIDDLE.certificate, [der], signed, "in the file", signed=signed)
    assert (found.state, found.good) == (state, state != "revoked")
    assert reason is None or reason.value in found.reason
    assert look(LEAF.certificate, MIDDLE.certificate, [der], NOW, "in the file").state == "revoked"


def test_a_certificate_that_was_released_from_a_list_is_not_revoked() -> None:
    der = _revoked_answer(NOW - DAY, x509.ReasonFlags.remove_from_crl)
    assert _look(der).state == "not revoked"


def test_revoked_since_outweighs_a_good_answer_of_the_time() -> None:
    signed = NOW.replace(microsecond=0)
    answers = [answer(LEAF, MIDDLE, MIDDLE), _revoked_answer(signed + DAY, None), answer(LEAF, MIDDLE, MIDDLE)]
    found = look(LEAF.certificate, MIDDLE.certificate, answers, signed, "in the file", signed=signed)
    assert found.state == "not revoked at signing"


def _revoked_answer(revoked: datetime, reason: x509.ReasonFlags | None) -> bytes:
    builder = ocsp.OCSPResponseBuilder().add_response(
        LEAF.certificate,
        MIDDLE.certificate,
        hashes.SHA1(),
        ocsp.OCSPCertStatus.REVOKED,
        NOW - DAY,
        NOW + DAY,
        revoked.replace(microsecond=0, tzinfo=None),
        reason,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, MIDDLE.certificate)
    return builder.sign(MIDDLE.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


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


def _answer(
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    start: datetime = NOW,
    end: datetime | None = None,
    responder: Entity = MIDDLE,
    embed: tuple[Entity, ...] = (),
) -> bytes:
    """An answer about Ada with a period of its own, or without an end."""
    revoked = status is ocsp.OCSPCertStatus.REVOKED
    builder = ocsp.OCSPResponseBuilder().add_response(
        LEAF.certificate, MIDDLE.certificate, hashes.SHA1(), status, start, end, start if revoked else None, None
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, responder.certificate)
    if embed:
        builder = builder.certificates([entity.certificate for entity in embed])
    return builder.sign(responder.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


START, MINUTES, SECOND = NOW.replace(microsecond=0), timedelta(minutes=5), timedelta(seconds=1)


@pytest.mark.parametrize(
    ("when", "state"),
    [
        (START - MINUTES - SECOND, "unknown"),
        (START - MINUTES, "not revoked"),
        (START + DAY + MINUTES, "not revoked"),
        (START + DAY + MINUTES + SECOND, "unknown"),
    ],
)
def test_an_answer_covers_its_period_and_five_minutes_on_both_sides(when: datetime, state: str) -> None:
    assert _look(_answer(start=START, end=START + DAY), when).state == state


@pytest.mark.parametrize(
    ("when", "state"),
    [(START + 7 * DAY + MINUTES, "not revoked"), (START + 7 * DAY + MINUTES + SECOND, "unknown")],
)
def test_an_answer_without_an_end_covers_a_week(when: datetime, state: str) -> None:
    assert _look(_answer(start=START), when).state == state


def test_a_revocation_counts_however_old_the_answer_is() -> None:
    found = _look(_answer(ocsp.OCSPCertStatus.REVOKED, START - 400 * DAY, START - 399 * DAY))
    assert (found.state, found.source) == ("revoked", "in the file")
    assert found.at == (START - 400 * DAY).isoformat()
    assert found.reason.startswith("revoked on ")


def test_a_responder_that_does_not_know_the_certificate_leaves_it_unknown() -> None:
    found = _look(_answer(ocsp.OCSPCertStatus.UNKNOWN))
    assert (found.state, found.reason) == ("unknown", "the responder does not know the certificate")
    assert found.source == "in the file"


def test_a_good_answer_says_when_it_was_given() -> None:
    found = _look(_answer(start=START, end=START + DAY), START)
    assert found.at == START.isoformat()
    assert found.reason == f"good, says the answer of {START.isoformat()}"


def test_a_good_answer_outweighs_one_that_says_nothing_in_either_order() -> None:
    good, silent = _answer(start=START), b""
    for answers in ([good, silent], [silent, good]):
        assert look(LEAF.certificate, MIDDLE.certificate, answers, START, "asked").state == "not revoked"
    assert "cannot be read" in look(LEAF.certificate, MIDDLE.certificate, [silent], START, "asked").reason


@pytest.mark.parametrize(
    ("begins", "ends", "state"),
    [
        (START, START + DAY, "not revoked"),
        (START - DAY, START, "not revoked"),
        (START + SECOND, START + DAY, "unknown"),
        (START - DAY, START - SECOND, "unknown"),
    ],
)
def test_a_named_responder_is_valid_at_the_time_that_counts(begins: datetime, ends: datetime, state: str) -> None:
    named = issue("Named", MIDDLE, usages=[ExtendedKeyUsageOID.OCSP_SIGNING], start=begins, end=ends)
    assert _look(_answer(start=START, responder=named, embed=(named,)), START).state == state


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_issuers_with_other_kinds_of_keys_sign_answers(kind: str) -> None:
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

    key: Any = ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else rsa.generate_private_key(65537, 2048)
    other: Any = ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else rsa.generate_private_key(65537, 2048)
    digest = None if kind == "ed25519" else hashes.SHA256()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, kind)])

    def authority(own: Any) -> x509.Certificate:
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(own.public_key())
        builder = builder.serial_number(1).not_valid_before(START - DAY).not_valid_after(START + DAY)
        return builder.sign(own, digest)

    for signing, state in ((key, "not revoked"), (other, "unknown")):
        der = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                LEAF.certificate, authority(key), hashes.SHA1(), ocsp.OCSPCertStatus.GOOD, START, None, None, None
            )
            .responder_id(ocsp.OCSPResponderEncoding.NAME, authority(signing))
            .sign(signing, digest)
            .public_bytes(serialization.Encoding.DER)
        )
        assert look(LEAF.certificate, authority(key), [der], START, "asked").state == state


def test_only_an_address_for_ocsp_is_asked() -> None:
    oids = AuthorityInformationAccessOID
    elsewhere = x509.AccessDescription(oids.CA_ISSUERS, x509.UniformResourceIdentifier("http://issuer.invalid"))
    named = x509.AccessDescription(oids.OCSP, x509.RFC822Name("ocsp@example.com"))
    asked = x509.AccessDescription(oids.OCSP, x509.UniformResourceIdentifier("http://ocsp.invalid"))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Places")])
    for places, address in (
        ([elsewhere, named, asked], "http://ocsp.invalid"),
        ([elsewhere, named], None),
    ):
        held = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(MIDDLE.key.public_key())
            .serial_number(1)
            .not_valid_before(START)
            .not_valid_after(START + DAY)
            .add_extension(x509.AuthorityInformationAccess(places), critical=False)
            .sign(MIDDLE.key, hashes.SHA256())
        )
        assert responder_address(held) == address


@pytest.mark.parametrize("end", [NOW + DAY, NOW - DAY])
def test_a_named_responder_counts_below_any_number_of_authorities_whose_time_is_judged_elsewhere(end: datetime) -> None:
    lower = issue("Lower", MIDDLE, authority=True, start=NOW - 9 * DAY, end=end)
    leaf, responder = signer("Eve", lower), issue("Answers", lower, usages=[ExtendedKeyUsageOID.OCSP_SIGNING])
    der = answer(leaf, lower, responder, embed=[lower, responder])
    above = [MIDDLE.certificate, ROOT.certificate]
    found = look(leaf.certificate, lower.certificate, [der], NOW, "in the file", above)
    assert found.state == "not revoked"
