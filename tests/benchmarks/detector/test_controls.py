"""Negative controls: reals become as soft as asked, or go through our own writer and cropper, and nothing else happens
to them.
"""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.attacks.reencoding import encode
from benchmarks.detector.controls import PORTRAIT_SIDE, Control
from detector.inference.crops import judged_crop
from detector.inference.quality_norm import sharpness
from sfumato.errors import MediaError
from sfumato.media.faces import FaceDetector
from sfumato.media.images import read_image
from sfumato.media.video import VideoReader
from tests.portrait_fixtures import portrait_picture, write_portrait

SIZE = 96


@pytest.fixture(scope="module")
def faces():
    return FaceDetector()


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    path = tmp_path_factory.mktemp("real") / "a.mp4"
    image = portrait_picture(361)
    encode(path, [(np.roll(image, i, axis=1)[:360, : image.shape[1] // 2 * 2], i / 25) for i in range(4)], 10, 25)
    return path


def face_sharpness(path, faces) -> float:
    with VideoReader(path) as video:
        image = next(iter(video)).image
    return sharpness(judged_crop(faces.detect(image)[0].box, image).apply(image, SIZE))


@pytest.mark.parametrize("name", ["match-blur", "match-upscale"])
def test_reals_become_as_soft_as_the_goal_and_no_softer_ones_change(name: str, real, faces, tmp_path) -> None:
    before = face_sharpness(real, faces)
    soft = Control(name, faces, SIZE, before / 5).apply(real, tmp_path)
    assert before / 10 < face_sharpness(soft, faces) < before / 4
    same = Control(name, faces, SIZE, 2 * before).apply(real, tmp_path)
    assert face_sharpness(same, faces) == pytest.approx(before, rel=0.1)


def test_the_writer_seals_and_keeps_size_and_frames(real, faces, tmp_path) -> None:
    from provenance.verifying.verify import verify

    copy = Control("writer", faces, SIZE).apply(real, tmp_path)
    assert verify(copy).outcome != "none"
    with VideoReader(real) as before, VideoReader(copy) as after:
        assert (before.info.width, before.info.height) == (after.info.width, after.info.height)
        assert len(list(after)) == 4


def test_the_portrait_is_the_square_that_a_generator_sees(real, faces, tmp_path) -> None:
    with VideoReader(Control("portrait-crop", faces, SIZE).apply(real, tmp_path)) as video:
        images = [frame.image for frame in video]
    assert [image.shape for image in images] == [(PORTRAIT_SIDE, PORTRAIT_SIDE, 3)] * 4
    assert 0.45 < faces.detect(images[0])[0].size / PORTRAIT_SIDE < 0.75


def test_a_still_stays_a_still(faces, tmp_path) -> None:
    still = write_portrait(tmp_path / "a.png")
    for name in ("writer", "portrait-crop"):
        assert Control(name, faces, SIZE).apply(still, tmp_path).suffix == ".png"
    assert read_image(tmp_path / "written.png").shape == (PORTRAIT_SIDE, PORTRAIT_SIDE, 3)


def test_no_face_and_no_goal_are_refused(faces, real, tmp_path) -> None:
    empty = tmp_path / "grey.mp4"
    encode(empty, [(np.full((64, 64, 3), 90, np.uint8), i / 25) for i in range(3)], 10, 25)
    for control in (Control("match-blur", faces, SIZE, 1.0), Control("portrait-crop", faces, SIZE)):
        with pytest.raises(MediaError):
            control.apply(empty, tmp_path)
    with pytest.raises(MediaError):
        Control("match-blur", faces, SIZE).apply(real, tmp_path)
