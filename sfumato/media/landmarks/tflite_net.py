"""A small TFLite network as a function: a square view in, its named outputs out.

OpenCV runs it everywhere; OpenVINO, where it is installed, takes less than half the time.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sfumato.execution.openvino_runtime import openvino_runtime
from sfumato.execution.signal_stack import signal_stack_kept

Run = Callable[[NDArray[np.uint8]], list[NDArray[np.float32]]]
COMPILED = threading.local()  # by OpenVINO, which takes as long as fifty looks; threads would wait for a shared one


def model_file(name: str) -> str:
    """Where a network of the package lies."""
    return str(files("sfumato.media") / "models" / name)


def openvino_installed() -> bool:
    """Whether the quicker of the two is there."""
    return importlib.util.find_spec("openvino") is not None


def in_opencv(path: str, outputs: Sequence[str]) -> Run:
    """In OpenCV's classic engine: the new one gives one output alone. Views are (side, side, 3) uint8 RGB."""
    net = cv2.dnn.readNetFromTFLite(path, cv2.dnn.ENGINE_CLASSIC)

    def run(view: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        net.setInput(cv2.dnn.blobFromImage(view, 1 / 255))
        return [np.asarray(found, np.float32) for found in net.forward(list(outputs))]

    return run


def in_openvino(path: str, outputs: Sequence[str]) -> Run:
    """In OpenVINO: float32, on one thread. What one thread asks for is compiled once."""
    compiled: dict[str, Any] = vars(COMPILED).setdefault("nets", {})
    if path not in compiled:
        core = openvino_runtime().Core()
        settings: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": 1,
            "ENABLE_CPU_PINNING": "NO",
        }
        with signal_stack_kept():
            compiled[path] = core.compile_model(core.read_model(path), "CPU", settings)
    request = compiled[path].create_infer_request()

    def run(view: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        request.infer([np.multiply(view, np.float32(1 / 255), dtype=np.float32)[None]])
        return [np.array(request.get_tensor(name).data, np.float32) for name in outputs]

    return run
