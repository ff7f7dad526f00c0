"""The gate: pairs that differ in nothing but the forgery, the same every time; what differs from the trained net is
held back.
"""

import numpy as np
import pytest

from detector.inference.fusion import Stack
from detector.training.export_parity import Gate, compare, gate_set, require
from sfumato.errors import CheckpointError
from tests.detector_fixtures import checkered, face_picture, landmarks

FACES = [(face_picture(i), landmarks(96)) for i in range(3)]
GENERATED = [(face_picture(i), checkered(face_picture(i))) for i in range(6)]


@pytest.fixture(scope="module")
def crops():
    return gate_set(FACES, GENERATED, 32, blends=18)


def brightness(images) -> np.ndarray:
    return np.array([[image.mean() / 20, image.std() / 20] for image in images])


def test_set_is_paired_and_the_same_every_time(crops) -> None:
    again = gate_set(FACES, GENERATED, 32, blends=18)
    assert len(crops.reals) == len(crops.fakes) == 60
    assert {image.shape for image in [*crops.reals, *crops.fakes]} == {(32, 32, 3)}
    assert all(np.array_equal(a, b) for a, b in zip(crops.reals + crops.fakes, again.reals + again.fakes, strict=True))


def test_too_few_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="60"):
        gate_set(FACES, GENERATED, 32, blends=2)


def test_the_same_net_passes(crops) -> None:
    found = compare(brightness, brightness, Stack(), crops)
    assert found.auc == found.exported_auc
    assert found.largest_logit_difference == 0
    require(found, 0.0)


def test_one_crop_that_is_off_is_seen(crops) -> None:
    def off(images):
        found = brightness(images)
        found[7] += 0.2
        return found

    found = compare(brightness, off, Stack(), crops)
    assert 0.2 <= found.largest_logit_difference < 0.5
    with pytest.raises(CheckpointError, match="60 crops a class"):
        require(found, 0.1)


NAN = float("nan")


@pytest.mark.parametrize(
    "gate", [Gate(60, 0.9, 0.894, 0.0), Gate(60, 0.9, 0.9, 0.2), Gate(60, 0.9, NAN, 0.0), Gate(60, 0.9, 0.9, NAN)]
)
def test_what_is_too_far_or_no_number_is_refused(gate) -> None:
    with pytest.raises(CheckpointError, match="not the trained one"):
        require(gate, 0.1)
