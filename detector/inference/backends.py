"""What runs an exported detector: ONNX Runtime, or OpenVINO. Chosen by name; the same numbers within what
`detector.training.export_parity` allows.

In: the bytes of a network (ONNX, or OpenVINO IR with its weights). Out: a `Scorer`: crops to logits, and to the maps
that explain them. docs/speed.md has the rates. No torch here.
"""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.inference.backend_names import REGISTRY
from sfumato.errors import CheckpointError, MissingPartError, install_extra
from sfumato.execution.openvino_runtime import openvino_runtime
from sfumato.execution.signal_stack import signal_stack_kept

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]


class Scorer(ABC):
    """An exported net. Not for several threads at once on one core: each call uses `threads`."""

    name, package = "", ""
    tolerance = (
        0.1  # of a calibrated logit, from the trained net: weights in 16 bits cost half of it on the crops of the gate
    )
    outputs: tuple[str, ...] = ()

    @abstractmethod
    def _run(self, faces: NDArray[np.float32], output: str) -> NDArray[np.float32]:
        """faces: (b, 3, S, S) in [-1, 1]. Returns the output of that name."""

    def __call__(self, images: Sequence[Image], batch: int = 16) -> Floats:
        """images: (S, S, 3) uint8 RGB each. Returns (len(images), N): blend evidence, synthesis evidence, and
        what heads on all layers say, if there are any.
        """
        return self._all(images, "evidence", batch) if images else np.zeros((0, 2))

    def maps(self, images: Sequence[Image]) -> Floats:
        """images: as above, at least one. Returns (len(images), N, h, w): what each place adds to each; a logit
        is the mean of its map plus a constant. Raises CheckpointError for a net without maps.
        """
        self.require_maps()
        return self._all(images, "maps", 16)

    @property
    def has_maps(self) -> bool:
        """Whether the net was exported with them."""
        return "maps" in self.outputs

    def require_maps(self) -> None:
        """Raises CheckpointError for a net that was exported without maps."""
        if not self.has_maps:
            cause = "its net does not end in a plain mean over places, or an earlier version exported it"
            raise CheckpointError(
                f"This detector cannot show where it looks: {cause}", "Do without the explanation, or export it again."
            )

    def require_crops(self, size: int, heads: int = 2) -> None:
        """Runs the net once. Raises CheckpointError for one that makes no `heads` finite numbers of a crop of `size`
        px.
        """
        if "evidence" not in self.outputs:
            raise _other(f"it has no output called evidence, but {', '.join(self.outputs)[:100]}")
        found = self._ran(np.zeros((1, 3, size, size), np.float32), "evidence")
        if found.shape != (1, heads) or not np.isfinite(found).all():
            raise _other(f"of a crop of {size} px it makes {found.shape}, not {heads} numbers")

    def _ran(self, faces: NDArray[np.float32], output: str) -> NDArray[np.float32]:
        try:
            return self._run(faces, output)
        except Exception as error:  # the runtimes raise many types of their own
            raise _broken(error) from error

    def _all(self, images: Sequence[Image], output: str, batch: int) -> Floats:
        parts = []
        for start in range(0, len(images), batch):
            parts.append(self._ran(_faces(images[start : start + batch]), output))
        return np.concatenate(parts).astype(np.float64)


def _faces(images: Sequence[Image]) -> NDArray[np.float32]:
    """(b, 3, S, S) in [-1, 1]."""
    values = np.stack(images).astype(np.float32) / 127.5 - 1  # (b, S, S, 3)
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2))


class OnnxScorer(Scorer):
    """ONNX Runtime on the CPU, float32."""

    name, package = "onnxruntime", "onnxruntime"

    def __init__(self, network: Path | bytes, threads: int = 1, weights: bytes = b"") -> None:
        """Raises CheckpointError for a file that ONNX Runtime cannot run."""
        import onnxruntime

        if weights:
            raise CheckpointError(
                "ONNX Runtime does not run OpenVINO's files", "Use --backend openvino, or export with onnxruntime."
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # a core waits for faces, asleep
        options.log_severity_level = 4  # errors are raised; warnings would land on stderr
        try:
            model = network if isinstance(network, bytes) else str(network)
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime raises many types of its own
            raise _broken(error) from error
        self._input = self._session.get_inputs()[0].name
        self.outputs = tuple(output.name for output in self._session.get_outputs())

    def _run(self, faces: NDArray[np.float32], output: str) -> NDArray[np.float32]:
        return np.asarray(self._session.run([output], {self._input: faces})[0])

    def with_layers(self, images: Sequence[Image], batch: int = 16) -> tuple[Floats, Floats]:
        """images: as above. Returns what a call does, and (len(images), D) the means of all stages' channels over
        places, of a network with that output (`detector.training.layers.with_layers`), for the price of one.
        """
        parts = []
        for start in range(0, len(images), batch):
            found = self._session.run(["evidence", "layers"], {self._input: _faces(images[start : start + batch])})
            parts.append((found[0], found[1].mean((2, 3))))
        evidence, layers = (np.concatenate(each).astype(np.float64) for each in zip(*parts, strict=True))
        return evidence, layers


class OpenVinoScorer(Scorer):
    """OpenVINO on the CPU, float32."""

    name, package = "openvino", "openvino"
    precision = "f32"

    def __init__(self, network: Path | bytes, threads: int = 1, weights: bytes = b"") -> None:
        """network: ONNX, or OpenVINO's XML with its `weights`. Raises CheckpointError for what OpenVINO cannot run."""
        core = openvino_runtime().Core()
        settings = {"INFERENCE_PRECISION_HINT": self.precision, "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1}
        try:
            model = core.read_model(network, weights) if weights else core.read_model(network)
            with signal_stack_kept():
                self._compiled: Any = core.compile_model(model, "CPU", settings)
        except Exception as error:  # as above
            raise _broken(error) from error
        self.outputs = tuple(_known_name(output) for output in self._compiled.outputs)

    def _run(self, faces: NDArray[np.float32], output: str) -> NDArray[np.float32]:
        return np.array(self._compiled([faces])[output])


def _known_name(output: Any) -> str:
    """Of an output that may have several, as one that was only handed on has."""
    return next((name for name in ("evidence", "maps") if name in output.get_names()), str(output.get_any_name()))


class OpenVinoHalfScorer(OpenVinoScorer):
    """OpenVINO with bf16 arithmetic: for processors with AMX."""

    name = "openvino-bf16"
    precision = "bf16"
    tolerance = 0.5  # three digits in each product: .26 on the crops of the gate, AUC within .001


def load_scorer(name: str, network: Path | bytes, threads: int = 1, weights: bytes = b"") -> Scorer:
    """Raises UsageError for an unknown name, MissingPartError for a backend that is not installed, CheckpointError."""
    kind = REGISTRY.load(name)
    if importlib.util.find_spec(kind.package) is None:
        advice = f"{install_extra('fast')} Or use --backend onnxruntime."
        raise MissingPartError(f"The backend {name!r} needs {kind.package}, which is not installed", advice)
    scorer: Scorer = kind(network, threads, weights)
    return scorer


def _other(why: str) -> CheckpointError:
    advice = "Take a detector made by `sfumato train detector` or `sfumato export detector`."
    return CheckpointError(f"The detector's network is another kind of network: {why}", advice)


def _broken(error: Exception) -> CheckpointError:
    cause = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return CheckpointError(f"The detector's network cannot be run: {cause}", "Export it again.")
