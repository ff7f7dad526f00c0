"""What a driver's eyes do: blinks and looks that are read reach lids and gaze, and doubtful readings do not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from generator.motion.eyes import LIDS, EyeWatch, Readings, face_size, with_lids
from generator.motion.retarget import canonical_face
from sfumato.media.video import Frame
from tests.generator_fixtures import drawn_eyes

TIMES = np.arange(40) / 25
FACE = canonical_face()


def readings(opening: Sequence[float], gaze: Sequence[float] | None = None) -> Readings:
    """Both eyes open by `opening` and looking to `gaze` along x, the second eye always a little further."""
    both = np.repeat(np.asarray(opening, np.float32)[:, None], 2, axis=1)
    looks = np.zeros((len(both), 2, 2), np.float32)
    looks[:, 0, 0], looks[:, 1, 0] = (np.asarray(gaze or [0.0] * len(both)) + place for place in (0.0, 0.05))
    return Readings(both, looks)


@pytest.mark.parametrize("shut", [0.0, 0.2, 0.4])
@pytest.mark.parametrize("usual", [0.2, 0.4])
def test_a_blink_closes_whatever_the_eye_and_the_reading_of_a_closed_one(usual: float, shut: float) -> None:
    opening = [usual] * 40
    opening[20:23] = [shut * usual] * 3
    found = readings(opening).shares(TIMES)
    assert (found[21] < 0.02).all() and np.abs(found[:17] - 1).max() < 0.01


def test_eyes_that_never_close_are_never_closed() -> None:
    opening = 0.3 + 0.03 * np.sin(np.arange(40))
    assert readings(opening.tolist()).shares(TIMES).min() > 0.8


def test_of_a_blink_that_one_eye_shows_half_both_close() -> None:
    read = readings([0.3] * 40)
    read.opening[20:23] = 0.02, 0.13
    assert (read.shares(TIMES)[21] < 0.05).all()


def test_one_eye_may_close_alone() -> None:
    read = readings([0.3] * 40)
    read.opening[20:23, 1] = 0.02
    found = read.shares(TIMES)
    assert found[21, 0] > 0.98 and found[21, 1] < 0.02


def test_irises_go_on_through_a_blink() -> None:
    opening, gaze = [0.3] * 40, [0.0] * 20 + [0.1] * 20
    opening[30:33], gaze[30:33] = [0.0] * 3, [0.5] * 3  # nonsense while the eye is shut
    read = readings(opening, gaze)
    found = read.gaze_when_open(read.shares(TIMES), TIMES)
    assert np.abs(found[31, :, 0] - found[28, :, 0]).max() < 0.01


def test_both_eyes_move_alike_from_where_each_rests() -> None:
    read = readings([0.3] * 40, [0.0] * 30 + [0.2] * 10)
    read.gaze[:, 1, 0] = np.where(np.arange(40) < 30, 0.05, 0.15)  # read as less in the second eye
    found = read.gaze_when_open(read.shares(TIMES), TIMES)
    assert np.allclose(found[35] - found[5], [[0.15, 0], [0.15, 0]], atol=0.01)
    assert np.allclose(found[5, :, 0], [0, 0.05], atol=0.01)


def test_eyes_that_are_never_seen_look_ahead() -> None:
    read = readings([0.0] * 40, [0.3] * 40)
    assert (read.gaze_when_open(np.zeros((40, 2), np.float32), TIMES) == 0).all()


def test_frames_before_the_face_have_its_first_eyes() -> None:
    read = readings([0.1, 0.2], [0.3, 0.4]).from_the_start(2)
    assert np.allclose(read.opening[:, 0], [0.1, 0.1, 0.1, 0.2])
    assert np.allclose(read.gaze[:, 0, 0], [0.3, 0.3, 0.3, 0.4])


def test_lids_are_set_and_nothing_else() -> None:
    track = np.repeat(FACE[None], 5, axis=0)
    shares = np.array([[1, 1], [1, 1], [0, 1], [0.5, 1], [1, 1]], np.float32)
    found = with_lids(track, shares)
    apart = [np.linalg.norm(found[:, u] - found[:, w], axis=1) for u, w in LIDS[0]]
    for lid in apart:
        assert np.allclose(lid / lid[0], [1, 1, 0, 0.5, 1], atol=1e-5)
    lids = [point for pair in (*LIDS[0], *LIDS[1]) for point in pair]
    others = [point for point in range(68) if point not in lids]
    assert np.array_equal(found[:, others], track[:, others])


def test_a_face_is_as_large_as_it_is_scaled_and_no_larger_with_closed_eyes() -> None:
    blinking = FACE.copy()
    blinking[[37, 38, 43, 44]] = blinking[[41, 40, 47, 46]]
    assert face_size(2 * FACE + 1) == pytest.approx(2 * face_size(FACE))
    assert face_size(blinking) == face_size(FACE)


def test_a_watch_hands_frames_on_and_reads_the_last_of_them() -> None:
    (shown, points), (narrow, _) = drawn_eyes(0.35), drawn_eyes(0.1)
    frames = [Frame(image, index / 25, index) for index, image in enumerate((shown, narrow))]
    watch = EyeWatch(frames)
    for frame, given in zip(watch.frames(), frames, strict=True):
        assert frame is given
        watch.read(points)
    read = watch.readings()
    assert read.opening.shape == (2, 2) and read.gaze.shape == (2, 2, 2)
    assert (read.opening[1] < 0.75 * read.opening[0]).all()


def test_reading_before_a_frame_is_an_error() -> None:
    with pytest.raises(ValueError, match="no frame"):
        EyeWatch([]).read(drawn_eyes()[1])
