"""The one conversion between pictures (HWC uint8 RGB) and tensors ((B, 3, H, W) float in [-1, 1]), both ways.

Apart from `sfumato.media.images`, so that whoever only reads pictures needs no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sfumato.media.images import check_image

if TYPE_CHECKING:
    from torch import Tensor


def to_tensor(images: NDArray[np.uint8] | Sequence[NDArray[np.uint8]]) -> Tensor:
    """(H, W, 3), (B, H, W, 3) or a sequence of B images of one size, uint8 RGB, to a (B, 3, H, W) float32 tensor in
    [-1, 1] on the CPU.

    Raises ValueError for another type or shape, or for images of different sizes.
    """
    import torch

    if isinstance(images, np.ndarray):
        images = [images] if images.ndim == 3 else list(images)
    if len(images) == 0 or len({check_image(image).shape for image in images}) != 1:
        raise ValueError("one tensor holds at least one image, all of one size")
    batch = torch.from_numpy(np.stack(list(images)))  # (B, H, W, 3)
    return batch.permute(0, 3, 1, 2).contiguous().float().div_(127.5).sub_(1.0)  # (B, 3, H, W)


def to_image(tensor: Tensor) -> NDArray[np.uint8]:
    """A (3, H, W) tensor in [-1, 1], any float type and device, to (H, W, 3) uint8 RGB; values outside are clipped, NaN
    becomes black.

    Raises ValueError for another shape. `to_image(to_tensor(image)[0])` gives back the image exactly.
    """
    if tensor.ndim != 3 or tensor.shape[0] != 3:
        raise ValueError(f"an image tensor is (3, H, W); this is {tuple(tensor.shape)}")
    scaled = tensor.detach().float().nan_to_num(nan=-1.0).add(1.0).mul(127.5).round().clamp(0, 255)
    image: NDArray[np.uint8] = scaled.byte().permute(1, 2, 0).contiguous().cpu().numpy()  # (H, W, 3)
    return image
