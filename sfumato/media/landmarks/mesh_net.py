"""MediaPipe's face mesh as a function: a square view of a face in, its 468 points in space and how sure the net is of a
face out. OpenCV and OpenVINO agree to 1e-3 px.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sfumato.media.landmarks.tflite_net import Run, in_opencv, in_openvino, model_file, openvino_installed

VIEW = 192  # px, the net's input
_OUTPUTS = ("conv2d_20", "conv2d_30")  # points in px of the view, and a logit

Net = Callable[[NDArray[np.uint8]], tuple[NDArray[np.float32], float]]


def mesh_file() -> str:
    """Where the net lies."""
    return model_file("face_landmark.tflite")


def quickest_net() -> Net:
    """The net in OpenVINO where it is installed, or in OpenCV: (192, 192, 3) uint8 RGB to (468, 3) px and a logit. The
    third coordinate grows away from the camera. One thread's own.
    """
    return openvino_net() if openvino_installed() else opencv_net()


def opencv_net() -> Net:
    """The net in OpenCV."""
    return _read(in_opencv(mesh_file(), _OUTPUTS))


def openvino_net() -> Net:
    """The net in OpenVINO, on one thread."""
    return _read(in_openvino(mesh_file(), _OUTPUTS))


def _read(run: Run) -> Net:
    def net(view: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
        points, presence = run(view)
        return points.reshape(468, 3), float(presence.item())

    return net
