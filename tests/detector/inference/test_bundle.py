"""The detector as it ships: network and record load together, and what does not fit is refused."""

import hashlib
import json
from pathlib import Path

import pytest

from detector.inference.bundle import RECORD_FORMAT, from_parts, load_shipped
from detector.inference.crops import DETECTOR_CROP
from detector.inference.thresholds import Thresholds
from sfumato.config import to_dict
from sfumato.errors import CheckpointError, MissingPartError
from tests.detector_fixtures import TINY, motion_head


@pytest.fixture
def network(shipped_detector: Path) -> bytes:
    return (shipped_detector / "detector.onnx").read_bytes()


def record(network: bytes) -> dict:
    return {
        "format": RECORD_FORMAT, "crop": DETECTOR_CROP, "network": {"sha256": hashlib.sha256(network).hexdigest()},
        "config": to_dict(TINY),
        "calibration": {"stack": {"scale": [1.0, 1.0], "offset": [0.0, 0.0]},
                        "thresholds": {"0.1": 0.5}, "n_real": 9, "id": "x"},
        "video_calibration": {"thresholds": {"0.1": 0.7}},
    }  # fmt: skip


def test_shipped_pair_loads(network, tmp_path) -> None:
    (tmp_path / "detector.onnx").write_bytes(network)
    (tmp_path / "detector.json").write_text(json.dumps(record(network)))
    shipped = load_shipped(tmp_path)
    assert shipped.thresholds == Thresholds({0.1: 0.5}, 9, "x")
    assert shipped.video_thresholds == Thresholds({0.1: 0.7})  # groups, ranges and frames are not known
    assert shipped.size == 48


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "sfumato-detector-9"}, "format"),
        ({"crop": "square40-v0"}, "crops"),
        ({"network": {"sha256": "0" * 64}}, "not the file"),
        ({"calibration": {}}, "lacks"),
        ({"video_calibration": {}}, "lacks"),
        ({"video_calibration": {"thresholds": {"0.1": 0.7}, "covers": {"ranges": {"smell": [0, 1]}}}}, "smell"),
        ({"video_calibration": {"thresholds": {"0.1": 0.7}, "groups": ["ffhq"]}}, "lacks or garbles"),
        (
            {"video_calibration": {"thresholds": {"0.1": 0.7}, "frames": 10**9}},
            "frames, 1000000000: they are 1 to 10000",
        ),
    ],
)
def test_what_does_not_fit_is_refused(network, change, message) -> None:
    with pytest.raises(CheckpointError, match=message):
        from_parts(network, record(network) | change)


@pytest.mark.parametrize(
    ("known", "asked", "frames"), [({}, None, 32), ({"frames": None}, None, 32), ({"frames": 12}, None, 12),
                                   ({"frames": 12}, 6, 6), ({}, 6, 6)],
)  # fmt: skip
def test_as_many_frames_are_looked_at_as_the_thresholds_of_videos_were_set_with(network, known, asked, frames) -> None:
    made = record(network)
    made["video_calibration"] |= known
    made["calibration"] |= {"frames": None}
    assert from_parts(network, made).frames(asked) == frames


def stacked(network: bytes, *heads: str) -> dict:
    made = record(network)
    made["calibration"]["stack"] = {"heads": heads, "scale": [1.0] * len(heads), "offset": [0.0] * len(heads)}
    return made


def test_a_head_on_motion_loads_and_is_part_of_what_judges(network) -> None:
    moving = stacked(network, "blend", "synthesis", "motion")
    one, other = (from_parts(network, moving | {"motion": motion_head(bias).as_json()}) for bias in (1.0, 2.0))
    assert one.motion == motion_head(1.0)
    assert one.judging != other.judging


@pytest.mark.parametrize(
    ("heads", "motion", "message"),
    [
        (("blend", "synthesis"), motion_head(1.0).as_json(), "different things"),
        (("blend", "synthesis", "motion"), None, "different things"),
        (("blend", "synthesis", "motion", "blend-layers"), motion_head(1.0).as_json(), "different things"),
        (("blend", "synthesis", "motion"), {"features": ["smell"]}, "motion head's features"),
        (("blend", "synthesis", "motion"), "a head", "lacks or garbles"),
        (("blend", "synthesis", "motion"), [1.0], "lacks or garbles"),
        (("blend", "synthesis", "blend-layers", "motion"), motion_head(1.0).as_json(), "not 3 numbers"),
    ],
)
def test_record_and_stack_that_disagree_about_motion_are_refused(network, heads, motion, message) -> None:
    with pytest.raises(CheckpointError, match=message):
        from_parts(network, stacked(network, *heads) | {"motion": motion})


def test_record_that_is_no_record_is_refused(network) -> None:
    with pytest.raises(CheckpointError, match="format"):
        from_parts(network, ["a list"])


def test_garbage_network_is_refused() -> None:
    with pytest.raises(CheckpointError, match="cannot be run"):
        from_parts(b"garbage", record(b"garbage"))


def test_missing_detector_says_how_to_get_one(tmp_path) -> None:
    with pytest.raises(MissingPartError, match="train detector"):
        load_shipped(tmp_path)
