"""Inference backends: a folded plan in, something that runs it out. Chosen by name; `auto` takes the fastest that is
installed and computes right here.

A backend is called from several threads at once and works on one core for each: frames are independent, so two frames
on two cores need no waiting for one another. All give the plan's numbers within rounding (tests say how near), and
prove it on the processor at hand before their first frame (generator.compiler.proof).
"""

from __future__ import annotations

import functools
import importlib.util
import threading
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from generator.compiler.backend_names import REGISTRY
from generator.compiler.folding import Plan
from generator.compiler.proof import shortcoming
from sfumato.errors import MissingPartError, UsageError, install_extra
from sfumato.execution.openvino_runtime import openvino_runtime
from sfumato.execution.signal_stack import signal_stack_kept

Array = NDArray[np.float32]


_BY_SPEED = ("openvino", "onnxruntime", "torch")  # what `auto` may take, by the measurement in docs/speed.md


class UnfitBackendError(UsageError):
    """A backend that is installed and does not compute right on this processor."""


class Backend(Protocol):
    """Runs one plan. The array that it returns belongs to the caller's thread until its next call."""

    name: str
    package: str  # what has to be installed
    tolerance: float  # how far its answer to a known question may lie off, as a share of the largest number

    def __call__(self, guide: Array) -> Array:
        """guide: (n, n, inputs), channels last. Returns (n, n, outputs)."""
        ...


def load_backend(name: str, plan: Plan, threads: int = 1) -> Backend:
    """A backend for `plan`, called by `threads` threads at once. Raises what `require_backend` raises."""
    made: Backend = REGISTRY.load(require_backend(name))(plan, threads)
    return made


def require_backend(name: str) -> str:
    """The backend's name, that of the fastest for `auto`. Raises UsageError for an unknown one, MissingPartError for
    one not installed, UnfitBackendError for one that fails its proof on this processor.
    """
    chosen = fastest() if name == "auto" else name
    kind = REGISTRY.load(chosen)
    if not _installed(kind):
        advice = f"{install_extra('fast')} Or use --backend auto."
        raise MissingPartError(f"The backend {name!r} needs {kind.package}, which is not installed", advice)
    reason = _reason_against(kind)
    if reason:
        instead = "" if chosen == fastest() else f"Use --backend {fastest()}, which was tried here too."
        raise UnfitBackendError(f"The backend {name!r} must not be used on this processor: {reason}", instead)
    return chosen


def fastest() -> str:
    """The name of the backend that `auto` means here: the fastest that is installed and passes its proof."""
    for name in _BY_SPEED[:-1]:
        kind = REGISTRY.load(name)
        if _installed(kind) and not _reason_against(kind):
            return name
    return _BY_SPEED[-1]


def _installed(kind: Any) -> bool:
    return importlib.util.find_spec(kind.package) is not None


@functools.cache
def _reason_against(kind: Any) -> str:
    """Tried once in a process: the processor stays the same."""
    return shortcoming(kind, kind.tolerance)


class TorchBackend:
    """The steps one by one in torch, on its own number of threads."""

    name, package, tolerance = "torch", "torch", 1e-4

    def __init__(self, plan: Plan, threads: int = 1) -> None:
        from generator.compiler.folding import as_torch

        self._run = as_torch(plan, "cpu")

    def __call__(self, guide: Array) -> Array:
        import torch

        head = self._run(torch.from_numpy(guide)[None].permute(0, 3, 1, 2))
        return np.asarray(head[0].permute(1, 2, 0).contiguous().numpy())


class OnnxRuntimeBackend:
    """ONNX Runtime on the CPU, float32."""

    name, package, tolerance = "onnxruntime", "onnxruntime", 1e-4

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

    name, package, tolerance = "openvino", "openvino", 1e-4
    precision = "f32"

    def __init__(self, plan: Plan, threads: int = 1) -> None:
        from generator.compiler.graph import to_onnx

        core = openvino_runtime().Core()
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

    name, tolerance = "openvino-bf16", 0.03
    precision = "bf16"


class OpenVinoByteBackend(OpenVinoBackend):
    """OpenVINO with most convolutions in 8 bits: fastest, frames that differ by less than can be seen
    (docs/speed.md).
    """

    name, tolerance = "openvino-int8", 0.03  # rounded it is .004 off; where sums overflow, .08

    def prepared(self, plan: Plan) -> Plan:
        from generator.compiler.quantize import narrow

        return narrow(plan)
