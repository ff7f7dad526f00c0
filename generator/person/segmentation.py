"""Which part of a picture is a person: MediaPipe's selfie segmentation (Apache-2.0) through OpenCV, refined to the
picture's own edges.

In: a picture (S, S, 3) uint8 RGB. Out: the share of person in each pixel. A picture is looked at once, so time is no
matter. The net sees 256 px; a guided filter (He et al. 2013) carries its edge to where the picture has one.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_VIEW = 256  # px that the net sees
_RADIUS = 0.016  # of the side: a window of the filter, somewhat wider than the net's edge is blurred
_ROUGHNESS = 1e-3  # what is less than this variance of grey in [0, 1] is no edge
Image = NDArray[np.uint8]
Share = NDArray[np.float32]


def person_share(picture: Image) -> Share:
    """picture: (S, S, 3) uint8 RGB. Returns (S, S) in [0, 1]: 1 is person, whoever it is."""
    model = files("sfumato.media") / "models" / "selfie_segmentation.tflite"
    net = cv2.dnn.readNetFromTFLite(str(model))
    side = len(picture)
    method = cv2.INTER_AREA if side > _VIEW else cv2.INTER_LINEAR
    net.setInput(cv2.dnn.blobFromImage(cv2.resize(picture, (_VIEW, _VIEW), interpolation=method), 1 / 255))
    seen = np.asarray(net.forward(), np.float32).reshape(_VIEW, _VIEW)
    whole = np.asarray(cv2.resize(seen, (side, side), interpolation=cv2.INTER_LINEAR), np.float32)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255)
    return _to_edges(whole, np.asarray(grey, np.float32))


def _to_edges(share: Share, grey: Share) -> Share:
    """`share` as, within each window, a linear function of `grey` (both (S, S) in [0, 1])."""
    window = (2 * max(1, round(_RADIUS * len(grey))) + 1,) * 2

    def mean(values: Any) -> Any:
        return cv2.blur(values, window, borderType=cv2.BORDER_REPLICATE)

    grey_mean, share_mean = mean(grey), mean(share)
    slope = (mean(grey * share) - grey_mean * share_mean) / (mean(grey * grey) - grey_mean**2 + _ROUGHNESS)
    return np.asarray((mean(slope) * grey + mean(share_mean - slope * grey_mean)).clip(0, 1), np.float32)
