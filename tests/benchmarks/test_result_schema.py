"""Every line of every record is what docs/schemas/result.schema.json says, and the schema says no to what is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from benchmarks.record import describe
from benchmarks.rows.comparison import BarRow, ClusterCount, JudgedBy, Rate, Rates, VideoEstimate
from benchmarks.rows.detection import AblationRow, DistanceRow, MatrixRow
from benchmarks.rows.generator import CrossRow, DrivenRow, FigureRow, NetworkRow, PairRow, QualityRow
from benchmarks.rows.others import GroupRow, MethodRow
from benchmarks.rows.quick import QuickRates, QuickRow
from benchmarks.rows.robustness import (
    EquallySharp,
    FamilyRow,
    RealsRow,
    SharpnessRow,
    Softness,
    SummaryRow,
)
from benchmarks.rows.row import Estimate, Row
from benchmarks.rows.scan import ScanCostRow, ScanGrowthRow, ScanWorkersRow
from benchmarks.rows.speed import DetectorSpeedRow, MachineRow, MemoryRow, RenderRow, WholeRow
from benchmarks.rows.temporal import FeatureRow, LeftOutRow
from benchmarks.rows.verifiers import VerifierRow
from benchmarks.rows.watermark import CostRow, FingerprintRow, SurvivalRow, UnmarkedRow

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs" / "schemas" / "result.schema.json").read_text(encoding="utf-8"))
RECORDS = sorted((ROOT / "benchmarks" / "results").glob("*.jsonl"))


def spelled_out(part: Any) -> Any:
    """The schema with what each reference names in its place: a validator looks every one up again for every line."""
    if isinstance(part, list):
        return [spelled_out(each) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        assert part.keys() == {"$ref"}
        return spelled_out(SCHEMA["$defs"][part["$ref"].removeprefix("#/$defs/")])
    return {name: spelled_out(each) for name, each in part.items() if name != "$defs"}


CHECK = jsonschema.Draft202012Validator(spelled_out(SCHEMA))
DIGEST = "0" * 64
RUN = {"size": 256, "shots": 1, "workers": 2, "rounds": 5, "n": 40, "model": DIGEST}
NETWORK = {"network_size": 256, "family": "zakharov2019-warp"}
MEASURED_ON = {"model": DIGEST, "processor": "p", "load": 0.1}
CLIPS = {"method": "sfumato", "footage": DIGEST, "seconds": 5.0, "max_side": 512}
FIGURES = {
    "mouth_ratio_dlib": FigureRow(value=Estimate(0.8, (0.7, 0.9)), of="median", n=9, versus={"warp": (-0.1, 0.1)}),
    "paint_teeth": FigureRow(value=Estimate(0.5), of="mean", n=1, versus={}),
}
THROUGH = {"csim": NetworkRow(name="SFace", sha256=DIGEST), "dlib": NetworkRow(name="dlib", sha256=DIGEST)}
DRIVING = {"driving": "self", "readers": ("mesh", "dlib"), "networks": THROUGH, "footage": DIGEST, "size": 256}
ROWS: list[Row] = [
    QualityRow(
        method="warp", shots=1, shipped=False, ssim=0.8, l1=0.1, csim=0.9, landmark_error=0.1, perceptual=1.0,
        fd_lite0=40.0, learning_s=0.0, n=9, frames=144, model=None, protocol="self-reenactment-4", footage=DIGEST,
        size=256, tune_seconds=10.0, seed=0, figures=FIGURES, readers=("mesh",), fid=90.0, networks=THROUGH,
    ),
    PairRow(
        method="warp", portrait="a", driver="a", figures={"flicker": 1.2}, moments=24, frames=250, model=None, **DRIVING
    ),
    DrivenRow(method="zakharov2019-warp", shipped=True, figures=FIGURES, model=DIGEST, **DRIVING),
    QualityRow(
        method="warp", shots=1, shipped=False, ssim=0.8, l1=0.1, csim=0.9, landmark_error=0.1, perceptual=1.0,
        fd_lite0=40.0, learning_s=0.0, n=9, frames=144, model=None, protocol="self-reenactment-3", footage=DIGEST,
        size=256, tune_seconds=10.0, seed=0, csim_vs_previous=(-0.1, 0.1),
    ),
    CrossRow(
        portrait="a", driver="b", csim_source=0.9, csim_driver=0.1, shape_source=0.1, shape_driver=0.2, moments=24,
        model=DIGEST, footage=DIGEST, size=256,
    ),
    MachineRow(matmul_gmac=10.0, processor="p", **RUN, **NETWORK),
    RenderRow(method="torch", fps=1.0, fps_cpu=1.0, gmac=1.0, share_of_matmul=0.5, **RUN, **NETWORK),
    WholeRow(of="render alone", fps=1.0, fps_cpu=1.0, backend="torch", **RUN),
    MemoryRow(frames=100, peak_mb=900.0, growth=0.0, size=256),
    DetectorSpeedRow(
        method="onnxruntime", fps=1.0, fps_cpu=1.0, size=192, rounds=9, n=32, model=DIGEST, processor="p"
    ),
    ScanCostRow(
        way="all", decided="full", height=720, seconds=10.0, frames=250, crf=23, kilobits=900, cpu=1.5, decoding=0.7,
        times_decoding=Estimate(2.1, (2.0, 2.2)), videos_an_hour=2400, rounds=5, n=6, **MEASURED_ON,
    ),
    ScanWorkersRow(
        height=720, seconds=10.0, workers=2, cores=2, videos_an_hour_of_one=2000, videos_an_hour=3900,
        times_one=Estimate(1.9, (1.8, 2.0)), rounds=5, n=12, **MEASURED_ON,
    ),
    ScanGrowthRow(
        files=2000, block=100, workers=2, cpu_first=0.1, cpu_last=0.1, growth=Estimate(-0.01, (-0.02, 0.0)),
        driver_mb_first=400.0, driver_mb=400.0, worker_mb_first=400.0, worker_mb=400.0, n=19, **MEASURED_ON,
    ),
    SurvivalRow(treatment="crf 28", n=2, payload=Estimate(1, (0.1, 0.9)), **CLIPS),
    CostRow(psnr=41.0, ssim=0.98, share=0.3, psnr_lowest=40.0, ssim_lowest=0.97, n=2, **CLIPS),
    UnmarkedRow(n=2, detected=0, statistic_highest=3.0, **CLIPS),
    FingerprintRow(wrong_pairs=2, lowest=0.4, threshold=0.2, below=0, **CLIPS),
    VerifierRow(
        format="mkv with sidecar", media_type="video/x-matroska", key="RSA", algorithm="ps256",
        verifier="encypher-c2pa", release="1.7.1", whole="not read", changed="invalid", said={"whole": "unsupported"},
    ),
]  # fmt: skip


JUDGED_BY = JudgedBy(footage=DIGEST, model=DIGEST, judging=f"{DIGEST} 0", frames=12, people=None, seed=0)
JUDGED = {
    "protocol_id": "s1", "n": {"real": 9, "fake": 8}, "clusters": ClusterCount(unit="identity", count=9),
    "coverage": {"real": 1.0, "fake": 0.5}, "refused": {},
    "flagged": {"0.1": Rates(tpr=Rate(0.5, (0.2, 0.8), (4, 8))), "0.01": Rates()},
}  # fmt: skip
COMPARED = {**JUDGED, "auc": VideoEstimate(0.9, (0.8, 1.0), 0.9)}
CHANGED = {**COMPARED, "change": VideoEstimate(-0.1, (-0.2, 0.0), 0.0)}
HALF = Rate(0.5, (0.2, 0.8), (4, 8))
ABOUT_THE_DETECTOR: list[Row] = [
    DistanceRow(test="E0", title="seen", family="a", trained=True, floor=0.75, met=True, **COMPARED),
    DistanceRow(
        test="E8", title="shuffled", family="all", refused={}, auc=VideoEstimate(0.5), aucs=(0.4, 0.6), interval="t"
    ),
    DistanceRow(test="E6", title="grid", family="none", refused={"all": "no record"}),
    AblationRow(train="plain", family="a", **CHANGED),
    MatrixRow(train="a", family="b", **COMPARED),
    FamilyRow(treatment="crf 28", set_name="grid", family="a", trained=False, **CHANGED),
    RealsRow(
        treatment="crf 28", set_name="grid", within={"0.1": True, "0.01": True},
        changes={"0.1": Estimate(0.1, (0.0, 0.2)), "0.01": Estimate(0.0)}, **JUDGED,
    ),
    SummaryRow(
        set_name="df1", family="a", treatments=3, mean=0.9, worst=0.8, worst_treatment="df1:VC 5", coverage_lowest=0.5
    ),
    SharpnessRow(
        family="a", protocol_id="s1", refused={}, alone=Softness(auc=0.5, videos=9),
        matched=EquallySharp(auc=0.9, pairs=12),
    ),
    SharpnessRow(family="a", protocol_id="s1", refused={"alone": "not known", "matched": "too few"}),
    LeftOutRow(
        family="a", n={"real": 9, "fake": 9, "learnt": 9}, clusters=ClusterCount(unit="identity", count=9),
        refused={"all": "no other family"},
    ),
    FeatureRow(feature="rigid", auc=0.5, n=18),
    MethodRow(
        detector="given", method="Wav2Lip", family="composite", learnt=False, against="their counterparts", detectors=1,
        metadata=0.5, softness=0.6, **COMPARED,
    ),
    MethodRow(
        detector="left out", method="m", family="reenact", learnt=False, against="", detectors=0,
        **{**JUDGED, "refused": {"auc": "no reals beside them"}},
    ),
    GroupRow(detector="left out", group="lab", medium="video", detectors=3, **JUDGED),
    QuickRow(
        family="real", n=9, decided=HALF, full_seconds=0.5, keyframe_seconds=0.1, gain=Estimate(2.0, (1.5, 2.5)),
        rates={"0.1": QuickRates(full=HALF, quick=HALF, change=Estimate(-0.1, (-0.2, 0.0)), differ=HALF)},
    ),
    BarRow(bar="b", value=-0.1, met=False, set_name="grid"),
    BarRow(bar="b", value=0.1, met=True, test="E7", n=9),
]  # fmt: skip


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_every_line_of_a_record_fits(path: Path) -> None:
    wrong = [number for number, line in enumerate(lines(path), 1) if not CHECK.is_valid(line)]
    assert wrong == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: type(row).__name__)
def test_what_a_row_writes_fits(row: Row) -> None:
    line = json.loads(json.dumps({**describe("c", "p-1", "95 %").line(), **row.line()}))
    CHECK.validate(line)


@pytest.mark.parametrize("row", ABOUT_THE_DETECTOR, ids=lambda row: type(row).__name__)
def test_what_a_row_about_the_detector_writes_fits(row: Row) -> None:
    line = json.loads(json.dumps({**describe("c", "p-1", "95 %").line(), **row.line(), **JUDGED_BY.line()}))
    CHECK.validate(line)


@pytest.mark.parametrize(
    "change",
    [
        {"ssim": "0.5"},
        {"csim": 1.5},
        {"csim_vs_warp": [0.1]},
        {"model": "portrait-256"},
        {"ssmi": 0.5},
        {"date": "now"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_is_no_line_is_refused(change: dict[str, Any]) -> None:
    line = lines(ROOT / "benchmarks" / "results" / "quality.jsonl")[-1]
    assert CHECK.is_valid(line)
    assert not CHECK.is_valid({**line, **change})
