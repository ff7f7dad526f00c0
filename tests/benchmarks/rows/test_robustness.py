"""The reals of a treatment: each threshold's change has keys of its own in a line."""

from __future__ import annotations

import json

from benchmarks.rows.comparison import ClusterCount, Rate, Rates
from benchmarks.rows.robustness import RealsRow
from benchmarks.rows.row import Estimate

ROW = RealsRow(
    protocol_id="p", n={"real": 9}, clusters=ClusterCount(unit="identity", count=9), coverage={"real": 1.0}, refused={},
    flagged={"0.1": Rates(fpr=Rate(0.2)), "0.01": Rates(fpr=Rate(0.0))}, within={"0.1": False, "0.01": True},
    changes={"0.1": Estimate(0.1, (0.0, 0.3)), "0.01": Estimate(0.0)}, treatment="crf 40",
    set_name="grid",
)  # fmt: skip


def test_changes_are_keys_of_the_line() -> None:
    line = ROW.line()
    assert {key: value for key, value in line.items() if key.startswith("fpr")} == {
        "fpr 0.1 change": 0.1,
        "fpr 0.1 change_interval": (0.0, 0.3),
        "fpr 0.01 change": 0.0,
    }
    assert "changes" not in line


def test_reals_are_the_same_after_json() -> None:
    assert RealsRow.read(json.loads(json.dumps(ROW.line()))) == ROW
