"""The device that a training or a rendering runs on, and its seed."""

from __future__ import annotations

import random
from typing import Any

from sfumato.errors import UsageError


def seed_everything(seed: int) -> None:
    """Seeds Python, NumPy and torch."""
    import numpy
    import torch

    random.seed(seed)
    numpy.random.seed(seed % 2**32)  # noqa: NPY002 - the libraries we call (augmentation, scikit-learn) read the global state
    torch.manual_seed(seed)


def choose_device(name: str = "auto") -> Any:
    """`auto` takes a GPU if there is one. Returns a torch.device. Raises UsageError for a device that is not there."""
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(
            f"Device {name!r} cannot be used here: {str(error).splitlines()[0]}", "Use --device cpu, or auto."
        ) from error
    return device
