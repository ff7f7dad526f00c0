"""The lattice with its third witness: credential x watermark x detector, every combination, then each row."""

from dataclasses import dataclass
from itertools import product

import pytest

from detector.inference.prediction import Reason
from sfumato.app.scan.mark import FINDINGS
from sfumato.app.scan.verdict import BY_DETECTOR, CAPTURED, EDITED, SYNTHETIC, VERDICTS, combine
from tests.app.scan.test_verdict import BLIND, EVERYTHING, FLAGGED, LOW, RAISED, STRONG, Evidence

SAID = {"synthetic-declared", "ai-edited-declared", "synthetic-claimed"}
CAMERA = {"captured-declared", "conflict"}
STRENGTH = ["not-evaluable", "no-evidence", "inconclusive", "suspicious", "likely-synthetic"]
TAMPERED = ("assertion.bmffHash.mismatch",)


@dataclass(frozen=True)
class Mark:
    finding: str
    declares: tuple[str, ...] = ()
    meaning: str = "It can be copied."
    certainty: str = "So sure."


GENERATED = Mark("recovered", ("trainedAlgorithmicMedia",))
MARKS = [
    *(Mark(finding, declares) for finding in FINDINGS for declares in ((), ("digitalCapture",))),
    *(Mark(finding, (declared,)) for finding in FINDINGS for declared in sorted(SYNTHETIC | EDITED)),
]


@pytest.fixture(scope="module")
def everything():
    """Every credential with every watermark and every prediction: the bare verdict, the mark, the verdict with it."""
    cells = product(EVERYTHING, MARKS)
    pairs = [(Evidence(outcome, declares, codes), opinion, mark) for (outcome, declares, codes, opinion), mark in cells]
    return [
        (combine(evidence, opinion), mark, combine(evidence, opinion, mark=mark)) for evidence, opinion, mark in pairs
    ]


def test_every_combination(everything) -> None:
    """What a watermark may change, and what it may not, of each verdict without it."""
    for bare, mark, found in everything:
        assert found.name in VERDICTS
        assert found.band == bare.band  # what the detector says is the detector's
        if mark.finding == "none":
            assert found == bare
            continue
        assert Reason(f"watermark_{mark.finding}", "It can be copied. So sure.") in found.reasons
        assert set(bare.reasons) < set(found.reasons)
        if bare.name in SAID:
            assert (found.name, found.review) == (bare.name, bare.review)
        elif mark.finding == "recovered" and mark.declares and mark.declares != ("digitalCapture",):
            assert found.name == ("conflict" if bare.name in CAMERA else "synthetic-recovered")
            assert found.review == (bare.name in {*CAMERA, "tampered-after-signing"})
        elif mark.finding == "recovered":
            assert (found.name, found.review) == (bare.name, bare.review)
            assert "does not declare AI" in found.notes[-1]
        elif mark.finding == "foreign":
            assert (found.name, found.review) == (bare.name, True)
        else:
            lifted = bare.name in {"not-evaluable", "no-evidence", "inconclusive"}
            assert (found.name, found.review) == ("suspicious" if lifted else bare.name, True)


def test_only_a_mark_whose_look_fits_recovers(everything) -> None:
    recovered = {mark.finding for _, mark, found in everything if found.name == "synthetic-recovered"}
    assert recovered == {"recovered"}


def test_no_mark_weakens_what_is_known_without_it(everything) -> None:
    for bare, _, found in everything:
        if {bare.name, found.name} <= set(STRENGTH):
            assert STRENGTH.index(found.name) >= STRENGTH.index(bare.name)
        assert found.review >= bare.review or found.name == "synthetic-recovered"
        assert not (found.name in CAMERA and bare.name not in CAMERA)


def test_a_mark_alone_is_suspicious_at_most(everything) -> None:
    for bare, mark, found in everything:
        if mark.finding in {"unknown", "doubtful"} and bare.name in BY_DETECTOR.values():
            assert found.name == max(bare.name, "suspicious", key=STRENGTH.index)


@pytest.mark.parametrize(
    ("opinion", "notes"),
    [
        (LOW, ("The detector does not see it: a miss to learn from.",)),
        (RAISED, ("The detector does not see it: a miss to learn from.",)),
        (FLAGGED, ()),
        (STRONG, ()),
        (BLIND, ()),
    ],
)
def test_a_recovered_credential_comes_first_and_tells_what_the_detector_misses(opinion, notes) -> None:
    found = combine(Evidence("none"), opinion, mark=GENERATED)
    assert (found.name, found.notes, found.review) == ("synthetic-recovered", notes, False)
    assert [reason.code for reason in found.reasons[:2]] == ["credential_recovered", "watermark_recovered"]
    assert found.reasons[0].detail == "it is declared trainedAlgorithmicMedia"


def test_a_changed_file_that_is_recovered_keeps_what_became_of_its_credential() -> None:
    found = combine(Evidence("invalid", codes=TAMPERED), LOW, mark=GENERATED)
    assert (found.name, found.review) == ("synthetic-recovered", True)
    assert "credential_hash_mismatch" in [reason.code for reason in found.reasons]


@pytest.mark.parametrize("declared", sorted(CAPTURED))
def test_a_declared_capture_that_a_manifest_calls_generated_is_a_conflict(declared) -> None:
    found = combine(Evidence("trusted", (declared,)), LOW, mark=GENERATED)
    assert (found.name, found.review, found.band) == ("conflict", True, LOW.band(0.01))


def test_a_declared_capture_with_a_mark_that_proves_nothing_stands_and_is_looked_at() -> None:
    for finding in ("foreign", "doubtful", "unknown"):
        found = combine(Evidence("trusted", ("digitalCapture",)), LOW, mark=Mark(finding))
        assert (found.name, found.review) == ("captured-declared", True)
