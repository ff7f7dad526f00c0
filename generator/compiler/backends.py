"""Inference backends: a folded plan in, something that runs it out. Chosen by name; `auto` takes the fastest that is
installed.

A backend is called from several threads at once and works on one core for each: frames are independent, so two frames
on two cores need no waiting for one another. All give the plan's numbers within rounding (tests say how near).
"""

from __future__ import annotations

import importlib.util
import threading
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from generator.compiler.backend_names import REGISTRY
from generator.compiler.folding import Plan
from sfumato.errors import MissingPartError, install_extra
from sfumato.execution.signal_stack import signal_stack_kept

Array = NDArray[np.float32]


class Backend(Protocol):
    """Runs one plan. The array that it returns belongs to the caller's thread until its next call."""

    name: str

    def __call__(self, guide: Array) -> Array:
        """guide: (n, n, inputs), channels last. Returns (n, n, outputs)."""
        ...


def load_backend(name: str, plan: Plan, threads: int = 1) -> Backend:
    """A backend for `plan`, called by `threads` threads at once. Raises what `require_backend` raises."""
    made: Backend = REGISTRY.load(require_backend(name))(plan, threads)
    return made


def require_backend(name: str) -> str:
    """The backend's name, that of the fastest for `auto`. Raises UsageError for an unknown one, MissingPartError for
    one not installed.
    """
    chosen = fastest() if name == "auto" else name
    needed: str = REGISTRY.load(chosen).package
    if importlib.util.find_spec(needed) is None:
        advice = f"{install_extra('fast')} Or use --backend auto."
        raise MissingPartError(f"The backend {name!r} needs {needed}, which is not installed", advice)
    return chosen


def fastest() -> str:
    """The name of the backend that `auto` means here: by the measurement in docs/speed.md, as far as it is
    installed.
    """
    return "openvino" if importlib.util.find_spec("openvino") is not None else "onnxruntime"


class TorchBackend:
    """The steps one by one in torch, on its own number of threads."""

    name, package = "torch", "torch"

    def __init__(self, plan: Plan, threads: int = 1) -> None:
        from generator.compiler.folding import as_torch

        self._run = as_torch(plan, "cpu")

    def __call__(self, guide: Array) -> Array:
        import torch

        head = self._run(torch.from_numpy(guide)[None].permute(0, 3, 1, 2))
        return np.asarray(head[0].permute(1, 2, 0).contiguous().numpy())


class OnnxRuntimeBackend:
    """ONNX Runtime on the CPU, float32."""

    name, package = "onnxruntime", "onnxruntime"

    def __init__(self, plan: Plan, threads: int = 1) -> None:
        import onnxruntime

        from generator.compiler.graph import to_onnx

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = 1, 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(to_onnx(plan), options, providers=["CPUExecutionProvider"])

    def __call__(self, guide: Array) -> Array:
        return np.asarray(self._session.run(None, {"guide": guide[None]})[0][0])


class OpenVinoBackend:
    """OpenVINO on the CPU, float32. Without AMX bf16 is slower than float32 (docs/speed.md), and less exact
    everywhere.
    """

    name, package = "openvino", "openvino"
    precision = "f32"

    def __init__(self, plan: Plan, threads: int = 1) -> None:
        import openvino

        from generator.compiler.graph import to_onnx

        core = openvino.Core()
        settings = {
            "INFERENCE_PRECISION_HINT": self.precision,
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": threads,
            "ENABLE_CPU_PINNING": "NO",  # other threads encode and warp meanwhile
        }
        with signal_stack_kept():
            self._compiled: Any = core.compile_model(core.read_model(to_onnx(self.prepared(plan))), "CPU", settings)
        self._requests = threading.local()

    def prepared(self, plan: Plan) -> Plan:
        """The plan that is compiled."""
        return plan

    def __call__(self, guide: Array) -> Array:
        request = getattr(self._requests, "own", None)
        if request is None:
            request = self._requests.own = self._compiled.create_infer_request()
        request.infer([guide[None]], share_inputs=True)
        return np.asarray(request.get_output_tensor().data[0])


class OpenVinoHalfBackend(OpenVinoBackend):
    """OpenVINO with bf16 arithmetic: for processors with AMX."""

    name = "openvino-bf16"
    precision = "bf16"


class OpenVinoByteBackend(OpenVinoBackend):
    """OpenVINO with most convolutions in 8 bits: fastest, frames that differ by less than can be seen
    (docs/speed.md).
    """

    name = "openvino-int8"

    def prepared(self, plan: Plan) -> Plan:
        from generator.compiler.quantize import narrow

        return narrow(plan)
