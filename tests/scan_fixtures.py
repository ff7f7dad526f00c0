"""Scan records made up on the spot, for the tests of what shows them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from detector.inference.explain import Explanation, HeadFacts
from detector.inference.frames import MediaFacts
from detector.inference.fusion import probability
from detector.inference.prediction import FrameCounts, ModelFacts, Moment, Reason, Timing
from detector.inference.thresholds import Band, Thresholds
from sfumato.app.scan.mark import MarkFacts, RecoveredFacts
from sfumato.app.scan.record import CredentialFacts, ExplanationRecord, FileFacts, Placement, ScanFacts, ScanRecord
from sfumato.app.scan.verdict import Verdict

HEADS = {
    "blend": HeadFacts(3.0, 2.5, "strong", 0.99),
    "synthesis": HeadFacts(-1.0, -1.0, "low", None),
}


FACTS = ScanFacts(
    "2026-01-31T12:30:00Z",
    "9.9",
    "c" * 64,
    (("signers", "d" * 64),),
    {"frames": 32, "fpr": 0.01, "quick": False, "backend": "onnxruntime", "repository": None},
)


def scan_record(verdict: str = "synthetic-claimed", text: str = "It was seen.", **changes: Any) -> ScanRecord:
    """A flagged video of two seconds with a credential that nobody vouches for; `text` is what a file could say."""
    record = ScanRecord(
        file=FileFacts("a.mp4", "a" * 64, 1000),
        media=MediaFacts("video", 64, 48, "mp4", "h264", 10.0, 2.0, False, 20, 0, False),
        verdict=Verdict(
            verdict,
            (Reason("detector_flagged", text), Reason("credential_untrusted", "declares something")),
            (text,),
            Band.FLAGGED,
            True,
        ),
        score=0.8,
        logit=1.386,
        fpr=0.01,
        threshold=Thresholds({0.1: 0.0, 0.01: 0.405}, 99, "toy"),
        status="ok",
        frames=FrameCounts(3, 3),
        timeline=(Moment(0.0, 0.2), Moment(1.0, 1.0), Moment(2.0, float(probability(0.405)))),
        tracks=(),
        credentials=CredentialFacts("untrusted", signer=text, declares=("trainedAlgorithmicMedia",)),
        model=ModelFacts("toy", "0", "b" * 64, "onnxruntime"),
        timing=Timing(0.1, 0.2, 0.3, 0.0, 0.6),
    )
    return replace(record, **changes)


def mark_facts(text: str = "It was seen.", finding: str = "recovered", **changes: Any) -> MarkFacts:
    """A watermark that leads to a manifest which nobody vouches for; `text` is what that could say."""
    manifest = RecoveredFacts(text, "untrusted", text, True, text, ("trainedAlgorithmicMedia",), text)
    facts = MarkFacts(
        finding, "org.sfumato.watermark.1", "AAECAwQFBgc=", 20.0, 1e-60, True, 16, 0.02, (), manifest, 0.04
    )
    return replace(facts, **changes)


def explanation_record(found: Explanation, words: str = "Evidence of blending.") -> ExplanationRecord:
    """What a record tells of an explanation."""
    return ExplanationRecord(words, HEADS, Placement((0.0,), found.areas, found.shares))
