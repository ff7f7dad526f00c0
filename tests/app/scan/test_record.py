"""The scan record: its JSON, flagged decided once, what is rounded, a name that is no UTF-8."""

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.inference.prediction import Prediction, TrackFrame, TrackScore
from detector.inference.thresholds import Thresholds
from provenance.verifying.verification import Verification
from sfumato.app.scan.record import CredentialFacts, ExplanationRecord, FileFacts, ScanRecord
from sfumato.app.scan.verdict import combine
from tests.detector_fixtures import toy_explanation
from tests.scan_fixtures import explanation_record, mark_facts, scan_record

THRESHOLDS = Thresholds({0.1: 1.0, 0.01: 2.0})


def prediction(blend: float, synthesis: float) -> Prediction:
    """One track of one frame, whose logit is that of the stack: either kind of evidence is enough."""
    frame = TrackFrame(0.123456, (1.26, 2.0, 50.0, 60.04), 0.9, 0.0, blend, synthesis)
    track = TrackScore(0, 0.9, 0.0, (frame,))
    logit = float(track.stack.logit(np.array([blend, synthesis])))
    return Prediction("ok", score=0.9, logit=logit, threshold=THRESHOLDS, tracks=(replace(track, logit=logit),))


def record(found: Prediction, fpr: float) -> ScanRecord:
    verification = Verification(Path("a.mp4"), "none")
    return ScanRecord.of(FileFacts("a.mp4", None, None), verification, found, combine(verification, found, fpr), fpr)


def test_words_say_that_both_flag_together_exactly_where_the_verdict_flags() -> None:
    """Each head passes the threshold of 0.1 and not that of 0.01, which both together pass."""
    both = prediction(1.9, 1.9)
    assert 1.9 < 2.0 < both.logit
    assert record(both, 0.01).verdict.name == "suspicious"
    assert "both together do" in record(both, 0.01).explanation.words
    weaker = prediction(0.5, 0.5)
    assert 1.0 < weaker.logit < 2.0
    assert record(weaker, 0.01).verdict.name == "inconclusive"
    assert "both together do" not in record(weaker, 0.01).explanation.words


def test_json_is_plain_and_complete() -> None:
    found = scan_record(explanation=explanation_record(toy_explanation())).as_json()
    assert json.loads(json.dumps(found)) == found
    assert found["threshold"] == {"fpr": 0.01, "score": found["threshold"]["0.01"], **scan_record().threshold.as_json()}


def test_times_boxes_and_frame_scores_are_rounded() -> None:
    (track,) = record(prediction(1.23456, 2.0), 0.01).as_json()["tracks"]
    assert (track["t0"], track["size_px"]) == (0.1235, 60.0)
    assert track["frames"] == [
        {"t": 0.1235, "box": [1.3, 2.0, 50.0, 60.0], "score": 0.9, "blend": 1.235, "synthesis": 2.0}
    ]


def test_without_a_score_there_is_no_explanation() -> None:
    assert ExplanationRecord.of(Prediction("abstain"), False, 0.01) is None


@pytest.mark.parametrize(("finding", "generated"), [("recovered", True), ("foreign", False), ("doubtful", False)])
def test_a_recovered_manifest_declares_as_the_files_own_credential_does(finding, generated) -> None:
    bare = scan_record(credentials=CredentialFacts("none"))
    assert scan_record().generated
    assert not bare.generated
    assert replace(bare, mark=mark_facts(finding=finding)).generated == generated


def test_a_sheet_needs_an_explanation() -> None:
    with pytest.raises(ValueError, match="no explanation"):
        scan_record().with_sheet(Path("a.png"))


def test_file_facts_are_those_of_the_file(tmp_path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    found = FileFacts.of(tmp_path / "a")
    assert found == FileFacts(str(tmp_path / "a"), hashlib.sha256(b"abc").hexdigest(), 3)


def test_a_missing_file_has_no_digest(tmp_path) -> None:
    assert FileFacts.of(tmp_path / "none") == FileFacts(str(tmp_path / "none"), None, None)


def test_a_name_that_is_no_utf8_is_told_replaced(tmp_path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    path.write_bytes(b"abc")
    assert FileFacts.of(path).path == f"{tmp_path}/\ufffd"
