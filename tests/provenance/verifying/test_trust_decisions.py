"""The decision alone, on evidence made here: chain, time-stamp, revocation, what is left out, the sentence for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provenance.formats.coverage import Uncovered
from provenance.manifests.claims import ManifestView
from provenance.pki.cose import EmbeddedSignature
from provenance.verifying.trust import TrustDecision, decide_trust
from tests.provenance.stamping import DAY, Entity, answer, issue, signer, stamper, token

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)
ROOT = issue("Root", authority=True)
MIDDLE = issue("Middle", ROOT, authority=True)
LEAF = signer("Ada", MIDDLE, responder="http://ocsp.example/")
STAMP_ROOT = issue("Stamp Root", authority=True)
CLOCK = stamper("Clock", STAMP_ROOT)
BOTH = ("timeStamp.validated", "timeStamp.trusted")
VIEW = ManifestView("urn:1", (), ("claimSignature.validated",), None, None, None, False, None, "", (), None, None)
STAMPED = replace(VIEW, successes=BOTH, time=(NOW - HOUR).isoformat(), time_source="time-stamp")


class Asked:
    """Stands for the only way out: gives one answer about revocation, and keeps what it was asked."""

    def __init__(self, content: bytes) -> None:
        self.content, self.addresses = content, list[str]()

    def fetch(self, address: str, **more: Any) -> bytes:
        self.addresses.append(address)
        return self.content


def decide(
    active: ManifestView = VIEW,
    chain: Sequence[Entity] = (LEAF, MIDDLE),
    *,
    state: str = "Trusted",
    tokens: Sequence[bytes] = (),
    answers: Sequence[bytes] = (),
    left_out: Sequence[Uncovered] = (),
    anchors: Sequence[Entity] = (ROOT,),
    stamps: Sequence[Entity] = (),
    remote: Any = None,
) -> TrustDecision:
    signature = EmbeddedSignature(tuple(each.certificate for each in chain), tuple(tokens), tuple(answers))
    given, for_stamps = ([each.certificate for each in each_kind] for each_kind in (anchors, stamps))
    return decide_trust(state, active, signature, left_out, given, for_stamps, remote, NOW)


def names(found: Sequence[Any]) -> list[str]:
    return [certificate.common_name for certificate in found]


def test_a_signer_that_leads_to_its_root_is_trusted() -> None:
    found = decide()
    assert (found.outcome, found.reason) == ("trusted", "valid, and the signer leads to a given root")
    assert (found.codes, found.successes, found.anchored) == ((), ("claimSignature.validated",), True)
    assert names(found.chain) == ["Ada", "Middle", "Root"]
    assert [certificate.anchor for certificate in found.chain] == [False, False, True]
    assert (found.time_source, found.stamp_chain, found.revocation.state) == ("", (), "unknown")


def test_a_signer_that_leads_nowhere_is_shown_and_not_trusted() -> None:
    found = decide(anchors=[STAMP_ROOT])
    assert (found.outcome, found.codes, found.anchored) == ("untrusted", ("signingCredential.untrusted",), False)
    assert found.reason.startswith("the library accepts the signer, but its certificates do not lead to a root")
    assert "no issuer matching" in found.reason
    assert names(found.chain) == ["Ada", "Middle"]


def test_a_stamp_by_an_authority_given_for_it_counts() -> None:
    found = decide(STAMPED, tokens=[token(CLOCK)], stamps=[STAMP_ROOT])
    assert (found.time_source, found.successes) == ("time-stamp", BOTH)
    assert names(found.stamp_chain) == ["Clock", "Stamp Root"]
    assert [certificate.anchor for certificate in found.stamp_chain] == [False, True]


LATE = stamper("Late", STAMP_ROOT, start=NOW - DAY / 48)  # not valid yet an hour ago


@pytest.mark.parametrize(
    ("active", "tokens", "stamps"),
    [
        (STAMPED, [token(CLOCK)], []),
        (STAMPED, [token(CLOCK)], [ROOT]),
        (STAMPED, [token(LATE)], [STAMP_ROOT]),
        (replace(STAMPED, time=None), [token(CLOCK)], [STAMP_ROOT]),
        (replace(STAMPED, time="yesterday"), [token(CLOCK)], [STAMP_ROOT]),
        (replace(STAMPED, time="2026-05-01T12:00:00"), [token(CLOCK)], [STAMP_ROOT]),  # without a zone: when was that?
        (replace(STAMPED, successes=BOTH[:1]), [token(CLOCK)], [STAMP_ROOT]),
        (replace(STAMPED, successes=BOTH[1:]), [token(CLOCK)], [STAMP_ROOT]),
    ],
    ids=["no root", "another root", "not valid then", "no time", "no date", "no zone", "untrusted", "unvalidated"],
)
def test_any_other_stamp_is_shown_and_does_not_count(
    active: ManifestView, tokens: list[bytes], stamps: list[Entity]
) -> None:
    found = decide(active, tokens=tokens, stamps=stamps)
    assert found.time_source == "unverified time-stamp"
    assert "timeStamp.trusted" not in found.successes
    assert names(found.stamp_chain)[0] in ("Clock", "Late")
    assert found.outcome == "trusted"


def test_two_stamps_are_none() -> None:
    for tokens in ([], [token(CLOCK)] * 2):
        found = decide(STAMPED, tokens=tokens, stamps=[STAMP_ROOT])
        assert (found.time_source, found.stamp_chain) == ("unverified time-stamp", ())


def test_a_claimed_time_stays_claimed() -> None:
    assert decide(replace(STAMPED, time_source="claimed"), stamps=[STAMP_ROOT]).time_source == "claimed"


def test_the_time_may_end_with_a_z() -> None:
    zulu = replace(STAMPED, time=(NOW - HOUR).isoformat().replace("+00:00", "Z"))
    assert decide(zulu, tokens=[token(CLOCK)], stamps=[STAMP_ROOT]).time_source == "time-stamp"


OCSP_GOOD = "signingCredential.ocsp.notRevoked"


def test_successes_of_the_library_that_we_cannot_repeat_are_dropped() -> None:
    said = ("signingCredential.trusted", "timeStamp.trusted", OCSP_GOOD, "assertion.dataHash.match")
    active = replace(VIEW, successes=said)
    assert decide(active).successes == (said[0], said[3])
    assert decide(active, anchors=[STAMP_ROOT]).successes == (said[3],)
    assert decide(active, answers=[answer(LEAF, MIDDLE, MIDDLE)]).successes == (said[0], *said[2:])


def test_a_good_answer_in_the_file_is_a_success_of_its_own() -> None:
    found = decide(answers=[answer(LEAF, MIDDLE, MIDDLE)])
    assert (found.outcome, found.revocation.state, found.revocation.source) == ("trusted", "not revoked", "in the file")
    assert found.successes == ("claimSignature.validated", OCSP_GOOD)


def test_a_revoked_signer_makes_the_file_invalid() -> None:
    found = decide(answers=[answer(LEAF, MIDDLE, MIDDLE, revoked=True)])
    assert (found.outcome, found.codes) == ("invalid", ("signingCredential.ocsp.revoked",))
    assert found.reason.startswith("the signer's certificate was revoked (revoked on ")
    assert OCSP_GOOD not in found.successes


def test_a_signer_that_was_revoked_after_a_recognised_stamp_is_trusted() -> None:
    revoked = answer(LEAF, MIDDLE, MIDDLE, revoked=True)
    found = decide(STAMPED, tokens=[token(CLOCK)], stamps=[STAMP_ROOT], answers=[revoked])
    assert (found.outcome, found.revocation.state, found.codes) == ("trusted", "not revoked at signing", ())
    assert OCSP_GOOD in found.successes
    assert decide(STAMPED, tokens=[token(CLOCK)], answers=[revoked]).outcome == "invalid"


def test_a_file_that_is_invalid_already_keeps_its_reason() -> None:
    active = replace(VIEW, failures=("assertion.dataHash.mismatch",))
    found = decide(active, state="Invalid", answers=[answer(LEAF, MIDDLE, MIDDLE, revoked=True)])
    assert (found.outcome, found.codes) == ("invalid", ("assertion.dataHash.mismatch",))
    assert found.reason == "the media changed after signing"


def test_a_signer_directly_below_its_root_is_looked_up_with_the_root() -> None:
    leaf = signer("Bob", ROOT)
    assert decide(chain=[leaf], answers=[answer(leaf, ROOT, ROOT)]).revocation.state == "not revoked"


@pytest.mark.parametrize(
    ("anchors", "reason"),
    [([LEAF], "the signer itself is a given root"), ([], "the signer's chain leads to no root given here")],
)
def test_without_an_issuer_nobody_can_say_whether_the_signer_was_revoked(anchors: list[Entity], reason: str) -> None:
    asked = Asked(answer(LEAF, MIDDLE, MIDDLE, revoked=True))
    found = decide(anchors=anchors, answers=[asked.content], remote=asked)
    assert (found.revocation.state, found.revocation.reason, asked.addresses) == ("unknown", reason, [])


def test_an_answer_in_the_file_counts_at_the_time_of_the_stamp_and_else_now() -> None:
    signed = NOW - 9 * DAY
    old = signer("Old", MIDDLE, start=NOW - 30 * DAY)
    middle_answer = answer(old, MIDDLE, MIDDLE, now=signed)  # good for a week
    clock = stamper("Old Clock", STAMP_ROOT, start=NOW - 30 * DAY)
    then = replace(STAMPED, time=signed.isoformat())
    chain = [old, MIDDLE]
    found = decide(then, chain, tokens=[token(clock)], stamps=[STAMP_ROOT], answers=[middle_answer])
    assert (found.time_source, found.revocation.state) == ("time-stamp", "not revoked")
    assert decide(then, chain, tokens=[token(clock)], answers=[middle_answer]).revocation.state == "unknown"


def test_the_responder_is_asked_where_the_file_says_nothing() -> None:
    asked = Asked(answer(LEAF, MIDDLE, MIDDLE))
    found = decide(remote=asked)
    assert (found.revocation.state, found.revocation.source) == ("not revoked", "asked")
    assert asked.addresses == ["http://ocsp.example/"]


def test_the_responder_is_not_asked_where_the_file_has_an_answer() -> None:
    asked = Asked(answer(LEAF, MIDDLE, MIDDLE, revoked=True))
    assert decide(answers=[answer(LEAF, MIDDLE, MIDDLE)], remote=asked).outcome == "trusted"
    assert asked.addresses == []


NOBODY = "and no time-stamp by an authority given here says that it signed before"


def test_an_expired_signer_is_not_trusted_without_a_stamp_that_counts() -> None:
    chain = [signer("Expired", MIDDLE, start=NOW - 9 * DAY, end=NOW - DAY), MIDDLE]
    for tokens, code in (([], "signingCredential.expired"), ([token(CLOCK)], "timeStamp.untrusted")):
        found = decide(STAMPED, chain, tokens=tokens)
        assert (found.outcome, found.codes, found.anchored) == ("untrusted", (code,), True)
        assert found.reason == f"a certificate of the signer is not valid, {NOBODY}"


def test_a_stamp_rescues_a_signer_that_was_valid_then_and_no_other() -> None:
    ended = [signer("Ended", MIDDLE, start=NOW - DAY, end=NOW - HOUR / 2), MIDDLE]
    early = [signer("Early", MIDDLE, start=NOW - HOUR / 2), MIDDLE]
    stamped = {"tokens": [token(CLOCK)], "stamps": [STAMP_ROOT]}
    assert decide(STAMPED, ended, **stamped).outcome == "trusted"
    found = decide(STAMPED, early, **stamped)
    assert (found.outcome, found.codes) == ("untrusted", ("signingCredential.expired",))
    assert found.reason == "a certificate of the signer is not valid, at the time of the time-stamp"


def _parts(count: int, essential: bool) -> list[Uncovered]:
    return [Uncovered(f"part {number}", 1, "", essential) for number in range(count)]


def test_what_decides_what_is_shown_must_be_signed() -> None:
    assert decide(left_out=_parts(3, essential=False)).outcome == "trusted"
    found = decide(left_out=[*_parts(1, essential=False), *_parts(7, essential=True)])
    assert (found.outcome, found.codes) == ("untrusted", ("org.sfumato.coverage.incomplete",))
    named = ", ".join(f"part {number}" for number in range(5))
    assert found.reason == f"the signature leaves out parts that decide what is shown: {named}"


def test_the_first_fault_is_the_reason_and_each_has_its_code_once() -> None:
    active = replace(VIEW, failures=("signingCredential.untrusted",))
    found = decide(active, anchors=[STAMP_ROOT], left_out=_parts(1, essential=True))
    assert found.codes == ("signingCredential.untrusted", "org.sfumato.coverage.incomplete")
    assert found.reason.startswith("the library accepts the signer, but")


@pytest.mark.parametrize(
    ("state", "failures", "outcome", "reason"),
    [
        ("Valid", ["signingCredential.untrusted"], "untrusted", "valid, but the signer is not on a trust list"),
        ("Valid", ["timeStamp.untrusted"], "untrusted", "valid, but not everything in it is vouched for"),
        ("Invalid", ["assertion.bmffHash.mismatch"], "invalid", "the media changed after signing"),
        (
            "Invalid",
            ["signingCredential.expired"],
            "invalid",
            "the signer's certificate has expired, and no recognised time-stamp says that it signed before",
        ),
        (
            "Invalid",
            ["signingCredential.invalid", "claimSignature.mismatch"],
            "invalid",
            "the signer's certificate was not acceptable at the time",
        ),
        (
            "Invalid",
            ["signingCredential.untrusted", "claimSignature.mismatch"],
            "invalid",
            "the signature does not fit",
        ),
        ("Invalid", ["assertion.missing"], "invalid", "the manifest does not hold together"),
        ("Invalid", [], "invalid", "the manifest does not hold together"),
    ],
)
def test_each_outcome_of_the_library_has_its_sentence(
    state: str, failures: list[str], outcome: str, reason: str
) -> None:
    found = decide(replace(VIEW, failures=tuple(failures)), state=state)
    assert (found.outcome, found.reason, found.codes) == (outcome, reason, tuple(failures))
