"""The detector as it ships: one folder, `detector.onnx` and `detector.json`. Loaded by ONNX Runtime, without torch.

In: that folder. Out: a `ShippedDetector` that scores crops and knows its stack, its thresholds and where they come from.
The json names the digest of the onnx file: a pair that does not belong together is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.crops import DETECTOR_CROP
from detector.stack import Stack
from sfumato.errors import CheckpointError, MissingPartError

FORMAT = "sfumato-detector-1"
NETWORK, RECORD = "detector.onnx", "detector.json"
Image = NDArray[np.uint8]
Floats = NDArray[np.float64]


class OnnxScorer:
    """An exported net. Not for several threads at once on one core: each call uses `threads`."""

    def __init__(self, network: Path | bytes, threads: int = 1) -> None:
        """Raises CheckpointError for a file that ONNX Runtime cannot run."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 4  # errors are raised; warnings would land on stderr
        try:
            model = network if isinstance(network, bytes) else str(network)
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime raises many types of its own
            cause = str(error).splitlines()[0][:200]
            raise CheckpointError(f"The detector's network cannot be run: {cause}", "Export it again.") from error
        self._input = self._session.get_inputs()[0].name

    def __call__(self, images: Sequence[Image], batch: int = 16) -> Floats:
        """images: (S, S, 3) uint8 RGB each. Returns (len(images), 2): blend evidence, synthesis evidence."""
        parts = []
        for start in range(0, len(images), batch):
            values = np.stack(images[start : start + batch]).astype(np.float32) / 127.5 - 1  # (b, S, S, 3)
            parts.append(self._session.run(None, {self._input: np.ascontiguousarray(values.transpose(0, 3, 1, 2))})[0])
        return np.concatenate(parts).astype(np.float64) if parts else np.zeros((0, 2))


@dataclass(frozen=True)
class ShippedDetector:
    """`thresholds`: {alpha: logit that a real picture exceeds with probability alpha at most}; `video_thresholds`: the same for
    videos, whose frames have a codec behind them; `record`: detector.json whole."""

    scorer: OnnxScorer
    size: int
    stack: Stack
    thresholds: dict[float, float]
    video_thresholds: dict[float, float]
    record: dict[str, Any]

    @property
    def digest(self) -> str:
        return str(self.record["network"]["sha256"])


def load_shipped(folder: Path | None = None, threads: int = 1) -> ShippedDetector:
    """Reads `folder`; without one, the detector that comes with the package. Raises MissingPartError, CheckpointError."""
    place = _place(folder)
    if not (place / RECORD).is_file() or not (place / NETWORK).is_file():
        advice = "Train one: sfumato train detector CLIPS.jsonl --out RUN."
        raise MissingPartError(f"There is no detector in {place}", advice)
    try:
        record = json.loads((place / RECORD).read_text(encoding="utf-8"))
        network = (place / NETWORK).read_bytes()
    except (OSError, ValueError) as error:
        raise CheckpointError(f"The detector in {place} is damaged: {error}", "Take another copy.") from error
    return from_parts(network, record, threads)


def network_bytes(folder: Path | None = None) -> bytes:
    """The network of a detector that `load_shipped` reads."""
    return (_place(folder) / NETWORK).read_bytes()


def _place(folder: Path | None) -> Path:
    return Path(str(files("detector") / "weights")) if folder is None else folder


def _thresholds(calibration: Any) -> dict[float, float]:
    return {float(alpha): float(t) for alpha, t in calibration["thresholds"].items()}


def from_parts(network: bytes, record: Any, threads: int = 1) -> ShippedDetector:
    """The detector from the bytes of its network and its record. Raises CheckpointError if they do not fit."""
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        found = record.get("format") if isinstance(record, dict) else type(record).__name__
        raise CheckpointError(f"Unknown detector format {found!r}", f"This version reads {FORMAT}.")
    try:
        if record["crop"] != DETECTOR_CROP:
            seen = record["crop"]
            raise CheckpointError(f"The detector was trained on {seen!r} crops, this version cuts {DETECTOR_CROP!r}", "Train it again.")
        if hashlib.sha256(network).hexdigest() != record["network"]["sha256"]:
            raise CheckpointError(f"{NETWORK} is not the file that {RECORD} describes", "Take both from one export.")
        calibration = record["calibration"]
        stack = Stack(_two(calibration["stack"]["scale"]), _two(calibration["stack"]["offset"]))
        thresholds, video = (_thresholds(record[name]) for name in ("calibration", "video_calibration"))
        return ShippedDetector(OnnxScorer(network, threads), int(record["config"]["model"]["size"]), stack, thresholds, video, record)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{RECORD} lacks or garbles {error}", "Take another copy.") from error


def _two(values: Any) -> tuple[float, float]:
    first, second = values
    return float(first), float(second)
