"""Seeds and devices."""

from __future__ import annotations

import random

import pytest

from sfumato.errors import UsageError
from sfumato.training.device import choose_device, seed_everything


def test_the_same_seed_gives_the_same_numbers() -> None:
    import numpy
    import torch

    def draw() -> tuple[float, float, float]:
        return random.random(), float(numpy.random.random()), float(torch.rand(1))

    seed_everything(7)
    first = draw()
    seed_everything(7)
    assert draw() == first
    seed_everything(8)
    assert draw() != first


def test_devices() -> None:
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type in ("cpu", "cuda")


@pytest.mark.parametrize("name", ["toaster", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="Use --device cpu"):
        choose_device(name)
