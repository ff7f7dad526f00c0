"""The evidence for a person: each line is there when it says something, and says what the evidence holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from provenance.formats.uncovered import Uncovered
from provenance.manifests.claims import Ingredient
from provenance.pki.certificates import CertificateView
from provenance.pki.revocation import Revocation
from provenance.verifying.report import describe, line, record
from provenance.verifying.verification import ClauseResult, Verification

SIGNER = CertificateView("CN=Ada", "CN=Root", "Ada", "Ada Works", "2026-01-01T00:00", "2027-01-01T00:00", "a" * 64)
ROOT = replace(SIGNER, subject="CN=Root", common_name=None, organisation=None, anchor=True)
BARE = Verification(Path("film.mp4"), "none", reason="no credential")


def test_a_file_without_a_credential_is_one_line() -> None:
    assert list(describe(BARE)) == ["film.mp4: none: no credential"]


def test_the_first_line_joins_outcome_signer_and_what_is_declared() -> None:
    found = replace(
        BARE, outcome="trusted", reason="valid", signer="Ada", organisation="Works", development=True,
        declares=("digitalCapture", "somethingElse"),
    )  # fmt: skip
    assert next(describe(found)) == (
        "film.mp4: trusted: valid; signer 'Ada' of 'Works'; a development signer: anybody can make one; "
        "says: captured by a camera, somethingElse"
    )
    assert "of '" not in next(describe(replace(found, organisation=None)))


@pytest.mark.parametrize(
    ("outcome", "codes", "shown"),
    [
        ("untrusted", ("signingCredential.untrusted",), False),
        ("untrusted", ("signingCredential.untrusted", "timeStamp.untrusted"), True),
        ("invalid", ("signingCredential.untrusted",), True),
    ],
)
def test_codes_are_shown_unless_they_only_repeat_the_outcome(outcome: str, codes: tuple[str, ...], shown: bool) -> None:
    told = list(describe(replace(BARE, outcome=outcome, codes=codes)))
    assert (f"    codes: {', '.join(codes)}" in told) is shown


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"manifest_from": "the file"}, []),
        ({"manifest_from": "sidecar a.c2pa"}, ["    credential: not in the file, but from sidecar a.c2pa"]),
        ({"time": "2026", "time_source": "claimed"}, ["    time: 2026 (the signer says so)"]),
        ({"time": "2026", "time_source": "time-stamp"}, ["    time: 2026 (time-stamp)"]),
        ({"time_source": "claimed"}, []),
        ({"revocation": Revocation("unknown", "no", "")}, []),
        ({"revocation": Revocation("unknown", "no", "asked")}, ["    revocation: unknown: no"]),
        ({"revocation": Revocation("not revoked", "good", "")}, ["    revocation: not revoked: good"]),
        ({"facts": {"seed": 7, "other": 1}}, ["    model: seed 7"]),
        ({"facts": {"parameters": {"consent": "my own"}}}, ["    right to use the portrait: my own"]),
        ({"facts": {"parameters": {"consent": 7}}}, []),
        ({"facts": {"parameters": "consent"}}, []),
        ({"uncovered": (Uncovered("free", 0, ""),)}, ["    not covered: free"]),
        (
            {"uncovered": (Uncovered("stbl", 12, "frames", True),)},
            ["    not covered: stbl (12 bytes): frames; IT DECIDES WHAT IS SHOWN"],
        ),
        ({"ingredients_left_out": True}, ["    from: more ingredients, which are not looked at"]),
        (
            {"ingredients": (Ingredient("a", "inputTo", None, "none"),)},
            ["    from: a [inputTo]: no credential"],
        ),
        (
            {"ingredients": (Ingredient(None, "parentOf", None, "invalid", ("x.y",), ("digitalCapture",), 1),)},
            ["      from: untitled [parentOf]: invalid (x.y), says: captured by a camera"],
        ),
        (
            {"policy": ClauseResult("policy", False, "no", (ClauseResult("signer", True, "Ada"),))},
            ["    policy: FAILED: no", "      signer: held: Ada"],
        ),
    ],
)
def test_each_piece_of_evidence_has_its_line_and_nothing_else_does(change: dict, expected: list[str]) -> None:
    assert list(describe(replace(BARE, **change)))[1:] == expected


def test_foreign_text_of_any_length_is_cut_where_it_is_shown() -> None:
    def cut(limit: int) -> str:
        return f"{'x' * limit}... ({2000 - limit} characters more)"

    long = "x" * 2000
    told = replace(BARE, reason="valid", signer=long, organisation=long, declares=(long,), title=long)
    first, title = describe(told)
    assert first == f"film.mp4: none: valid; signer '{cut(80)}' of '{cut(80)}'; says: {cut(80)}"
    assert title == f"    title: {cut(400)}"
    assert next(describe(replace(BARE, reason=long))) == f"film.mp4: none: {cut(1000)}"
    assert next(describe(replace(BARE, path=Path(long)))) == f"{cut(500)}: none: no credential"


def test_what_fits_is_not_cut() -> None:
    told = replace(BARE, reason="valid", signer="s" * 80, organisation="o" * 80, declares=("d" * 80,), title="t" * 400)
    first, title = describe(told)
    assert first == f"film.mp4: none: valid; signer '{'s' * 80}' of '{'o' * 80}'; says: {'d' * 80}"
    assert title == f"    title: {'t' * 400}"
    assert next(describe(replace(BARE, reason="r" * 1000))) == f"film.mp4: none: {'r' * 1000}"
    assert next(describe(replace(BARE, path=Path("p" * 500)))) == f"{'p' * 500}: none: no credential"


def test_a_certificate_without_any_name_is_said_to_be() -> None:
    nameless = replace(SIGNER, subject="", common_name=None)
    (told,) = list(describe(replace(BARE, chain=(nameless,))))[1:]
    assert told.startswith("    signed by: without a name of Ada Works (")


def test_clauses_inside_clauses_are_indented_one_by_one() -> None:
    inner = ClauseResult("any", True, "1 of 1 hold", (ClauseResult("signer", True, "Ada"),))
    told = list(describe(replace(BARE, policy=ClauseResult("policy", True, "held", (inner,)))))[1:]
    assert told == ["    policy: held: held", "      any: held: 1 of 1 hold", "        signer: held: Ada"]


def test_the_record_holds_the_policy_where_there_is_one() -> None:
    assert record(BARE)["policy"] is None
    told = record(replace(BARE, policy=ClauseResult("policy", True, "1 of 1 hold")))["policy"]
    assert told == {"clause": "policy", "held": True, "why": "1 of 1 hold", "parts": ()}


def test_a_chain_goes_from_the_signer_to_the_root_that_was_given() -> None:
    told = list(describe(replace(BARE, chain=(SIGNER, ROOT))))[1:]
    dates = f"2026-01-01 to 2027-01-01, sha256 {'a' * 64}"
    assert told == [
        f"    signed by: Ada of Ada Works ({dates})",
        f"      issued by: CN=Root ({dates}, given here)",
    ]


def test_a_line_without_a_value_is_none_and_depth_indents_it() -> None:
    assert list(line("a", None)) == list(line("a", "")) == []
    assert list(line("a", "b", 2)) == ["        a: b"]
    assert list(line("a", "b\x1b[2J")) != ["    a: b\x1b[2J"]


def test_the_record_holds_the_evidence_as_plain_values() -> None:
    found = replace(
        BARE, codes=("x",), notes=("n",), successes=("s",), anchored=True, uncovered=(Uncovered("p", 1, ""),)
    )
    told = record(found)
    assert (told["file"], told["outcome"], told["schema_version"]) == ("film.mp4", "none", 1)
    assert (told["codes"], told["success_codes"], told["other_codes"]) == (["x"], ["s"], ["n"])
    assert told["signer"]["anchored"] is True
    assert told["not_covered"] == [{"place": "p", "size": 1, "remark": "", "essential": False}]
