"""The verdict on a file: credential, watermark and detector, joined by a lattice, never by adding them up.

In: a verification (provenance), a prediction (detector), what was found of a watermark. Out: a `Verdict`: a word from
VERDICTS, the reasons for it, notes. A credential is a statement with or without a voucher, not a likelihood; a score is
a likelihood, not a statement. So a trusted credential may say what a file is, an unvouched one may only say that it is
synthetic (a claim against interest), and the detector decides the rest. A watermark can be copied onto any file: it
brings a lost credential back only where the file also looks as that states; alone it calls for a person, and is no
stronger than "suspicious". Of a file that is unlike all that its thresholds were set on, the detector's say is no
stronger than "inconclusive". Nothing here ever says that a file is real: absence of evidence is all a low score can be.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from detector.config import SCAN_FPR
from detector.inference.prediction import Prediction, Reason
from detector.inference.thresholds import Band
from sfumato.exit_codes import ExitCode

SYNTHETIC = frozenset({"trainedAlgorithmicMedia"})
EDITED = frozenset(
    {
        "compositeWithTrainedAlgorithmicMedia",
        "compositeSynthetic",
        "algorithmicallyEnhanced",
        "algorithmicMedia",
        "virtualRecording",
    }
)
CAPTURED = frozenset({"digitalCapture", "computationalCapture"})

VERDICTS: dict[str, str] = {
    "synthetic-declared": "A signer on your trust list declares this file AI-generated.",
    "ai-edited-declared": "A signer on your trust list declares that AI took part in making or editing this file.",
    "synthetic-claimed": "The file's own credential says that AI made it. Nobody vouches for the signer, but "
    "nobody gains by saying so.",
    "synthetic-recovered": "The file has no credential of its own that says so, but its watermark leads to a signed "
    "manifest that declares AI, and it looks like the video that this manifest was made for.",
    "captured-declared": "A signer on your trust list declares this a camera's capture; the detector says nothing "
    "against it.",
    "conflict": "A signer on your trust list declares this a camera's capture, but the detector finds "
    "traces of forgery, or watermark and look lead to the manifest of a generated video.",
    "tampered-after-signing": "The file changed after it was signed. That may be an attack or just a re-encoding; its "
    "credential is void.",
    "credential-invalid": "The file's credential does not hold and counts for nothing. What the detector says is "
    "in the reasons.",
    "likely-synthetic": "The detector's score is above its strictest threshold: the traces of a synthetic or "
    "manipulated face are strong.",
    "suspicious": "The detector's score is above the threshold that few real files exceed, or a watermark of generated "
    "video was read that nothing here explains. A person should look: the reasons say which.",
    "inconclusive": "The detector's score is raised, but many real files reach it too, or nobody knows how many: the "
    "reasons say which.",
    "no-evidence": "The detector found no trace it knows. That is no proof of anything: it does not know "
    "every forgery.",
    "not-evaluable": "The file could not be judged, for the reason given.",
}


# What each verdict ends a pipeline with, if that is asked for, the worst first: of several files the worst counts.
EXIT_CODES: dict[ExitCode, tuple[str, ...]] = {
    ExitCode.NOT_GOOD: ("likely-synthetic", "conflict", "suspicious"),
    ExitCode.INVALID_CREDENTIAL: ("tampered-after-signing", "credential-invalid"),
    ExitCode.DECLARED: ("synthetic-declared", "synthetic-claimed", "synthetic-recovered", "ai-edited-declared"),
    ExitCode.UNDECIDED: ("inconclusive", "not-evaluable"),
    ExitCode.DONE: ("no-evidence", "captured-declared"),
}


def exit_code(verdicts: Collection[str]) -> ExitCode:
    """That of the worst of `verdicts`, keys of VERDICTS; DONE for none."""
    return next((code for code, names in EXIT_CODES.items() if set(names) & set(verdicts)), ExitCode.DONE)


class VerificationLike(Protocol):
    """What is read of a verification; provenance.verifying.verify.Verification is one."""

    @property
    def outcome(self) -> str: ...
    @property
    def codes(self) -> Sequence[str]: ...
    @property
    def declares(self) -> Sequence[str]: ...
    @property
    def ingredient_declares(self) -> Sequence[str]: ...


class MarkLike(Protocol):
    """What is read of a watermark; sfumato.app.scan.mark.MarkFacts is one."""

    @property
    def finding(self) -> str: ...
    @property
    def declares(self) -> Sequence[str]: ...
    @property
    def meaning(self) -> str: ...
    @property
    def certainty(self) -> str: ...


_TOLD = 3  # quantities outside of a calibration that are told of one file
DECLARED = frozenset(
    {"synthetic-declared", "ai-edited-declared", "synthetic-claimed"}
)  # the file's own credential says
_LIFTED = frozenset({"inconclusive", "no-evidence", "not-evaluable"})  # weaker than "suspicious"
BY_DETECTOR = {
    Band.STRONG: "likely-synthetic",
    Band.FLAGGED: "suspicious",
    Band.RAISED: "inconclusive",
    Band.LOW: "no-evidence",
    Band.NONE: "not-evaluable",
}


@dataclass(frozen=True)
class Verdict:
    """name: a key of VERDICTS. review: a person should look. band: the detector's part, whatever the verdict; whether
    the file is flagged is read off it.
    """

    name: str
    reasons: tuple[Reason, ...]
    notes: tuple[str, ...]
    band: Band
    review: bool

    @property
    def meaning(self) -> str:
        """The verdict in a sentence."""
        return VERDICTS[self.name]


def combine(
    verification: VerificationLike, prediction: Prediction, fpr: float = SCAN_FPR, mark: MarkLike | None = None
) -> Verdict:
    """Total: every outcome, every prediction and every watermark have a verdict. `fpr`: the false-positive rate at
    which a score flags; mark: None where none was looked for.
    """
    verdict = _combined(verification, prediction, fpr)
    review = verdict.review or (verdict.name == "inconclusive" and prediction.score_band(fpr).flagged)
    verdict = replace(verdict, review=review)
    if mark is not None and mark.finding != "none":
        verdict = _with_mark(verdict, mark)
    return replace(verdict, notes=(*verdict.notes, *prediction.notes))


def _with_mark(verdict: Verdict, mark: MarkLike) -> Verdict:
    """What a watermark that was read changes. The file's own declaration of AI stands, whatever the mark says."""
    reason = Reason(f"watermark_{mark.finding}", f"{mark.meaning} {mark.certainty}".strip())
    verdict = replace(verdict, reasons=(*verdict.reasons, reason))
    if verdict.name in DECLARED:
        return verdict
    declared = set(mark.declares) & (SYNTHETIC | EDITED)
    if mark.finding == "recovered" and not declared:
        return replace(verdict, notes=(*verdict.notes, "The manifest that the watermark leads to does not declare AI."))
    if mark.finding == "recovered":
        says = Reason("credential_recovered", f"it is declared {', '.join(sorted(declared))}")
        verdict = replace(verdict, reasons=(says, reason, *verdict.reasons[:-1]))
        if verdict.name in ("captured-declared", "conflict"):
            return replace(verdict, name="conflict", review=True)
        notes, review = (*verdict.notes, *_disagrees(verdict.band)), verdict.name == "tampered-after-signing"
        return replace(verdict, name="synthetic-recovered", notes=notes, review=review)
    lifted = mark.finding != "foreign" and verdict.name in _LIFTED  # a look that differs speaks against its mark
    return replace(verdict, name="suspicious" if lifted else verdict.name, review=True)


def _combined(verification: VerificationLike, prediction: Prediction, fpr: float) -> Verdict:
    band = prediction.band(fpr)
    found = (*_detector_reason(prediction, prediction.score_band(fpr), fpr), *_outside_reason(prediction))
    declared = set(verification.declares)
    if set(verification.ingredient_declares) & (SYNTHETIC | EDITED) and not declared & SYNTHETIC:
        declared = declared | {
            "compositeWithTrainedAlgorithmicMedia"
        }  # an AI ingredient makes a composite, whatever the whole says
    codes = tuple(verification.codes)
    if verification.outcome == "trusted":
        return _trusted(declared, band, found)
    if verification.outcome == "untrusted":
        return _untrusted(declared, band, found)
    if verification.outcome == "invalid":
        return _invalid(codes, declared, band, found)
    notes = () if verification.outcome == "none" else ("The file's credential could not be read.",)
    return _detector_alone(band, found, notes)


def _trusted(declared: set[str], band: Band, found: tuple[Reason, ...]) -> Verdict:
    if declared & SYNTHETIC:
        return Verdict(
            "synthetic-declared", (_says("trusted", declared & SYNTHETIC), *found), _disagrees(band), band, False
        )
    if declared & EDITED:
        return Verdict("ai-edited-declared", (_says("trusted", declared & EDITED), *found), (), band, False)
    if declared & CAPTURED:
        reasons = (_says("trusted", declared & CAPTURED), *found)
        if band.flagged:
            return Verdict("conflict", reasons, ("A signed picture of a screen looks like this.",), band, True)
        notes = ("The detector could not judge the file: only the signer's word stands.",) if band == Band.NONE else ()
        return Verdict("captured-declared", reasons, notes, band, band == Band.RAISED)
    return _detector_alone(
        band, found, ("A trusted signer vouches for the file's origin, but does not say how it was made.",)
    )


def _untrusted(declared: set[str], band: Band, found: tuple[Reason, ...]) -> Verdict:
    if declared & (SYNTHETIC | EDITED):
        return Verdict(
            "synthetic-claimed",
            (_says("untrusted", declared & (SYNTHETIC | EDITED)), *found),
            _disagrees(band),
            band,
            False,
        )
    claim = " It claims a camera; anybody can sign that." if declared & CAPTURED else ""
    return _detector_alone(
        band, found, (f"The credential's signer is on no trust list here, so it counts for nothing.{claim}",)
    )


def _invalid(codes: tuple[str, ...], declared: set[str], band: Band, found: tuple[Reason, ...]) -> Verdict:
    changed = [code for code in codes if code.endswith("Hash.mismatch")]
    notes = (
        ("The void credential declares AI; whoever changed the file left that in.",)
        if declared & (SYNTHETIC | EDITED)
        else ()
    )
    if changed:
        return Verdict(
            "tampered-after-signing",
            (Reason("credential_hash_mismatch", ", ".join(changed)), *found),
            notes,
            band,
            True,
        )
    reason = Reason("credential_invalid", ", ".join(codes) or "no code given")
    return Verdict("credential-invalid", (reason, *found), notes, band, band >= Band.RAISED or band == Band.NONE)


def _detector_alone(band: Band, found: tuple[Reason, ...], notes: tuple[str, ...]) -> Verdict:
    return Verdict(BY_DETECTOR[band], found, notes, band, band.flagged)


def _detector_reason(prediction: Prediction, band: Band, fpr: float) -> tuple[Reason, ...]:
    if band == Band.NONE:
        return prediction.reasons or (Reason("no_score", "The detector gave no score."),)
    words = {
        Band.STRONG: ("detector_strong", "above the strictest threshold"),
        Band.FLAGGED: ("detector_flagged", f"above the threshold of a {fpr:.1%} false-positive rate"),
        Band.RAISED: ("detector_raised", f"above the loosest threshold, below that of a {fpr:.1%} false-positive rate"),
        Band.LOW: ("detector_low", "not above any threshold"),
    }
    code, text = words[band]
    if not prediction.threshold.logits:
        text = "without a calibrated threshold to hold it against"
    reals = prediction.threshold.n_real
    kind = "clips" if prediction.media is None else "pictures" if prediction.media.kind == "picture" else "videos"
    held = prediction.threshold.exceeded(prediction.logit)[:1] if prediction.logit is not None and band.flagged else ()
    scope = prediction.threshold.holds_for(held[0] if held else fpr)
    return (Reason(code, f"The score is {text}" + (f", set on {reals} real {kind}{scope}." if reals else ".")),)


def _outside_reason(prediction: Prediction) -> tuple[Reason, ...]:
    """Where the file is one that no threshold was set on; its score then decides nothing."""
    if not (outside := prediction.outside):
        return ()
    more = [f"{len(outside) - _TOLD} more quantities lie outside too."] if len(outside) > _TOLD else []
    return (Reason("outside_calibration", " ".join([*outside[:_TOLD], *more])),)


def _says(trust: str, declared: set[str]) -> Reason:
    return Reason(f"credential_{trust}", f"it or what it was made from is declared {', '.join(sorted(declared))}")


def _disagrees(band: Band) -> tuple[str, ...]:
    """Declared synthetic and not seen so: the declaration stands, and the detector has something to learn."""
    return ("The detector does not see it: a miss to learn from.",) if band in (Band.LOW, Band.RAISED) else ()
