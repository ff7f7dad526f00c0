"""A record names the heat maps that were written for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.inference.prediction import Prediction
from provenance.verifying.verification import Verification
from sfumato.app.review.explained import begin_explained, with_sheet
from sfumato.app.scan.scanner import Scanned
from sfumato.app.scan.setup import ScanJob, ScanSetup
from tests.detector_fixtures import toy_explanation
from tests.media_fixtures import make_video
from tests.scan_fixtures import explanation_record, scan_record


@pytest.mark.parametrize("explained", [True, False])
def test_a_sheet_is_written_where_there_is_an_explanation(explained: bool, tmp_path: Path) -> None:
    found = toy_explanation() if explained else None
    record = scan_record(explanation=explanation_record(toy_explanation()) if explained else None)
    evidence = Verification(Path("a.mp4"), "none")
    told = with_sheet(Scanned(record, evidence, Prediction("ok", explanation=found)), tmp_path)
    sheets = [str(path) for path in tmp_path.iterdir()]
    assert sheets == ([told.explanation.sheet] if told.explanation is not None else [])
    assert bool(sheets) is explained


def test_a_worker_explains(shipped_detector: Path, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4")
    record = begin_explained(ScanSetup(model=shipped_detector), tmp_path)(ScanJob(path, ""))
    assert record["file"]["path"] == str(path)
