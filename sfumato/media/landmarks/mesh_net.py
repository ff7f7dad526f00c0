"""MediaPipe's face mesh as a function: a square view of a face in, its 468 points in space and how sure the net is of a
face out.

OpenCV runs it everywhere; OpenVINO, where it is installed, takes less than half the time and agrees to 1e-3 px.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sfumato.execution.openvino_runtime import openvino_runtime
from sfumato.execution.signal_stack import signal_stack_kept

VIEW = 192  # px, the net's input
_POINTS, _PRESENCE = "conv2d_20", "conv2d_30"  # the net's outputs: points in px of the view, and a logit

Net = Callable[[NDArray[np.uint8]], tuple[NDArray[np.float32], float]]
_COMPILED = threading.local()  # by OpenVINO, which takes as long as fifty looks; threads would wait for a shared one


def mesh_file() -> str:
    """Where the net lies."""
    return str(files("sfumato.media") / "models" / "face_landmark.tflite")


def quickest_net() -> Net:
    """The net in OpenVINO where it is installed, or in OpenCV: (192, 192, 3) uint8 RGB to (468, 3) px and a logit. The
    third coordinate grows away from the camera. One thread's own.
    """
    return openvino_net() if importlib.util.find_spec("openvino") is not None else opencv_net()


def opencv_net() -> Net:
    """The net in OpenCV's classic engine: the new one gives the points alone."""
    net = cv2.dnn.readNetFromTFLite(mesh_file(), cv2.dnn.ENGINE_CLASSIC)

    def run(view: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
        net.setInput(cv2.dnn.blobFromImage(view, 1 / 255))
        points, presence = net.forward([_POINTS, _PRESENCE])
        return np.asarray(points, np.float32).reshape(468, 3), float(presence.item())

    return run


def openvino_net() -> Net:
    """The net in OpenVINO: float32, on one thread. What one thread asks for is compiled once."""
    if not hasattr(_COMPILED, "net"):
        core = openvino_runtime().Core()
        settings: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": 1,
            "ENABLE_CPU_PINNING": "NO",
        }
        with signal_stack_kept():
            _COMPILED.net = core.compile_model(core.read_model(mesh_file()), "CPU", settings)
    request = _COMPILED.net.create_infer_request()

    def run(view: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
        request.infer([np.multiply(view, np.float32(1 / 255), dtype=np.float32)[None]])
        points, presence = (request.get_tensor(name).data for name in (_POINTS, _PRESENCE))
        return np.array(points, np.float32).reshape(468, 3), float(presence.item())

    return run
