"""Records to tables: the numbers in MODEL_CARD.md are written by this module from their records, never by hand.

A block between `<!-- table NAME -->` and `<!-- end -->` is replaced: most by the latest measurement in
benchmarks/results/NAME.jsonl, `detection` by what the shipped detector's own record says of its test, and `headline`
by a few figures of several records.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.rows.detection import DistanceRow, read_detection_row
from benchmarks.rows.generator import CrossRow, DrivenRow, QualityRow
from benchmarks.rows.others import read_others_row
from benchmarks.rows.quick import read_quick_row
from benchmarks.rows.robustness import read_robustness_row
from benchmarks.rows.row import About
from benchmarks.rows.scan import ScanCostRow, read_scan_row
from benchmarks.rows.speed import DetectorSpeedRow, WholeRow, read_speed_row
from benchmarks.rows.temporal import read_temporal_row
from benchmarks.rows.verifiers import VerifierRow
from benchmarks.rows.watermark import SurvivalRow, read_mark_row
from benchmarks.tables.detection import ablation_table, distance_table, matrix_table
from benchmarks.tables.markdown import table_text
from benchmarks.tables.others import others_table
from benchmarks.tables.quality import cross_table, driven_table, paper_table, quality_table, training_table
from benchmarks.tables.quick import quick_table
from benchmarks.tables.robustness import robustness_table
from benchmarks.tables.scan import million_table, scan_table
from benchmarks.tables.speed import detector_speed_table, speed_table
from benchmarks.tables.survival import survival_table
from benchmarks.tables.temporal import temporal_table
from benchmarks.tables.verifiers import verifiers_table
from detector.evaluation.intervals import rate_bounds
from sfumato.errors import UsageError

Record = Mapping[str, Any]
_OWN_RECORD = (
    "quality", "training", "cross", "survival", "speed", "judging", "scan", "robustness", "temporal", "verifiers",
    "others", "quick", "paper",
)  # fmt: skip
_BLOCK = re.compile(r"(<!-- table (?P<name>[a-z_]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill_tables(text: str, records: Mapping[str, Path]) -> str:
    """`text` with every marked block made anew from `records`, table name to file. Raises UsageError for an unknown
    table or no record.
    """

    def table(block: re.Match[str]) -> str:
        name = block["name"]
        if name == "headline":
            return f"{block[1]}{headline_table(records)}\n{block[3]}"
        if name not in RENDERERS or name not in records:
            raise UsageError(f"No table is called {name!r}", f"Known: {', '.join(sorted(RENDERERS))}.")
        return f"{block[1]}{RENDERERS[name](read_records(records[name]))}\n{block[3]}"

    return _BLOCK.sub(table, text)


def read_records(path: Path) -> list[Record]:
    """A JSON file as one record; of JSON lines those of the latest measurement of each kind: its last line's date,
    protocol and footage.
    """
    try:
        text = path.read_text(encoding="utf-8")
        lines = (
            [json.loads(text)]
            if path.suffix == ".json"
            else [json.loads(line) for line in text.splitlines() if line.strip()]
        )
    except (OSError, ValueError) as error:
        raise UsageError(f"There are no results at {path}", "Measure first: see docs/reproducing.md.") from error
    if not lines:
        raise UsageError(f"There are no results at {path}", "Measure first: see docs/reproducing.md.")
    last = {line.get("kind"): line for line in lines}
    return [
        line
        for line in lines
        if all(line.get(key) == last[line.get("kind")].get(key) for key in ("date", "protocol", "footage"))
    ]


def shipped_records() -> Mapping[str, Path]:
    """Where the records behind MODEL_CARD.md lie."""
    from importlib.resources import files

    results = Path(str(files("benchmarks"))) / "results"
    return {
        **{name: results / f"{name}.jsonl" for name in _OWN_RECORD},
        "detection_tests": results / "detection.jsonl",
        "scan_million": results / "scan.jsonl",
        "others_second": results / "others_second.jsonl",
        "detection_matrix": results / "matrix.jsonl",
        "detection_ablation": results / "ablation.jsonl",
        "detection_frequency": results / "frequency.jsonl",
        "detection": Path(str(files("detector"))) / "weights" / "detector.json",
    }


def detection_table(records: Sequence[Record]) -> str:
    """The shipped detector on its test clips: AUC for each family and what its thresholds flag, under each
    treatment.
    """
    about = records[-1]
    calibration = about["calibration"]
    alphas = sorted((alpha for alpha in calibration["thresholds"]), key=float, reverse=True)
    rates = [f"flagged at {float(alpha):g}" for alpha in alphas]
    rows = []
    for treatment, found in about["test"].items():
        for family, count in found["clips"].items():
            aucs = [found[key].get(family) for key in ("auc", "auc_against_twins")]
            numbers = ("" if number is None else f"{number:.3f}" for number in aucs)
            flagged = [_share(found["above_threshold"][alpha][family], count) for alpha in alphas]
            rows.append((treatment.replace("_", " "), family, f"{count}", *numbers, *flagged))
    note = (
        f"One score a clip. Thresholds: {calibration['rule']}; n_real = {calibration['n_real']} "
        "people's pictures; for videos "
        f"{about['video_calibration']['n_real']}: {about['video_calibration']['of']}. "
        "Shares of clips with their exact bounds at 95 %."
    )
    table = table_text(("test clips", "kind", "clips", "AUC", "against twins", *rates), rows)
    return f"{table}\n\n{note}"


def headline_table(records: Mapping[str, Path]) -> str:
    """README's figures, one or two of each record, with what they are to be held against. Raises UsageError without a
    record.
    """
    quality = [QualityRow.read(line) for line in read_records(records["quality"])]
    csim = {(row.shots, "shipped" if row.shipped else row.method): row.csim for row in quality}
    whole = [row for row in map(read_speed_row, read_records(records["speed"])) if isinstance(row, WholeRow)]
    pace = next(row for row in whole if row.of.startswith(".motion"))
    shipped = [row.model for row in quality if row.shipped][-1]
    marks = [row for row in map(read_mark_row, read_records(records["survival"])) if isinstance(row, SurvivalRow)]
    copies = {row.treatment: row for row in marks if row.recovered is not None}
    costs = [row for row in map(read_scan_row, read_records(records["scan"])) if isinstance(row, ScanCostRow)]
    full, quick = ({row.way: row for row in costs if row.height == 720}[way] for way in ("full", "quick"))
    real = read_records(records["detection"])[-1]["test"]["untouched"]
    found = map(read_detection_row, read_records(records["detection_tests"]))
    judged = {(row.test, row.family): row for row in found if isinstance(row, DistanceRow)}

    def auc(test: str, family: str) -> str:
        row = judged.get((test, family))
        if row is None or row.auc is None or row.auc.interval is None:
            raise UsageError(f"{records['detection_tests']} has no AUC of {family} in {test}", "Measure it again.")
        low, high = row.auc.interval
        return f"AUC {row.auc.value:.3f} ({low:.3f} to {high:.3f})"

    def recovered(treatment: str) -> str:
        row = copies[treatment]
        return f"{row.recovered.value if row.recovered else 0:.0f} of {row.n} ({treatment})"

    rows = (
        ("likeness (CSIM) from 1 picture, from 8", f"{csim[1, 'shipped']:.3f}, {csim[8, 'shipped']:.3f}",
         f"the warp alone: {csim[1, 'warp']:.3f}, {csim[8, 'warp']:.3f}", "[card](MODEL_CARD.md#the-generator)"),
        (f"sealed frames a second at {pace.size} px, two cores", f"{pace.fps:.0f}",
         "" if pace.model == shipped else "of an earlier checkpoint", "[speed](docs/speed.md)"),
        ("our generator's videos, from a checkpoint that the detector has not seen", auc("E1", "zakharov2019-warp"),
         "face swaps: " + auc("E5", "swap-alpha"),
         "[card](MODEL_CARD.md#the-detector)"),
        ("real files flagged by mistake at `--fpr 0.1`",
         _share(real["above_threshold"]["0.1"]["real"], real["clips"]["real"]), "",
         "[card](MODEL_CARD.md#the-detector)"),
        ("manifest found again from a copy", recovered("crf 28"), recovered("half size, crf 28"),
         "[durable](docs/durable.md#what-survives)"),
        ("720p videos of 10 s scanned an hour and core", f"{full.videos_an_hour}", f"`--quick`: {quick.videos_an_hour}",
         "[speed](docs/speed.md#scanning)"),
    )  # fmt: skip
    return table_text(("what", "measured", "beside it", "more"), rows)


def _share(value: float, of: int) -> str:
    low, high = rate_bounds(round(value * of), of)
    return f"{value:.3f} ({low:.3f} to {high:.3f})"


def _cross(records: Sequence[Record]) -> str:
    """What was measured by protocol 2 where there is any, else the pairs of the first: their lines have no kind."""
    driven = [line for line in records if line.get("kind") == DrivenRow.kind]
    if driven:
        return driven_table([DrivenRow.read(line) for line in driven], About.read(driven[-1]))
    return cross_table([CrossRow.read(line) for line in records], About.read(records[-1]))


RENDERERS: Mapping[str, Callable[[Sequence[Record]], str]] = {
    "quality": lambda records: quality_table([QualityRow.read(r) for r in records], About.read(records[-1])),
    "training": lambda records: training_table([QualityRow.read(r) for r in records], About.read(records[-1])),
    "paper": lambda records: paper_table([QualityRow.read(r) for r in records], About.read(records[-1])),
    "cross": _cross,
    "detection": detection_table,
    "detection_tests": lambda records: distance_table([read_detection_row(r) for r in records]),
    "detection_matrix": lambda records: matrix_table([read_detection_row(r) for r in records]),
    "detection_ablation": lambda records: ablation_table([read_detection_row(r) for r in records]),
    "detection_frequency": lambda records: ablation_table([read_detection_row(r) for r in records]),
    "robustness": lambda records: robustness_table([read_robustness_row(r) for r in records]),
    "temporal": lambda records: temporal_table([read_temporal_row(r) for r in records]),
    "quick": lambda records: quick_table([read_quick_row(r) for r in records]),
    "others": lambda records: others_table([read_others_row(r) for r in records]),
    "others_second": lambda records: others_table([read_others_row(r) for r in records]),
    "survival": lambda records: survival_table([read_mark_row(r) for r in records]),
    "speed": lambda records: speed_table([read_speed_row(r) for r in records]),
    "judging": lambda records: detector_speed_table([DetectorSpeedRow.read(r) for r in records]),
    "scan": lambda records: scan_table([read_scan_row(r) for r in records]),
    "scan_million": lambda records: million_table([read_scan_row(r) for r in records]),
    "verifiers": lambda records: verifiers_table([VerifierRow.read(r) for r in records], About.read(records[-1])),
}
