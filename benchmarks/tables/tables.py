"""Records to tables: the numbers in MODEL_CARD.md are written by this module from their records, never by hand.

A block between `<!-- table NAME -->` and `<!-- end -->` is replaced: most by the latest measurement in
benchmarks/results/NAME.jsonl, `detection` by what the shipped detector's own record says of its test.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.rows.detection import read_detection_row
from benchmarks.rows.generator import CrossRow, DrivenRow, QualityRow
from benchmarks.rows.others import read_others_row
from benchmarks.rows.quick import read_quick_row
from benchmarks.rows.robustness import read_robustness_row
from benchmarks.rows.row import About
from benchmarks.rows.scan import read_scan_row
from benchmarks.rows.speed import DetectorSpeedRow, read_speed_row
from benchmarks.rows.temporal import read_temporal_row
from benchmarks.rows.verifiers import VerifierRow
from benchmarks.rows.watermark import read_mark_row
from benchmarks.tables.detection import ablation_table, distance_table, matrix_table
from benchmarks.tables.markdown import table_text
from benchmarks.tables.others import others_table
from benchmarks.tables.quality import cross_table, driven_table, quality_table, training_table
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
    "others", "quick",
)  # fmt: skip
_BLOCK = re.compile(r"(<!-- table (?P<name>[a-z_]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill_tables(text: str, records: Mapping[str, Path]) -> str:
    """`text` with every marked block made anew from `records`, table name to file. Raises UsageError for an unknown
    table or no record.
    """

    def table(block: re.Match[str]) -> str:
        name = block["name"]
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
