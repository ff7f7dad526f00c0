"""The lattice: every row of it, then what must hold for every combination."""

from dataclasses import dataclass
from itertools import product

import pytest

from detector.inference.prediction import Prediction, Reason
from detector.inference.thresholds import Thresholds
from sfumato.app.scan.verdict import BY_DETECTOR, CAPTURED, EDITED, SYNTHETIC, VERDICTS, combine


@dataclass
class Evidence:
    outcome: str
    declares: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    ingredient_declares: tuple[str, ...] = ()


THRESHOLDS = Thresholds({0.1: 1.0, 0.01: 2.0, 0.001: 3.0}, n_real=999)
LOW, RAISED, FLAGGED, STRONG = (Prediction("ok", logit=value, threshold=THRESHOLDS) for value in (0.0, 1.5, 2.5, 3.5))
BLIND = Prediction("abstain", (Reason("no_face", "No face."),), threshold=THRESHOLDS)
BROKEN = Prediction("error", (Reason("unreadable", "No."),), threshold=THRESHOLDS)
OPINIONS = [LOW, RAISED, FLAGGED, STRONG, BLIND, BROKEN]
OUTCOMES = ["trusted", "untrusted", "invalid", "none", "unreadable"]
DECLARATIONS = [
    (),
    *((d,) for d in sorted(SYNTHETIC | EDITED | CAPTURED)),
    ("digitalCreation",),
    ("digitalCapture", "trainedAlgorithmicMedia"),
]
CODES = [
    (),
    ("assertion.dataHash.mismatch",),
    ("assertion.bmffHash.mismatch",),
    ("signingCredential.expired",),
    ("claimSignature.mismatch",),
]
EVERYTHING = list(product(OUTCOMES, DECLARATIONS, CODES, OPINIONS))


@pytest.mark.parametrize("opinion", OPINIONS)
@pytest.mark.parametrize(
    ("declared", "verdict"),
    [("trainedAlgorithmicMedia", "synthetic-declared"), *((d, "ai-edited-declared") for d in sorted(EDITED))],
)
def test_trusted_declaration_of_ai_stands_whatever_the_detector_says(declared, verdict, opinion) -> None:
    assert combine(Evidence("trusted", (declared,)), opinion).name == verdict


@pytest.mark.parametrize("declared", sorted(CAPTURED))
def test_trusted_capture(declared) -> None:
    verdicts = [combine(Evidence("trusted", (declared,)), opinion).name for opinion in OPINIONS]
    assert verdicts == [
        "captured-declared",
        "captured-declared",
        "conflict",
        "conflict",
        "captured-declared",
        "captured-declared",
    ]


def test_conflict_always_goes_to_a_person() -> None:
    assert combine(Evidence("trusted", ("digitalCapture",)), FLAGGED).review


@pytest.mark.parametrize("declared", sorted(SYNTHETIC | EDITED))
def test_unvouched_claim_of_ai_is_taken_as_a_label(declared) -> None:
    assert {combine(Evidence("untrusted", (declared,)), opinion).name for opinion in OPINIONS} == {"synthetic-claimed"}


@pytest.mark.parametrize("opinion", OPINIONS)
@pytest.mark.parametrize("declares", [("digitalCapture",), ("computationalCapture",), (), ("digitalCreation",)])
def test_unvouched_claim_of_a_camera_counts_for_nothing(declares, opinion) -> None:
    assert combine(Evidence("untrusted", declares), opinion).name == combine(Evidence("none"), opinion).name


@pytest.mark.parametrize("code", ["assertion.dataHash.mismatch", "assertion.bmffHash.mismatch"])
def test_changed_media_is_tampered_and_not_fake(code) -> None:
    assert {combine(Evidence("invalid", codes=(code,)), opinion).name for opinion in OPINIONS} == {
        "tampered-after-signing"
    }


@pytest.mark.parametrize(
    "code", ["signingCredential.expired", "signingCredential.revoked", "claimSignature.mismatch", "manifest.unreadable"]
)
def test_other_invalid_credentials_keep_codes_and_the_detectors_word(code) -> None:
    found = combine(Evidence("invalid", codes=(code,)), STRONG)
    assert found.name == "credential-invalid"
    assert [reason.code for reason in found.reasons] == ["credential_invalid", "detector_strong"]
    assert code in found.reasons[0].detail


@pytest.mark.parametrize(
    ("opinion", "verdict"),
    [
        (STRONG, "likely-synthetic"),
        (FLAGGED, "suspicious"),
        (RAISED, "inconclusive"),
        (LOW, "no-evidence"),
        (BLIND, "not-evaluable"),
    ],
)
def test_without_a_credential_the_detector_decides(opinion, verdict) -> None:
    assert combine(Evidence("none"), opinion).name == verdict


def test_abstention_keeps_its_reason() -> None:
    assert combine(Evidence("none"), BLIND).reasons == BLIND.reasons


def test_every_combination_has_a_verdict_with_reasons_and_none_says_real() -> None:
    for outcome, declares, codes, opinion in EVERYTHING:
        found = combine(Evidence(outcome, declares, codes), opinion)
        assert found.name in VERDICTS
        assert found.reasons
        assert found.band == opinion.band(0.01)
        for text in (found.name, found.meaning):
            assert not {"real", "authentic", "genuine"} & set(
                text.lower().replace("-", " ").replace("real videos", "").split()
            )


def test_no_word_of_the_lattice_clears_a_file() -> None:
    assert not {"real", "authentic", "genuine", "clean", "fake"} & {
        part for verdict in VERDICTS for part in verdict.split("-")
    }


def test_stripping_or_breaking_a_credential_never_clears_a_file() -> None:
    """What an attacker can reach without a trusted key: nothing there is better than the bare detector's word."""
    for outcome, declares, codes, opinion in EVERYTHING:
        bare = combine(Evidence("none"), opinion)
        assert bare.name in BY_DETECTOR.values()
        if outcome != "trusted":
            found = combine(Evidence(outcome, declares, codes), opinion)
            assert found.name in {bare.name, "synthetic-claimed", "tampered-after-signing", "credential-invalid"}


def test_more_evidence_never_lowers_the_band() -> None:
    for outcome, declares, codes in product(OUTCOMES, DECLARATIONS, CODES):
        bands = [
            combine(Evidence(outcome, declares, codes), opinion).band for opinion in (LOW, RAISED, FLAGGED, STRONG)
        ]
        assert bands == sorted(bands)


def test_synthetic_ingredient_outweighs_a_declared_capture() -> None:
    found = combine(Evidence("trusted", ("digitalCapture",), ingredient_declares=("trainedAlgorithmicMedia",)), LOW)
    assert found.name == "ai-edited-declared"


def test_missing_strict_threshold_never_gives_likely_synthetic() -> None:
    opinion = Prediction("ok", logit=99.0, threshold=Thresholds({0.1: 1.0, 0.01: 2.0}))
    assert combine(Evidence("none"), opinion).name == "suspicious"


def test_uncalibrated_score_is_no_evidence_and_says_so() -> None:
    found = combine(Evidence("none"), Prediction("ok", logit=99.0))
    assert found.name == "no-evidence"
    assert "threshold" in found.reasons[0].detail
