"""Crops a second of the detector: every backend, ratios against the default, and the net without its maps."""

import numpy as np
import pytest

from benchmarks.detector import detector_speed
from benchmarks.tables.speed import detector_speed_table
from detector.inference.backends import load_scorer
from detector.inference.bundle import load_shipped, read_parts, shipped_folder


def test_every_backend_is_measured_against_the_default(monkeypatch) -> None:
    monkeypatch.setattr(detector_speed, "CROPS", 2)
    steps: list[float] = []
    rows = detector_speed.measure_detector_speed(2, steps.append)
    assert sum(steps) == 2
    assert {"onnxruntime", "onnxruntime, without maps"} <= {row.method for row in rows}
    for row in rows:
        assert row.fps_cpu > 0
        assert (row.ratio_cpu is not None) == (row.method != "onnxruntime")
    table = detector_speed_table(rows)
    assert all(f"| {row.method} |" in table for row in rows)


def test_net_without_maps_gives_the_same_logits() -> None:
    network, _, _ = read_parts(shipped_folder())
    shipped = load_shipped()
    crops = list(np.random.default_rng(0).integers(0, 256, (2, shipped.size, shipped.size, 3), dtype=np.uint8))
    plain = load_scorer("onnxruntime", detector_speed.without_maps(network))
    assert not plain.has_maps
    assert plain(crops) == pytest.approx(shipped.scorer(crops), abs=1e-6)
