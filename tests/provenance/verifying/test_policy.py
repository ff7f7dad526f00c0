"""Policies compose, give evidence for every clause, take trust away and never give it; an empty one is refused."""

from __future__ import annotations

from dataclasses import replace
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
    stamp_chain=(_certificate("Clock", "d" * 64),),
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
