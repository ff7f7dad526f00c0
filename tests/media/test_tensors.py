"""Pictures to tensors and back: the house shape and range, every value, refusals."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sfumato.media.tensors import to_image, to_tensor
from tests.media_fixtures import picture


def test_tensors_have_the_house_shape_and_range() -> None:
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    image[0, 0], image[0, 1] = 0, 255
    tensor = to_tensor(image)
    assert tensor.shape == (1, 3, 5, 7)
    assert tensor.dtype == torch.float32
    assert tensor.min() == -1
    assert tensor.max() == 1
    assert tensor[0, 2, 3, 4] == pytest.approx(image[3, 4, 2] / 127.5 - 1)
    assert to_tensor([image, image]).shape == to_tensor(np.stack([image, image])).shape == (2, 3, 5, 7)


def test_every_value_survives_the_way_there_and_back() -> None:
    image = np.arange(256 * 3, dtype=np.int64).reshape(16, 16, 3).astype(np.uint8)
    assert np.array_equal(to_image(to_tensor(image)[0]), image)


def test_values_outside_are_clipped_and_nan_is_black() -> None:
    tensor = torch.tensor([-5.0, 5.0, float("nan")]).reshape(1, 1, 3).expand(3, 1, 3)
    assert to_image(tensor)[0, :, 0].tolist() == [0, 255, 0]
    assert to_image(tensor.to(torch.bfloat16).requires_grad_())[0, :, 0].tolist() == [0, 255, 0]


def test_other_shapes_are_refused() -> None:
    for wrong in (torch.zeros(1, 3, 4, 4), torch.zeros(4, 4, 3), torch.zeros(4, 4)):
        with pytest.raises(ValueError, match="3, H, W"):
            to_image(wrong)
    for images_of in ([], [picture(0), picture(0, 10, 10)], [np.zeros((4, 4), np.uint8)]):
        with pytest.raises(ValueError):
            to_tensor(images_of)
