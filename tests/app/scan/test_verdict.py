"""The lattice: every row of it, then what must hold for every combination."""

from dataclasses import dataclass, replace
from itertools import product

import pytest

from detector.inference.frames import MediaFacts
from detector.inference.prediction import Prediction, Reason, TrackScore
from detector.inference.thresholds import Coverage, Source, Thresholds
from sfumato.app.scan.verdict import (
    BY_DETECTOR,
    CAPTURED,
    EDITED,
    EXIT_CODES,
    SYNTHETIC,
    VERDICTS,
    combine,
    exit_code,
)
from sfumato.exit_codes import ExitCode


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
                text.lower().replace("-", " ").replace("real files", "").split()
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


MISSED = "The detector does not see it: a miss to learn from."
ORIGIN_ONLY = "A trusted signer vouches for the file's origin, but does not say how it was made."
ON_NO_LIST = "The credential's signer is on no trust list here, so it counts for nothing."
VOID = "The void credential declares AI; whoever changed the file left that in."
UNREADABLE = "The file's credential could not be read."


@pytest.mark.parametrize(
    ("outcome", "declares", "opinion", "verdict", "notes", "review"),
    [
        ("trusted", ("trainedAlgorithmicMedia",), LOW, "synthetic-declared", (MISSED,), False),
        ("trusted", ("trainedAlgorithmicMedia",), RAISED, "synthetic-declared", (MISSED,), False),
        ("trusted", ("trainedAlgorithmicMedia",), FLAGGED, "synthetic-declared", (), False),
        ("trusted", ("trainedAlgorithmicMedia",), BLIND, "synthetic-declared", (), False),
        ("trusted", ("compositeSynthetic",), STRONG, "ai-edited-declared", (), False),
        ("trusted", ("digitalCapture",), LOW, "captured-declared", (), False),
        ("trusted", ("digitalCapture",), RAISED, "captured-declared", (), True),
        ("trusted", ("digitalCapture",), FLAGGED, "conflict", ("A signed picture of a screen looks like this.",), True),
        (
            "trusted",
            ("digitalCapture",),
            BLIND,
            "captured-declared",
            ("The detector could not judge the file: only the signer's word stands.",),
            False,
        ),
        ("trusted", (), LOW, "no-evidence", (ORIGIN_ONLY,), False),
        ("trusted", ("digitalCreation",), FLAGGED, "suspicious", (ORIGIN_ONLY,), True),
        ("untrusted", ("trainedAlgorithmicMedia",), LOW, "synthetic-claimed", (MISSED,), False),
        ("untrusted", ("compositeSynthetic",), STRONG, "synthetic-claimed", (), False),
        (
            "untrusted",
            ("digitalCapture",),
            RAISED,
            "inconclusive",
            (f"{ON_NO_LIST} It claims a camera; anybody can sign that.",),
            False,
        ),
        ("untrusted", (), FLAGGED, "suspicious", (ON_NO_LIST,), True),
        ("invalid", ("trainedAlgorithmicMedia",), LOW, "credential-invalid", (VOID,), False),
        ("invalid", ("compositeSynthetic",), RAISED, "credential-invalid", (VOID,), True),
        ("invalid", ("digitalCapture",), BLIND, "credential-invalid", (), True),
        ("none", (), BLIND, "not-evaluable", (), False),
        ("none", (), RAISED, "inconclusive", (), False),
        ("unreadable", (), STRONG, "likely-synthetic", (UNREADABLE,), True),
    ],
)
def test_each_row_of_the_lattice_has_its_notes_and_its_call_for_a_person(
    outcome, declares, opinion, verdict, notes, review
) -> None:
    found = combine(Evidence(outcome, declares), opinion)
    assert (found.name, found.notes, found.review) == (verdict, notes, review)


@pytest.mark.parametrize("opinion", OPINIONS)
def test_changed_media_always_goes_to_a_person_and_names_the_code(opinion) -> None:
    codes = ("claimSignature.mismatch", "assertion.dataHash.mismatch")
    found = combine(Evidence("invalid", ("trainedAlgorithmicMedia",), codes), opinion)
    assert (found.review, found.notes) == (True, (VOID,))
    assert found.reasons[0] == Reason("credential_hash_mismatch", "assertion.dataHash.mismatch")


def test_an_invalid_credential_lists_its_codes_or_says_that_there_is_none() -> None:
    several = combine(Evidence("invalid", codes=("a.b", "c.d")), LOW)
    assert several.reasons[0] == Reason("credential_invalid", "a.b, c.d")
    assert combine(Evidence("invalid"), LOW).reasons[0] == Reason("credential_invalid", "no code given")


@pytest.mark.parametrize(
    ("outcome", "declares", "code", "said"),
    [
        (
            "trusted",
            ("digitalCapture", "trainedAlgorithmicMedia"),
            "credential_trusted",
            "trainedAlgorithmicMedia",
        ),
        (
            "trusted",
            ("compositeSynthetic", "algorithmicMedia"),
            "credential_trusted",
            "algorithmicMedia, compositeSynthetic",
        ),
        ("trusted", ("digitalCapture", "digitalCreation"), "credential_trusted", "digitalCapture"),
        (
            "untrusted",
            ("trainedAlgorithmicMedia", "compositeSynthetic", "digitalCapture"),
            "credential_untrusted",
            "compositeSynthetic, trainedAlgorithmicMedia",
        ),
    ],
)
def test_the_credentials_reason_names_what_counted_and_nothing_else(outcome, declares, code, said) -> None:
    reason = combine(Evidence(outcome, declares), LOW).reasons[0]
    assert reason == Reason(code, f"it or what it was made from is declared {said}")


@pytest.mark.parametrize(
    ("opinion", "code", "text"),
    [
        (STRONG, "detector_strong", "above the strictest threshold"),
        (FLAGGED, "detector_flagged", "above the threshold of a 1.0% false-positive rate"),
        (RAISED, "detector_raised", "above the loosest threshold, below that of a 1.0% false-positive rate"),
        (LOW, "detector_low", "not above any threshold"),
    ],
)
def test_the_detectors_reason_says_where_the_score_lies_and_on_how_many_clips(opinion, code, text) -> None:
    assert combine(Evidence("none"), opinion).reasons == (Reason(code, f"The score is {text}, set on 999 real clips."),)


def test_a_threshold_of_unknown_size_names_no_number_of_clips() -> None:
    opinion = Prediction("ok", logit=0.0, threshold=Thresholds({0.01: 2.0}))
    assert combine(Evidence("none"), opinion).reasons == (
        Reason("detector_low", "The score is not above any threshold."),
    )


def test_a_detector_without_score_and_reason_still_gives_one() -> None:
    found = combine(Evidence("none"), Prediction("abstain", threshold=THRESHOLDS))
    assert found.reasons == (Reason("no_score", "The detector gave no score."),)


def test_an_ingredient_made_by_ai_makes_a_composite_unless_the_whole_is_declared_synthetic() -> None:
    part = ("trainedAlgorithmicMedia",)
    assert combine(Evidence("untrusted", (), (), part), LOW).name == "synthetic-claimed"
    assert combine(Evidence("trusted", part, (), part), LOW).reasons[0].detail.endswith(" trainedAlgorithmicMedia")
    assert combine(Evidence("trusted", (), (), ("digitalCapture",)), LOW).name == "no-evidence"


def test_what_was_noted_in_reading_is_a_note_of_every_verdict() -> None:
    for outcome in ("none", "trusted", "untrusted", "invalid"):
        noted = combine(Evidence(outcome), replace(LOW, notes=("Read as sRGB.",)))
        assert noted.notes[-1] == "Read as sRGB."
        assert noted.notes[:-1] == combine(Evidence(outcome), LOW).notes


@pytest.mark.parametrize(("kind", "word"), [("picture", "pictures"), ("video", "videos"), ("frames", "videos")])
def test_the_reals_are_those_of_the_files_kind(kind, word) -> None:
    told = combine(Evidence("none"), replace(LOW, media=MediaFacts(kind, 8, 8)))
    assert told.reasons[0].detail.endswith(f"set on 999 real {word}.")


RANGES = Coverage({"face": (80.0, None), "contrast": (4.0, 8.0), "energy 1 px": (0.0, 1.0), "energy 2 px": (0.0, 1.0)})


def small(opinion: Prediction, **seen: float) -> Prediction:
    """The same of a face that is smaller than any that the calibration saw."""
    track = TrackScore(0, 0.9, opinion.logit or 0.0, (), seen={"face": 60.0, **seen})
    return replace(opinion, threshold=replace(opinion.threshold, covers=RANGES), tracks=(track,))


@pytest.mark.parametrize(
    ("opinion", "verdict", "review", "code"),
    [
        (STRONG, "inconclusive", True, "detector_strong"),
        (FLAGGED, "inconclusive", True, "detector_flagged"),
        (RAISED, "inconclusive", False, "detector_raised"),
        (LOW, "no-evidence", False, "detector_low"),
    ],
)
def test_outside_of_the_calibration_the_detector_says_inconclusive_at_most(opinion, verdict, review, code) -> None:
    found = combine(Evidence("none"), small(opinion))
    assert (found.name, found.review) == (verdict, review)
    assert [reason.code for reason in found.reasons] == [code, "outside_calibration"]
    assert found.reasons[1].detail == "The face is 60 px; the calibration's reals had 80 px or more."
    assert not found.band.flagged


@pytest.mark.parametrize("opinion", OPINIONS)
def test_a_credentials_say_is_the_same_outside_of_the_calibration(opinion) -> None:
    for outcome, declares in product(("trusted", "untrusted"), ("trainedAlgorithmicMedia", "compositeSynthetic")):
        inside, outside = (combine(Evidence(outcome, (declares,)), each) for each in (opinion, small(opinion)))
        assert inside.name == outside.name


def test_a_declared_capture_is_no_conflict_with_a_score_that_decides_nothing() -> None:
    found = combine(Evidence("trusted", ("digitalCapture",)), small(STRONG))
    assert (found.name, found.review) == ("captured-declared", True)


def test_of_many_quantities_outside_three_are_told_and_the_others_counted() -> None:
    far = {"contrast": 99.0, "energy 1 px": 9.0, "energy 2 px": 9.0}
    detail = combine(Evidence("none"), small(LOW, **far)).reasons[1].detail
    assert detail.count("calibration's reals had") == 3
    assert detail.endswith("1 more quantities lie outside too.")


def test_the_sources_of_a_threshold_are_told_with_what_it_is_worth_for_the_small_ones() -> None:
    sources = (Source("ffhq", 900, {0.1: 0.1, 0.01: 0.01}), Source("vox", 99, {0.1: 0.1, 0.01: 0.02}))
    opinion = replace(FLAGGED, threshold=replace(THRESHOLDS, sources=sources))
    assert combine(Evidence("none"), opinion).reasons[0].detail == (
        "The score is above the threshold of a 1.0% false-positive rate, set on 999 real clips of 2 sources (up to "
        "2.0% of vox may exceed it: too few clips to say less)."
    )


def test_each_verdict_has_one_code() -> None:
    assert sorted(name for names in EXIT_CODES.values() for name in names) == sorted(VERDICTS)
    assert exit_code([]) == ExitCode.DONE
    for code, names in EXIT_CODES.items():
        assert all(exit_code([name, "no-evidence"]) == code for name in names)
    assert exit_code(VERDICTS) == ExitCode.NOT_GOOD
    assert exit_code(["inconclusive", "synthetic-claimed", "credential-invalid"]) == ExitCode.INVALID_CREDENTIAL
