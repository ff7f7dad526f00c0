"""Policies compose, give evidence for every clause, take trust away and never give it; an empty one is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from provenance.manifests.claims import Ingredient
from provenance.pki.certificates import CertificateView
from provenance.pki.revocation import Revocation
from provenance.verifying.policy import CLAUSES, load_policy, make_policy
from provenance.verifying.verification import Verification
from provenance.verifying.verify import verify
from sfumato.errors import UsageError


def _certificate(name: str, fingerprint: str) -> CertificateView:
    return CertificateView(f"CN={name}", "CN=above", name, f"{name} Works", "2026-01-01", "2027-01-01", fingerprint)


FOUND = Verification(
    Path("film.mp4"),
    "trusted",
    anchored=True,
    chain=(_certificate("Ada", "a" * 64), _certificate("Middle", "b" * 64), _certificate("Root", "c" * 64)),
    stamp_chain=(_certificate("Clock", "d" * 64), _certificate("Stamp Root", "e" * 64)),
    time="2026-05-01T12:00:00+00:00",
    time_source="time-stamp",
    declares=("trainedAlgorithmicMedia",),
    ingredients=(Ingredient("portrait", "inputTo", None, "none"),),
)


@pytest.mark.parametrize(
    ("values", "held"),
    [
        ({"signer": "Ada"}, True),
        ({"signer": "Ada Works"}, True),
        ({"signer": "ada"}, False),
        ({"signer": "Middle"}, False),
        ({"signer": "AA:" * 31 + "AA"}, True),
        ({"issuer": "Middle"}, True),
        ({"issuer": "sha256:" + "c" * 64}, True),
        ({"issuer": "Ada"}, False),
        ({"issuer": ["Nobody", "Root"]}, True),
        ({"stamped-by": True}, True),
        ({"stamped-by": "Clock"}, True),
        ({"not-revoked": True}, False),
        ({"not-development": True}, True),
        ({"declares": "trainedAlgorithmicMedia"}, True),
        ({"declares": ["digitalCapture"]}, False),
        ({"ingredients": "not-invalid"}, True),
        ({"ingredients": "valid"}, False),
        ({"signer": "Ada", "not-revoked": True}, False),
        ({"any": [{"not-revoked": True}, {"signer": "Ada"}]}, True),
        ({"any": [{"not-revoked": True}, {"signer": "Bob"}]}, False),
        ({"all": [{"signer": "Ada"}, {"issuer": "Root", "declares": "trainedAlgorithmicMedia"}]}, True),
        ({"all": [{"signer": "Ada"}, {"any": [{"issuer": "Nobody"}]}]}, False),
    ],
)
def test_clauses_and_their_compositions(values: dict[str, Any], held: bool) -> None:
    result = make_policy(values).evaluate(FOUND)
    assert result.held is held
    assert result.why
    assert len(result.parts) == len(values)


def test_every_clause_is_looked_at_and_says_why() -> None:
    result = make_policy({"signer": "Bob", "issuer": "Root", "not-revoked": True}).evaluate(FOUND)
    assert [(part.clause, part.held) for part in result.parts] == [
        ("signer", False),
        ("issuer", True),
        ("not-revoked", False),
    ]
    assert "wanted Bob, found Ada" in result.why
    assert "c" * 64 in result.parts[1].why


def test_silence_about_revocation_does_not_count() -> None:
    policy = make_policy({"not-revoked": True})
    for state, held in (("unknown", False), ("revoked", False), ("not revoked", True)):
        assert policy.evaluate(replace(FOUND, revocation=Revocation(state))).held is held


def test_names_count_only_in_a_chain_that_leads_to_a_given_root() -> None:
    stranger = replace(FOUND, outcome="untrusted", anchored=False, time_source="unverified time-stamp")
    for clause in ("signer", "issuer", "stamped-by"):
        name = {"signer": "Ada", "issuer": "Root", "stamped-by": "Clock"}[clause]
        assert not make_policy({clause: name}).evaluate(stranger).held


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"all": []},
        {"any": []},
        {"any": [{}]},
        {"any": {"signer": "Ada"}},
        {"any": ["Ada"]},
        {"signer": ""},
        {"signer": []},
        {"signer": 7},
        {"signers": "Ada"},
        {"not-revoked": False},
        {"not-revoked": "yes"},
        {"stamped-by": False},
        {"stamped-after": "last year"},
        {"ingredients": "good"},
        {"ingredients": ["valid"]},
        {"declares": None},
    ],
)
def test_a_policy_that_says_nothing_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as refused:
        make_policy(values)
    assert refused.value.exit_code == 2
    assert refused.value.advice


def test_nesting_has_an_end() -> None:
    values: dict[str, Any] = {"signer": "Ada"}
    for _ in range(20):
        values = {"all": [values]}
    with pytest.raises(UsageError, match="deep"):
        make_policy(values)


@pytest.mark.parametrize("text", ["", "# nothing\n", "signer = ", "[all]\n", "\x00", "any = [{}]\n"])
def test_a_file_that_says_nothing_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "policy.toml").write_text(text)
    with pytest.raises(UsageError, match=r"policy\.toml"):
        load_policy(tmp_path / "policy.toml")
    with pytest.raises(UsageError, match="gone"):
        load_policy(tmp_path / "gone.toml")


def test_a_failed_policy_takes_trust_away_and_a_held_one_gives_none(sealed: Path, root: bytes) -> None:
    strict, easy = make_policy({"not-development": True}), make_policy({"declares": "trainedAlgorithmicMedia"})
    refused = verify(sealed, [root], policy=strict)
    assert (refused.outcome, refused.codes) == ("untrusted", ("policy.failed",))
    assert "a development signer" in refused.reason
    assert verify(sealed, [root], policy=easy).outcome == "trusted"
    stranger = verify(sealed, policy=easy)
    assert (stranger.outcome, stranger.policy is not None and stranger.policy.held) == ("untrusted", True)


def test_an_invalid_file_is_not_asked_about_policies(
    sealed: Path, root: bytes, tmp_path: Path, flip_media_byte: Any
) -> None:
    found = verify(
        flip_media_byte(sealed, tmp_path / "flipped.mp4"),
        [root],
        policy=make_policy({"declares": "trainedAlgorithmicMedia"}),
    )
    assert (found.outcome, found.policy) == ("invalid", None)


def test_the_page_names_every_clause() -> None:
    page = (Path(__file__).parents[3] / "docs" / "credentials.md").read_text(encoding="utf-8")
    assert [name for name in (*CLAUSES, "all", "any") if f"`{name}`" not in page] == []


def _part(values: dict[str, Any], found: Verification = FOUND) -> tuple[bool, str]:
    (part,) = make_policy(values).evaluate(found).parts
    return part.held, part.why


@pytest.mark.parametrize(
    ("values", "held", "why"),
    [
        ({"signer": "Ada"}, True, f"Ada, sha256 {'a' * 64}"),
        ({"signer": ["Bob", "Eve"]}, False, "wanted Bob or Eve, found Ada"),
        ({"issuer": "Bob"}, False, "wanted Bob, found Middle, Root"),
        ({"stamped-by": True}, True, "Clock at 2026-05-01T12:00:00+00:00"),
        ({"not-revoked": True}, False, "unknown: no answer about the certificate"),
        ({"not-development": True}, True, "not a development signer"),
        ({"declares": "digitalCapture"}, False, "says trainedAlgorithmicMedia"),
        ({"ingredients": "trusted"}, False, "portrait is none"),
        ({"ingredients": "not-invalid"}, True, "1 ingredients, all not-invalid"),
        (
            {"stamped-after": date(2026, 5, 1)},
            True,
            "stamped 2026-05-01T12:00:00+00:00, limit 2026-05-01T00:00:00+00:00",
        ),
    ],
)
def test_a_clause_says_what_it_found(values: dict[str, Any], held: bool, why: str) -> None:
    assert _part(values) == (held, why)


@pytest.mark.parametrize(
    ("clause", "limit", "held"),
    [
        ("stamped-after", datetime(2026, 5, 1, 12, tzinfo=UTC), True),  # the very moment is not before it
        ("stamped-after", datetime(2026, 5, 1, 12, 0, 1, tzinfo=UTC), False),
        ("stamped-before", datetime(2026, 5, 1, 12, tzinfo=UTC), False),
        ("stamped-before", datetime(2026, 5, 1, 12, 0, 1, tzinfo=UTC), True),
        ("stamped-after", datetime(2026, 5, 1, 12), True),  # without a zone: UTC
        ("stamped-before", date(2026, 5, 2), True),
        ("stamped-before", date(2026, 5, 1), False),
    ],
)
def test_the_time_of_a_stamp_is_held_to_the_second(clause: str, limit: date, held: bool) -> None:
    assert _part({clause: limit})[0] is held


@pytest.mark.parametrize("time_source", ["", "claimed", "unverified time-stamp"])
def test_a_time_that_nobody_vouches_for_is_no_stamp(time_source: str) -> None:
    found = replace(FOUND, time_source=time_source)
    for values in ({"stamped-by": True}, {"stamped-by": "Clock"}, {"stamped-after": date(2020, 1, 1)}):
        assert _part(values, found) == (False, "no time-stamp by an authority given here")
    assert not _part({"stamped-after": date(2020, 1, 1)}, replace(FOUND, time=None))[0]


def test_a_chain_that_leads_nowhere_is_said_to() -> None:
    for clause in ("signer", "issuer"):
        why = "the signer's chain leads to no root given here"
        assert _part({clause: "Ada"}, replace(FOUND, anchored=False)) == (False, why)


def test_a_development_signer_is_named_as_one() -> None:
    assert _part({"not-development": True}, replace(FOUND, development=True)) == (False, "a development signer")


def test_nothing_declared_is_said_to_be_nothing() -> None:
    assert _part({"declares": "digitalCapture"}, replace(FOUND, declares=())) == (False, "says nothing")


@pytest.mark.parametrize(
    ("accepted", "holds"),
    [
        ("trusted", {"trusted"}),
        ("valid", {"trusted", "untrusted"}),
        ("not-invalid", {"trusted", "untrusted", "none"}),
    ],
)
def test_each_word_for_ingredients_accepts_its_states(accepted: str, holds: set[str]) -> None:
    for state in ("trusted", "untrusted", "none", "invalid"):
        found = replace(FOUND, ingredients=(Ingredient("a", "inputTo", None, state),))
        assert _part({"ingredients": accepted}, found)[0] is (state in holds)


def test_ingredients_that_are_not_looked_at_never_hold() -> None:
    more = replace(FOUND, ingredients_left_out=True)
    assert _part({"ingredients": "not-invalid"}, more) == (False, "more ingredients than are looked at")
    assert _part({"ingredients": "valid"}, more) == (False, "portrait is none")


def test_no_more_than_five_bad_ingredients_are_named() -> None:
    found = replace(FOUND, ingredients=tuple(Ingredient(None, "inputTo", None, "invalid") for _ in range(7)))
    assert _part({"ingredients": "valid"}, found)[1] == "; ".join(["untitled is invalid"] * 5)


def test_a_certificate_without_a_name_is_named_by_its_subject() -> None:
    nameless = replace(FOUND, chain=(replace(FOUND.chain[0], common_name=None),))
    assert _part({"signer": "CN=Ada"}, nameless) == (True, f"CN=Ada, sha256 {'a' * 64}")
    assert _part({"signer": "Bob"}, nameless)[1] == "wanted Bob, found CN=Ada"


@pytest.mark.parametrize("wanted", ["a" * 63, "a" * 65, "g" * 64, "sha256:" + "b" * 64])
def test_what_is_not_the_whole_fingerprint_does_not_match(wanted: str) -> None:
    assert not _part({"signer": wanted})[0]


def test_names_are_taken_without_the_space_around_them() -> None:
    assert _part({"signer": "  Ada "})[0]
    for bad in (["Ada", " "], ["Ada", 7], {"name": "Ada"}):
        with pytest.raises(UsageError, match="must be a name"):
            make_policy({"signer": bad})


def test_compositions_count_what_holds_and_say_what_fails() -> None:
    finding = make_policy({"any": [{"signer": "Ada"}, {"signer": "Bob"}]}).evaluate(FOUND)
    assert finding.parts[0].why == "1 of 2 hold"
    assert (finding.clause, finding.why) == ("policy", "1 of 1 hold")
    failing = make_policy({"all": [{"signer": "Bob"}, {"not-development": True, "not-revoked": True}]}).evaluate(FOUND)
    assert failing.why == ("signer: wanted Bob, found Ada; not-revoked: unknown: no answer about the certificate")
    assert [part.clause for part in failing.parts[0].parts] == ["signer", "all"]


def test_eight_levels_of_nesting_are_read_and_nine_are_not() -> None:
    def nested(depth: int) -> dict[str, Any]:
        return {"signer": "Ada"} if depth == 0 else {"all": [nested(depth - 1)]}

    assert make_policy(nested(8)).evaluate(FOUND).held
    with pytest.raises(UsageError, match="deep"):
        make_policy(nested(9))


def test_a_policy_is_read_from_its_file_and_its_faults_are_named(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text('signer = "Ada"')
    policy = load_policy(tmp_path / "policy.toml")
    assert policy.evaluate(FOUND).held
    with pytest.raises(UsageError, match=r"Unknown clause 'signers' in any\[1\] in policy"):
        make_policy({"any": [{"signer": "Ada"}, {"signers": "Ada"}]})
