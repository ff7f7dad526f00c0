"""The fast renderer gives the frames of the plain one, whatever the number of portraits, the size and the family."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from generator.networks.checkpoint import checkpoint_path, load_checkpoint
from generator.person.portrait import Portrait, read_portrait
from generator.rendering.animator import Animator
from generator.rendering.layers import Layers
from sfumato.errors import UsageError
from sfumato.execution.overlap import in_order
from sfumato.media.faces import Crop, Face, FaceDetector
from sfumato.media.landmarks import load_backend
from tests.generator_fixtures import PLAIN, WARP, checkpoint, portrait
from tests.generator_fixtures import pose as drawn_pose


@pytest.fixture(scope="module")
def sitters() -> list[Portrait]:
    names = ("mona-lisa", "la-velata", "lady-agnew")
    return [read_portrait(portrait(name), FaceDetector(), load_backend("mesh"), 128) for name in names]


def poses(sitter: Portrait, count: int = 3) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [
        (sitter.landmarks + rng.normal(0, 0.02, 2) + rng.normal(0, 0.004, (68, 2))).astype(np.float32)
        for _ in range(count)
    ]


def far(animator: Animator, pose: np.ndarray, size: int | None) -> tuple[int, float]:
    """Largest difference in levels of 0..255, and the share of numbers that differ."""
    difference = np.abs(animator.render(pose, size).astype(int) - animator.render_plainly(pose, size))
    return int(difference.max()), float((difference > 0).mean())


@pytest.mark.parametrize("shots", [1, 2, 3])
@pytest.mark.parametrize(("family", "changes"), [(WARP, {"warps": 3}), (WARP, {"stem": 2, "warps": 2}), (PLAIN, {})])
def test_frames_are_those_of_the_plain_path(
    sitters: list[Portrait], shots: int, family: str, changes: dict[str, int]
) -> None:
    animator = Animator(checkpoint(family, **changes), backend="onnxruntime")
    animator.set_identity(sitters[:shots])
    for pose in poses(sitters[0]):
        for size in (None, 32, 96):
            largest, share = far(animator, pose, size)
            assert largest <= 1 and share < 0.01


def test_a_large_stem_loses_nothing_that_can_be_seen(sitters: list[Portrait]) -> None:
    made = checkpoint(WARP, size=128, stem=4, bottleneck=16, warps=3)
    animator = Animator(made, backend="onnxruntime")
    animator.set_identity(sitters)
    assert all(far(animator, pose, 128)[0] <= 1 for pose in poses(sitters[0]))


@pytest.mark.parametrize("name", ["torch", "onnxruntime", "openvino"])
def test_trained_weights_give_the_plain_frames(sitters: list[Portrait], name: str) -> None:
    if name == "openvino":
        pytest.importorskip("openvino")
    animator = Animator(load_checkpoint(checkpoint_path()), backend=name)
    animator.set_identity(sitters[:1])
    largest, share = far(animator, poses(sitters[0])[0], 256)
    assert largest <= 1 and share < 0.01


def test_mouths_open_alike_on_both_paths(sitters: list[Portrait]) -> None:
    animator = Animator(load_checkpoint(checkpoint_path()), backend="onnxruntime")
    animator.set_identity(sitters[:1])
    talking = sitters[0].landmarks.copy()
    talking[55:60, 1] += 0.12
    talking[65:68, 1] += 0.12
    for size in (64, 256):
        largest, share = far(animator, talking, size)
        assert largest <= 1 and share < 0.01


def test_eyes_are_painted_alike_on_both_paths(sitters: list[Portrait]) -> None:
    animator = Animator(checkpoint(WARP), backend="onnxruntime")
    animator.set_identity(sitters[1:2])
    closing = sitters[1].landmarks.copy()
    closing[[37, 38, 43, 44]] += 0.6 * (closing[[41, 40, 47, 46]] - closing[[37, 38, 43, 44]])
    gaze = np.full((2, 2), 0.05, np.float32)
    fast, plain = animator.render(closing, 128, gaze).astype(int), animator.render_plainly(closing, 128, gaze)
    assert np.abs(fast - plain).max() <= 1 and ((fast - plain) != 0).mean() < 0.01
    assert np.abs(fast - animator.render(sitters[1].landmarks, 128)).max() > 20


def test_frames_are_those_of_the_plain_path_where_nothing_is_told_apart() -> None:
    rng = np.random.default_rng(0)
    points = ((2 * drawn_pose(1, 96) + 1) / 96 - 1).astype(np.float32)
    nobody = Portrait(
        Crop(0, 0, 96),
        Face((20.0, 20.0, 50.0, 50.0), 1.0, np.zeros((5, 2), np.float32)),
        rng.integers(0, 256, (96, 96, 3), np.uint8),
        points,
    )
    animator = Animator(checkpoint(WARP, warps=2), backend="onnxruntime")
    animator.set_identity([nobody])
    assert not Layers([nobody]).still
    assert all(far(animator, moved, 96)[0] <= 1 for moved in poses(nobody))


def test_a_new_identity_replaces_the_old_one(sitters: list[Portrait]) -> None:
    animator = Animator(checkpoint(WARP), backend="onnxruntime")
    animator.set_identity(sitters[:1])
    first = animator.render(sitters[0].landmarks)
    animator.set_identity(sitters[1:2])
    assert far(animator, sitters[1].landmarks, None)[0] <= 1
    assert not np.array_equal(first, animator.render(sitters[1].landmarks))


def test_two_threads_render_what_one_renders(sitters: list[Portrait]) -> None:
    animator = Animator(checkpoint(WARP), threads=2)
    animator.set_identity(sitters)
    several = poses(sitters[0], 8)
    together = list(in_order(lambda pose: animator.render(pose, 64), several, 2))
    assert all(np.array_equal(animator.render(pose, 64), image) for pose, image in zip(several, together, strict=True))


def test_rendering_does_not_change_what_it_reads(sitters: list[Portrait]) -> None:
    animator = Animator(checkpoint(WARP), backend="onnxruntime")
    animator.set_identity(sitters[:1])
    pose = sitters[0].landmarks.copy()
    once = animator.render(pose)
    assert np.array_equal(once, animator.render(pose)) and np.array_equal(pose, sitters[0].landmarks)


def test_landmarks_beyond_the_picture_still_give_a_frame(sitters: list[Portrait]) -> None:
    animator = Animator(checkpoint(WARP), backend="onnxruntime")
    animator.set_identity(sitters[:1])
    wild = np.full((68, 2), 9.0, np.float32)
    assert animator.render(wild, 64).shape == animator.render_plainly(wild, 64).shape == (64, 64, 3)
    assert torch.is_inference_mode_enabled() is False


def test_a_family_without_a_fast_path_is_rendered_plainly_and_says_so(sitters: list[Portrait]) -> None:
    from generator.networks.landmark_warp import landmark_warp

    animator = Animator(landmark_warp(), threads=2)
    animator.set_identity(sitters[:1])
    assert (animator.backend, animator.threads) == ("plain torch", 1)
    assert far(animator, sitters[0].landmarks, 64) == (0, 0.0)


def test_a_family_without_a_network_refuses_what_would_compile_one() -> None:
    from generator.networks.landmark_warp import landmark_warp

    with pytest.raises(UsageError, match="landmark-warp has no network"):
        Animator(landmark_warp(), backend="onnxruntime")
    assert Animator(landmark_warp(), backend="torch").backend == "plain torch"
