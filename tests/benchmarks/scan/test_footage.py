"""Videos made for measuring: of the size asked for, with one face that is found; copies that play alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.scan.footage import RATE, copies, hand_held, make_clip
from sfumato.media.clips import file_digest
from sfumato.media.faces import FaceDetector
from sfumato.media.video import VideoReader


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", 180, 0.4)


def test_a_clip_has_the_size_and_the_length_asked_for(clip: Path) -> None:
    with VideoReader(clip) as video:
        assert (video.info.width, video.info.height, video.info.rate) == (320, 180, RATE)
        assert len(list(video)) == 10


def test_every_frame_shows_one_face_that_moves() -> None:
    found = [FaceDetector().detect(image) for image, _ in hand_held(320, 180, 30)]
    assert {len(faces) for faces in found} == {1}
    assert found[0][0].size > 48
    assert found[0][0].box != found[-1][0].box


def test_copies_play_alike_and_none_is_a_copy_to_a_scan(clip: Path, tmp_path: Path) -> None:
    made = list(copies(clip, tmp_path / "in", 3))
    assert len({file_digest(path) for path in [clip, *made]}) == 4
    assert len({path.stat().st_size for path in made}) == 1
    images = []
    for path in (clip, made[2]):
        with VideoReader(path) as video:
            images.append([frame.image.tobytes() for frame in video])
            assert not video.truncated
            assert not video.damaged_packets
    assert images[0] == images[1]
