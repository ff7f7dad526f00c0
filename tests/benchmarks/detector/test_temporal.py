"""The ablation of the temporal head: features of known motions, and what it says when motion tells and when it does
not.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.commands.detector import temporal as command
from benchmarks.detector.temporal import FEATURES, Observer, features, measure, observe_all
from benchmarks.rows.comparison import BarRow
from benchmarks.rows.temporal import LeftOutRow
from benchmarks.tables.temporal import temporal_table
from detector.datasets.sample import clips_samples
from sfumato.errors import UsageError
from tests.detector_fixtures import landmarks
from tests.evaluation_fixtures import sample

FRAMES = 12


def test_features_of_known_motions() -> None:
    rng = np.random.default_rng(0)
    still = np.repeat(landmarks(112)[None], FRAMES, axis=0)
    even = still + np.arange(FRAMES)[:, None, None]
    one = np.repeat(np.eye(128)[:1], FRAMES, axis=0)
    for shapes in (still, even):  # rest and even motion do not jitter
        found = features(shapes, one, np.zeros(FRAMES))
        assert list(found) == list(FEATURES)
        assert all(value == pytest.approx(0, abs=1e-5) for value in found.values())
    shaken = features(still + rng.normal(0, 1, still.shape), one, np.zeros(FRAMES))
    assert shaken["landmarks"] == pytest.approx(
        6**0.5 * (np.pi / 2) ** 0.5, rel=0.1
    )  # the second difference of unit noise, in the plane
    turned = np.eye(128)[np.arange(FRAMES) % 2]
    assert features(still, turned, np.zeros(FRAMES))["identity_steps"] == pytest.approx(1)
    swinging = features(still, one, np.tile([1.0, -1.0], FRAMES // 2))
    assert swinging["logit_autocorrelation"] == pytest.approx(-(FRAMES - 1) / FRAMES)
    assert (swinging["logit_spread"], swinging["logit_steps"]) == (1, 2)


def observed(tells: bool, families: tuple[str, ...] = ("warp", "swap"), people: int = 15):
    """Logits that tell little; motion that tells all or nothing."""
    rng = np.random.default_rng(0)
    made = []
    for split in ("validation", "test"):
        for i in range(people):
            for label, method in (("real", "camera"), *(("fake", family) for family in families)):
                row = sample(f"{split}{label}{method}{i}", label, method, split=split, identity=f"{split}{i}")
                jitter = {name: float(rng.normal((label == "fake") * 3 * tells)) for name in FEATURES}
                made.append((row, {"features": jitter, "logit": float(rng.normal((label == "fake") * 0.5))}))
    return made


@pytest.mark.parametrize("tells", [True, False])
def test_the_head_ships_only_if_motion_tells_of_families_it_has_not_seen(tells: bool) -> None:
    rows = measure(observed(tells))
    left_out = [row for row in rows if isinstance(row, LeftOutRow)]
    assert [row.family for row in left_out] == ["swap", "warp"]
    assert all(row.n == {"real": 15, "fake": 15, "learnt": 30} for row in left_out)
    assert all((row.change.interval[0] > 0) == tells for row in left_out)
    assert isinstance(rows[-1], BarRow) and rows[-1].met == tells
    assert ("**not met**" in temporal_table(rows)) != tells


def test_one_family_alone_cannot_be_left_out() -> None:
    rows = measure(observed(True, ("warp",)))
    assert rows[0].refused == {"all": "no other family to learn from"} and not rows[-1].met
    assert "no other family" in temporal_table(rows)


def test_both_splits_need_both_labels() -> None:
    with pytest.raises(UsageError):
        measure([item for item in observed(True) if item[0].split == "test"])


def test_videos_are_observed_once_and_pictures_left_out(clips, shipped_detector, tmp_path, monkeypatch) -> None:
    observer = Observer(shipped_detector, 6)
    (tmp_path / "b.mp4").write_text("no video")
    samples = [
        *clips_samples(clips)[:2],
        sample("a", "real", path=tmp_path / "a.png"),
        sample("b", "real", path=tmp_path / "b.mp4"),
    ]
    first = list(observe_all(samples, observer, tmp_path / "j.sqlite3"))
    assert [item.label for item, _ in first] == ["real", "fake"]
    assert all(np.isfinite(list(facts["features"].values())).all() for _, facts in first)
    monkeypatch.setattr(observer, "observe", lambda path: pytest.fail("it was observed before"))
    assert list(observe_all(samples, observer, tmp_path / "j.sqlite3")) == first


def test_the_command_writes_its_record(clips, shipped_detector, tmp_path) -> None:
    out = tmp_path / "t.jsonl"
    arguments = [str(clips), "--model", str(shipped_detector), "--frames", "6", "--output", str(out)]
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    assert result.exception is None, result.output
    assert "| family left out |" in result.output
    assert {json.loads(line)["protocol"] for line in out.read_text().splitlines()} == {"temporal-1"}
