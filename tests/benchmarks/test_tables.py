"""Tables are what the records say: the model card agrees with them, and a marked block is replaced whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.tables import fill_tables, read_records, shipped_records
from sfumato.errors import UsageError

CARD = Path(__file__).parents[2] / "MODEL_CARD.md"
ABOUT = {
    "protocol": "p-1",
    "interval": "95 %",
    "date": "2026-01-01",
    "machine": "m",
    "footage": "f",
    "n": 3,
    "frames": 6,
    "size": 128,
    "tune_seconds": 5,
}
WARP = {
    "method": "warp",
    "T": 1,
    "shipped": False,
    "ssim": 0.5,
    "l1": 0.1,
    "csim": 0.8,
    "landmark_error": 0.02,
    "ssim_vs_warp": None,
    "csim_vs_warp": None,
}


def test_the_model_card_agrees_with_its_records() -> None:
    text = CARD.read_text(encoding="utf-8")
    assert "<!-- table quality -->" in text
    assert fill_tables(text, shipped_records()) == text


def test_a_block_is_replaced_and_the_text_around_it_stays(tmp_path: Path) -> None:
    record = tmp_path / "quality.jsonl"
    record.write_text(json.dumps({**ABOUT, **WARP}) + "\n", encoding="utf-8")
    text = "before\n<!-- table quality -->\nold\n<!-- end -->\nafter"
    filled = fill_tables(text, {"quality": record})
    assert filled.startswith("before\n<!-- table quality -->\n| T |") and filled.endswith("<!-- end -->\nafter")
    assert "| 1 | warp | 0.5000 | 0.1000 | 0.8000 | 0.0200 |" in filled and "old" not in filled


def test_only_the_latest_measurement_is_shown(tmp_path: Path) -> None:
    record = tmp_path / "quality.jsonl"
    lines = [{**ABOUT, **WARP, "date": "2025-01-01", "ssim": 0.9}, {**ABOUT, **WARP}]
    record.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert [r["ssim"] for r in read_records(record)] == [0.5]


@pytest.mark.parametrize("text", ["<!-- table nonsense -->\n<!-- end -->", "<!-- table quality -->\n<!-- end -->"])
def test_an_unknown_table_or_a_missing_record_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        fill_tables(text, {"quality": tmp_path / "none.jsonl"})
