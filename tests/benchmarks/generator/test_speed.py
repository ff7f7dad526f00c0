"""The speed benchmark: ratios of known numbers, rows of a real run on a tiny network, tables, and the program run as
users run it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks.generator import speed
from benchmarks.generator.end_to_end import _Run, measure_memory
from benchmarks.generator.speed import PLAIN, SpeedConfig, measure_rendering, shipped_track
from benchmarks.tables.speed import speed_table
from benchmarks.tables.tables import fill_tables, shipped_records
from generator.compiler import backends
from generator.compiler.backends import Array, TorchBackend
from sfumato.errors import SfumatoError, SfumatoWarning, UsageError
from tests.portrait_fixtures import make_checkpoint

PAGE = Path(__file__).parents[3] / "docs" / "speed.md"


@pytest.mark.parametrize("wrong", [{"rounds": 1}, {"shots": 0}, {"frames": 0}, {"workers": 0}, {"size": 8}])
def test_nonsense_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        SpeedConfig(**wrong)


def test_the_track_has_the_length_asked_for_and_no_jumps() -> None:
    import numpy as np

    track = shipped_track(400).landmarks
    assert len(track) == 400 and np.abs(np.diff(track, axis=0)).max() < 0.2


def test_a_run_gives_a_row_a_method_and_one_of_the_machine(tmp_path: Path) -> None:
    path = make_checkpoint(tmp_path / "tiny.safetensors")
    rows = measure_rendering(path, SpeedConfig(size=64, frames=2, rounds=2, workers=1))
    assert rows[0].kind == "machine" and rows[0].matmul_gmac > 0
    methods = {row.method: row for row in rows[1:]}
    assert {PLAIN, "torch", "onnxruntime"} <= set(methods)
    assert methods[PLAIN].ratio_cpu is None and methods["onnxruntime"].ratio_cpu.value > 1
    assert 0 < methods["onnxruntime"].gmac < methods[PLAIN].gmac
    assert "| onnxruntime |" in speed_table(rows)


def test_what_computes_wrongly_is_not_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Quick(TorchBackend):
        def __call__(self, guide: Array) -> Array:
            return guide[..., :3]

    monkeypatch.setattr(backends, "OnnxRuntimeBackend", Quick)
    monkeypatch.setattr(speed, "BACKENDS", ("torch", "onnxruntime"))
    path = make_checkpoint(tmp_path / "tiny.safetensors")
    with pytest.warns(SfumatoWarning, match="Not timed: .*'onnxruntime'.*wrongly"):
        rows = measure_rendering(path, SpeedConfig(size=64, frames=1, rounds=2, workers=1))
    assert {getattr(row, "method", None) for row in rows} == {None, PLAIN, "torch"}


def test_memory_is_that_of_the_program(tmp_path: Path) -> None:
    path = make_checkpoint(tmp_path / "tiny.safetensors")
    [row] = measure_memory(path, SpeedConfig(size=64, workers=1), lengths=(3,))
    assert 50 < row.peak_mb < 5000 and row.growth == 0
    assert "3 frames" in speed_table([row])


def test_a_run_that_fails_says_why(tmp_path: Path) -> None:
    failing = [sys.executable, "-c", "import sys; print('Warning\\nIt is damaged', file=sys.stderr); sys.exit(2)"]
    with pytest.raises(SfumatoError, match=r"ended with 2: It is damaged$"):
        _Run(tmp_path / "made.mp4", failing, dict(os.environ))


def test_the_page_agrees_with_its_record() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert "<!-- table speed -->" in text
    assert fill_tables(text, shipped_records()) == text
