"""Tables are what the records say: the model card agrees with them, and a marked block is replaced whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.tables.tables import fill_tables, headline_table, read_records, shipped_records
from sfumato.errors import UsageError

ROOT = Path(__file__).parents[3]
PAGES = (ROOT / "README.md", ROOT / "MODEL_CARD.md", *sorted((ROOT / "docs").glob("*.md")))
WITH_TABLES = [path for path in PAGES if "<!-- table" in path.read_text(encoding="utf-8")]
ABOUT = {
    "command": "c",
    "version": "0",
    "protocol": "p-1",
    "interval": "95 %",
    "date": "2026-01-01",
    "machine": "m",
    "footage": "f",
    "n": 3,
    "frames": 6,
    "size": 128,
    "tune_seconds": 5,
    "seed": 0,
    "model": None,
}
WARP = {
    "method": "warp",
    "T": 1,
    "shipped": False,
    "ssim": 0.5,
    "l1": 0.1,
    "csim": 0.8,
    "perceptual": 1.5,
    "fd_lite0": 40.0,
    "learning_s": 0.0,
    "landmark_error": 0.02,
}


@pytest.mark.parametrize("path", WITH_TABLES, ids=lambda path: path.name)
def test_every_page_with_tables_agrees_with_its_records(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert fill_tables(text, shipped_records()) == text


def test_the_model_card_shows_what_was_measured() -> None:
    text = (ROOT / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert all(f"<!-- table {name} -->" in text for name in ("quality", "cross", "detection"))


def test_readme_shows_figures_of_every_part() -> None:
    shown = headline_table(shipped_records())
    assert f"<!-- table headline -->\n{shown}\n<!-- end -->" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(page in shown for page in ("MODEL_CARD.md#the-detector", "docs/durable.md", "docs/speed.md"))


def test_a_figure_of_readme_without_a_record_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no results"):
        fill_tables("<!-- table headline -->\n<!-- end -->", {**shipped_records(), "survival": tmp_path / "none.jsonl"})


def test_a_block_is_replaced_and_the_text_around_it_stays(tmp_path: Path) -> None:
    record = tmp_path / "quality.jsonl"
    record.write_text(json.dumps({**ABOUT, **WARP}) + "\n", encoding="utf-8")
    text = "before\n<!-- table quality -->\nold\n<!-- end -->\nafter"
    filled = fill_tables(text, {"quality": record})
    assert filled.startswith("before\n<!-- table quality -->\n| T |") and filled.endswith("<!-- end -->\nafter")
    assert "| 1 | warp | 0.5000 | 0.8000 | 1.5000 | 40.00 | 0.0200 | 0.0 |  |  |" in filled and "old" not in filled


FIGURE = {"value": 0.75, "value_interval": [0.7, 0.8], "of": "mean", "n": 9, "versus": {"previous": [0.01, 0.02]}}


def test_figures_of_a_newer_protocol_stand_below_the_table_and_the_shipped_ones_alone(tmp_path: Path) -> None:
    record = tmp_path / "quality.jsonl"
    newer = {**ABOUT, **WARP, "figures": {"mouth_ssim": FIGURE}, "readers": ["mesh"]}
    lines = [newer, {**newer, "method": "zakharov2019-warp", "shipped": True}]
    record.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    filled = fill_tables("<!-- table quality -->\n<!-- end -->", {"quality": record})
    assert "| T | method | mouth SSIM |" in filled and "| 1 | warp | 0.750 |" in filled
    assert "| mouth SSIM | 1 | 0.7500 (0.7000 to 0.8000), mean | 9 | +0.0100 to +0.0200 |" in filled


NETWORKS = {
    "perceptual": {"name": "EfficientNet-Lite0", "sha256": "12" * 32},
    "fd_lite0": {"name": "EfficientNet-Lite0", "sha256": "12" * 32},
    "fid": {"name": "Inception-v3", "sha256": "67" * 32},
}


def test_networks_are_named_once_below_the_table_and_fid_has_a_column_where_it_was_taken(tmp_path: Path) -> None:
    record = tmp_path / "quality.jsonl"
    newer = {**ABOUT, **WARP, "fid": 91.25, "networks": NETWORKS}
    record.write_text("".join(json.dumps(line) + "\n" for line in (newer, {**ABOUT, **WARP, "T": 8})), encoding="utf-8")
    filled = fill_tables("<!-- table quality -->\n<!-- end -->", {"quality": record})
    assert "| FD-lite0 | FID | landmark error |" in filled and "| 40.00 | 91.25 | 0.0200 |" in filled
    assert "| 40.00 |  | 0.0200 |" in filled  # not taken at T = 8
    assert "EfficientNet-Lite0 12121212 (perceptual, FD-lite0); Inception-v3 67676767 (FID)" in filled


def test_pairs_of_the_newer_protocol_take_the_place_of_the_older_ones(tmp_path: Path) -> None:
    record = tmp_path / "cross.jsonl"
    older = {
        **ABOUT, "portrait": "a", "driver": "b", "csim_source": 0.9, "csim_driver": 0.1, "shape_source": 0.1,
        "shape_driver": 0.2, "moments": 24, "model": "0" * 64,
    }  # fmt: skip
    newer = {
        **ABOUT, "kind": "driven", "method": "warp", "driving": "self", "shipped": True, "readers": ["mesh", "dlib"],
        "figures": {"mouth_ratio_dlib": {**FIGURE, "of": "median"}},
    }  # fmt: skip
    for lines, shown in (([older], "| a | b | 0.900 |"), ([older, newer], "| self | warp | 0.750 |")):
        record.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        filled = fill_tables("<!-- table cross -->\n<!-- end -->", {"cross": record})
        assert shown in filled
    assert "| a | b |" not in filled and "mouth ratio (dlib)" in filled and "Faces read by mesh, dlib." in filled


def test_only_the_latest_measurement_is_shown(tmp_path: Path) -> None:
    record = tmp_path / "quality.jsonl"
    lines = [{**ABOUT, **WARP, "date": "2025-01-01", "ssim": 0.9}, {**ABOUT, **WARP}]
    record.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert [r["ssim"] for r in read_records(record)] == [0.5]


def test_a_kind_that_was_measured_again_leaves_the_others(tmp_path) -> None:
    lines = [{"kind": "render", "date": "1"}, {"kind": "memory", "date": "1"}, {"kind": "render", "date": "2"}]
    record = tmp_path / "r.jsonl"
    record.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    assert read_records(record) == lines[1:]


@pytest.mark.parametrize("text", ["<!-- table nonsense -->\n<!-- end -->", "<!-- table quality -->\n<!-- end -->"])
def test_an_unknown_table_or_a_missing_record_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        fill_tables(text, {"quality": tmp_path / "none.jsonl"})


def test_what_was_tried_stands_by_checkpoint_beside_the_one_before(tmp_path: Path) -> None:
    tried = {
        **ABOUT,
        **WARP,
        "method": "zakharov2019-warp",
        "model": "ab" * 32,
        "csim_vs_previous": [0.001, 0.002],
        "csim": 0.9,
    }
    record = tmp_path / "training.jsonl"
    lines = [{**ABOUT, **WARP, "model": None}, {**ABOUT, **WARP, "method": "previous", "model": "cd" * 32}, tried]
    record.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    filled = fill_tables("<!-- table training -->\n<!-- end -->", {"training": record}).splitlines()
    assert [line.split(" | ")[1] for line in filled[3:6]] == ["warp", "previous", "`abababab`"]
    assert "+0.0010 to +0.0020" in filled[5]


def test_the_papers_family_stands_by_t_beside_the_warp(tmp_path: Path) -> None:
    record = tmp_path / "paper.jsonl"
    plain = [{**ABOUT, **WARP, "method": "zakharov2019", "T": shots} for shots in (8, 1)]
    record.write_text("".join(json.dumps(line) + "\n" for line in plain), encoding="utf-8")
    filled = fill_tables("<!-- table paper -->\n<!-- end -->", {"paper": record}).splitlines()
    assert [line.split(" | ")[:2] for line in filled[3:5]] == [["| 1", "zakharov2019"], ["| 8", "zakharov2019"]]
