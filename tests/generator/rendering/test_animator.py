"""The portrait that moves: what is read from a picture, how it is rendered, with which losses it is tuned."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from generator.config import TuneConfig
from generator.networks.warp import sample, warp_grid
from generator.person.background import face_area, find_background
from generator.person.portrait import Portrait, read_portrait
from generator.rendering.animator import Animator, tune_config
from sfumato.config import to_dict
from sfumato.errors import NoFaceError
from sfumato.media.faces import FaceDetector
from sfumato.media.landmarks import load_backend
from sfumato.media.tensors import to_image, to_tensor
from tests.generator_fixtures import PIXELS, PLAIN, WARP, astronaut, checkpoint, portrait, train_config

Image = NDArray[np.uint8]


def read(image: Image, size: int = 128, which: int | None = None) -> Portrait:
    return read_portrait(image, FaceDetector(), load_backend("mesh"), size, "test.png", which)


@pytest.fixture(scope="module")
def sitter() -> Portrait:
    return read(portrait())


def test_a_portrait_is_read(sitter: Portrait) -> None:
    assert sitter.large.shape == (128, 128, 3)
    assert np.abs(sitter.landmarks).max() < 1 and sitter.others == 0


def test_landmarks_lie_on_the_crop_at_every_size(sitter: Portrait) -> None:
    assert np.allclose(read(portrait(), 64).landmarks, sitter.landmarks, atol=1e-5)


def test_no_face_is_refused() -> None:
    with pytest.raises(NoFaceError, match=r"test\.png"):
        read(np.full((200, 200, 3), 128, np.uint8))


def test_a_small_face_is_refused() -> None:
    with pytest.raises(NoFaceError, match="pixels high"):
        read(portrait(side=90))


def two_people() -> Image:
    image = np.zeros((640, 1152, 3), np.uint8) + 90
    image[64:576, :512] = astronaut()
    mona = portrait()
    image[: mona.shape[0], 600 : 600 + mona.shape[1]] = mona
    return image


def test_of_two_faces_the_largest_is_taken_and_the_other_counted() -> None:
    image = two_people()
    boxes = FaceDetector().detect(image)
    assert len(boxes) == 2
    taken, second = read(image), read(image, which=2)
    assert taken.others == 1 and taken.face.box == boxes[0].box
    assert second.face.box == boxes[1].box


@pytest.mark.parametrize("which", [0, 3, -1])
def test_a_face_that_is_not_there_is_refused(which: int) -> None:
    with pytest.raises(NoFaceError, match="--face 1 to 2"):
        read(two_people(), which=which)


def test_render_before_set_identity_is_an_error() -> None:
    with pytest.raises(ValueError, match="set_identity"):
        Animator(checkpoint()).render(np.zeros((68, 2), np.float32))


@pytest.mark.parametrize("family", [PLAIN, WARP])
@pytest.mark.parametrize("size", [None, 32, 96])
def test_frames_have_the_size_asked_for(sitter: Portrait, family: str, size: int | None) -> None:
    animator = Animator(checkpoint(family))
    animator.set_identity([sitter])
    frame = animator.render(sitter.landmarks, size)
    assert frame.shape == (size or 128, size or 128, 3) and frame.dtype == np.uint8


def test_an_untrained_warp_family_gives_the_portrait_itself_in_its_own_pose(sitter: Portrait) -> None:
    animator = Animator(checkpoint(WARP, awake=False))
    animator.set_identity([sitter])
    assert np.abs(animator.render(sitter.landmarks).astype(int) - sitter.large).max() <= 1


def test_an_untrained_warp_family_gives_the_warp_in_another_pose(sitter: Portrait) -> None:
    animator = Animator(checkpoint(WARP, awake=False))
    animator.set_identity([sitter])
    moved = sitter.landmarks + np.float32(0.05)
    grid = warp_grid(torch.from_numpy(sitter.landmarks)[None], torch.from_numpy(moved)[None], 128)
    warp = to_image(sample(to_tensor(sitter.large), grid)[0])
    face = face_area(moved, 128)
    assert np.abs(animator.render(moved).astype(int) - warp)[face].max() <= 1


def test_the_background_stays_still(sitter: Portrait) -> None:
    animator = Animator(checkpoint(WARP))
    animator.set_identity([sitter])
    background = find_background(sitter.large, sitter.landmarks)
    assert background is not None
    away = cv2.dilate(background.share, np.ones((25, 25), np.uint8)) == 0
    assert away.mean() > 0.05
    for move in ([0.08, 0], [-0.08, 0.02], [0, -0.08]):
        frame = animator.render(sitter.landmarks + np.float32(move))
        assert np.abs(frame.astype(int) - sitter.large)[away].max() <= 1


def test_a_head_that_moved_leaves_nothing_behind(sitter: Portrait) -> None:
    animator = Animator(checkpoint(WARP, awake=False))
    animator.set_identity([sitter])
    background = find_background(sitter.large, sitter.landmarks)
    assert background is not None
    moved = sitter.landmarks + np.float32([0.2, 0.2])
    grid = warp_grid(torch.from_numpy(sitter.landmarks)[None], torch.from_numpy(moved)[None], 128)
    share = torch.from_numpy(background.share)[None, None].float()
    left = (background.share == 255) & (sample(share, grid)[0, 0].numpy() < 1)
    assert left.any()
    assert np.abs(animator.render(moved).astype(int) - background.backdrop)[left].max() <= 2


def test_the_background_of_several_portraits_is_that_of_the_first(sitter: Portrait) -> None:
    darker = replace(sitter, large=sitter.large // 2, landmarks=sitter.landmarks + np.float32(0.05))
    animator = Animator(checkpoint(WARP, awake=False))
    animator.set_identity([sitter, darker])
    for nearest in (sitter, darker):
        assert np.abs(animator.render(nearest.landmarks).astype(int) - sitter.large)[:6, :6].max() <= 1


def test_several_portraits_make_one_person(sitter: Portrait) -> None:
    animator = Animator(checkpoint(PLAIN))
    person = animator.set_identity([sitter, sitter, sitter])
    assert person.faces.shape == (3, 3, 32, 32)
    once = Animator(checkpoint(PLAIN)).set_identity([sitter])
    assert torch.allclose(person.psi, once.psi, atol=1e-4)


def test_tuning_changes_the_person_and_counts_its_iterations(sitter: Portrait) -> None:
    animator, amounts = Animator(checkpoint(PLAIN)), list[float]()
    before = animator.set_identity([sitter])
    after = animator.set_identity(
        [sitter], TuneConfig(iterations=4, loss=PIXELS, check_every=2, learning_rate=1e-3), amounts.append
    )
    assert sum(amounts) == 4 and not torch.equal(before.psi, after.psi)


def test_the_same_portrait_gives_the_same_frame(sitter: Portrait) -> None:
    frames = []
    for _ in range(2):
        animator = Animator(checkpoint(WARP))
        animator.set_identity([sitter])
        frames.append(animator.render(sitter.landmarks))
    assert np.array_equal(*frames)


def test_tuning_uses_the_losses_of_the_training() -> None:
    made = checkpoint()
    made.record["train"] = to_dict(train_config())
    assert tune_config(made, 5.0).loss == PIXELS
    assert tune_config(made, 5.0).seconds == 5.0


@pytest.mark.parametrize(
    "record",
    [{}, {"train": None}, {"train": {"loss": {"unknown": 1}}}, {"train": {"loss": {"pixel": -1}}}, {"train": [1]}],
)
def test_a_record_without_usable_losses_gives_losses_that_every_machine_has(record: dict[str, object]) -> None:
    made = checkpoint()
    made.record.update(record)
    loss = tune_config(made, 0).loss
    assert loss.pixel > 0 and loss.vgg19 == loss.vggface == 0


def test_losses_whose_weights_are_elsewhere_are_left_out() -> None:
    made = checkpoint()
    made.record["train"] = {"loss": {"vgg19": 0.15, "vgg19_weights": "/elsewhere/vgg19.safetensors", "vggface": 0.025}}
    loss = tune_config(made, 0).loss
    assert loss.vgg19 == loss.vggface == 0 and loss.pixel > 0


def test_without_its_package_lite0_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    made = checkpoint()
    made.record["train"] = {"loss": {"vgg19": 0, "vggface": 0, "lite0": 0.02, "pixel": 8}}
    loss = tune_config(made, 0).loss
    assert (loss.lite0, loss.pixel) == (0, 8)
