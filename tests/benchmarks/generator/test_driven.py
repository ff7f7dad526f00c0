"""One portrait and one driver: what the numbers are on a face that is moved by a known amount."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.generator.driven import Driver, drive, read_driver, shape_error
from benchmarks.metrics.readers import Readers
from generator.motion.retarget import canonical_face
from generator.networks.landmark_warp import landmark_warp
from generator.rendering.animator import Animator
from sfumato.errors import MediaError
from sfumato.media.landmarks import load_backend
from tests.generator_fixtures import close_up, moving
from tests.media_fixtures import make_video

SIZE, FRAMES = 96, 8


@pytest.fixture(scope="module")
def readers() -> Readers:
    return Readers(other=[])


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory, readers: Readers) -> Driver:
    """The astronaut, shifted a little in each frame."""
    path = tmp_path_factory.mktemp("driven") / "astronaut.mp4"
    make_video(path, frames=FRAMES, width=256, height=256, images=moving(close_up(), FRAMES, 16))
    return read_driver(path, load_backend("mesh"), readers, SIZE, 10.0, 4)


def test_every_frame_is_read_and_a_few_are_kept(driver: Driver) -> None:
    assert driver.frames == list(range(FRAMES)) and len(driver.teeth) == FRAMES
    assert driver.shapes["mesh"].shape == (FRAMES, 68, 2)
    assert len(driver.moments) == len(driver.pictures) == len(driver.identities) == len(driver.calm) == 4
    assert any(driver.calm) and driver.pictures[0].shape == (SIZE, SIZE, 3)


def test_the_portrait_of_a_driver_is_its_neutral_frame(driver: Driver) -> None:
    assert driver.neutral is not None
    points = ((driver.neutral.landmarks + 1) * SIZE - 1) / 2
    assert points == pytest.approx(driver.shapes["mesh"][driver.motion.neutral], abs=1e-3)


def test_a_video_with_too_few_frames_is_refused(tmp_path: Path, readers: Readers) -> None:
    make_video(tmp_path / "one.mp4", frames=1, width=256, height=256, images=[close_up()])
    with pytest.raises(MediaError, match="too few frames"):
        read_driver(tmp_path / "one.mp4", load_backend("mesh"), readers, SIZE, 10.0, 4)


def test_a_face_that_drives_itself_comes_out_again(driver: Driver, readers: Readers) -> None:
    assert driver.neutral is not None
    animator = Animator(landmark_warp())
    animator.set_identity([driver.neutral])
    driven = drive(driver.neutral, driver, animator, readers, SIZE)
    assert (driven.frames, len(driven.outputs)) == (FRAMES, 4)
    assert driven.figures["csim_source"] > 0.9 and driven.figures["shape_source"] < 0.03
    assert driven.figures["same_faces"] == 1 and driven.figures["background"] < 8
    assert "paint" not in driven.figures  # the warp paints nothing, and has no mask to say so


def test_shape_does_not_see_place_size_and_turn() -> None:
    face = canonical_face()
    turn = np.array([[0.0, -2.0], [2.0, 0.0]])
    assert shape_error((face @ turn + 3).astype(np.float32), face, list(range(36))) == pytest.approx(0, abs=1e-5)
    wider = (face * [1.3, 1.0]).astype(np.float32)
    assert shape_error(wider, face, list(range(36))) > 0.05
