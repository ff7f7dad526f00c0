"""Crops that baselines learn from: of whom, of which split, and what is left out."""

import numpy as np
import pytest

from benchmarks.baselines.examples import Examples, count, face_crops, read_examples
from sfumato.errors import MediaError, UsageError
from sfumato.media.clips import write_clips
from sfumato.media.faces import Face, FaceDetector
from tests.detector_fixtures import clip_row
from tests.media_fixtures import make_video

FACES = [Face((40.0, 20.0, 60.0, 70.0), 0.9, np.zeros((5, 2), np.float32))]


@pytest.fixture
def clips(tmp_path, monkeypatch):
    """A real and a fake of each split, and a fake of `train` that is no video."""
    monkeypatch.setattr(FaceDetector, "detect", lambda self, image: FACES)
    rows = []
    for split in ("train", "validation", "test"):
        for label in ("real", "fake"):
            make_video(tmp_path / f"{label}-{split}.mp4", width=160, height=120, frames=6)
            rows.append(clip_row(f"{label}-{split}.mp4", label, split))
    (tmp_path / "broken.mp4").write_text("no video")
    write_clips(tmp_path / "clips.jsonl", [*rows, clip_row("broken.mp4", "fake", "train")])
    return tmp_path / "clips.jsonl"


def test_examples_are_of_their_split(clips, tmp_path) -> None:
    seen = []
    found = read_examples(clips, "train", 3, 32, tmp_path / "store", seen.append)
    assert found.crops.shape == (6, 32, 32, 3)
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 1] and found.clips.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.left_out == 1 and seen == [1, 1, 1]
    assert count(clips) == 5
    assert np.array_equal(found.crops[:3], face_crops(tmp_path / "real-train.mp4", 3, 32, FaceDetector()))


def test_one_class_is_refused(clips, tmp_path) -> None:
    write_clips(tmp_path / "reals.jsonl", [clip_row("real-train.mp4", "real", "train")])
    with pytest.raises(UsageError, match="has no fakes with a face"):
        read_examples(tmp_path / "reals.jsonl", "train", 3, 32, tmp_path / "store", lambda amount: None)
    with pytest.raises(UsageError, match="The split validation"):
        read_examples(tmp_path / "reals.jsonl", "validation", 3, 32, tmp_path / "store", lambda amount: None)


def test_no_face_is_no_crop_and_no_video_an_error(clips, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(FaceDetector, "detect", lambda self, image: [])
    assert face_crops(tmp_path / "real-train.mp4", 3, 32, FaceDetector()).shape == (0, 32, 32, 3)
    with pytest.raises(MediaError):
        face_crops(tmp_path / "broken.mp4", 3, 32, FaceDetector())


def test_a_video_is_the_mean_of_its_frames() -> None:
    found = Examples(np.zeros((5, 1, 1, 3), np.uint8), np.array([0, 0, 1, 1, 1]), np.array([3, 3, 7, 7, 7]))
    labels, means = found.by_clip(np.array([0.1, 0.3, 0.6, 0.9, 0.9]))
    assert labels.tolist() == [0, 1] and means.tolist() == pytest.approx([0.2, 0.8])
