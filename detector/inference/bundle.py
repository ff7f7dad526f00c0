"""The detector as it ships: one folder, `detector.json` and the network that it names. Loaded without torch.

In: that folder. Out: a `ShippedDetector` that scores crops and knows its stack, its thresholds and where they come
from. The network is `detector.onnx`, or `detector.xml` with `detector.bin` (OpenVINO). The json names its digest: a
pair that does not belong together is refused.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from detector.config import MOTION, SCAN_FRAMES
from detector.inference.backend_names import DEFAULT
from detector.inference.backends import Scorer, load_scorer
from detector.inference.crops import DETECTOR_CROP
from detector.inference.fusion import Stack
from detector.inference.network_bounds import hold_network
from detector.inference.thresholds import Thresholds
from detector.motion.head import MotionHead
from sfumato.errors import CheckpointError, MissingPartError
from sfumato.limits import NETWORK as LARGEST_NETWORK
from sfumato.limits import RECORD as LARGEST_RECORD
from sfumato.regular_file import read_regular, read_regular_text

FORMAT = "sfumato-detector-1"  # of a run's files
RECORD_FORMAT = "sfumato-detector-2"  # of detector.json, whose thresholds are for normed logits since 2
NETWORK, RECORD = "detector.onnx", "detector.json"
OPENVINO, OPENVINO_WEIGHTS = "detector.xml", "detector.bin"
SMALLEST_CROP, LARGEST_CROP = 16, 1024  # px


@dataclass(frozen=True)
class ShippedDetector:
    """size: px, the side of a judged crop; thresholds: for pictures; video_thresholds: for videos, whose frames have a
    codec behind them; record: detector.json whole; motion: what judges how a face moves, None without.
    """

    scorer: Scorer
    size: int
    stack: Stack
    thresholds: Thresholds
    video_thresholds: Thresholds
    record: dict[str, Any]
    motion: MotionHead | None = None

    @property
    def digest(self) -> str:
        """Of the network alone."""
        return str(self.record["network"]["sha256"])

    def frames(self, asked: int | None = None) -> int:
        """How many frames of a video to look at: as many as are asked for. None: as many as its thresholds were set
        with, and SCAN_FRAMES where the record does not say.
        """
        return next(count for count in (asked, self.video_thresholds.frames, SCAN_FRAMES) if count is not None)

    @property
    def judging(self) -> str:
        """Names all that a judgement follows from, network, stack and thresholds: a detector that was calibrated anew
        has another.
        """
        kinds = (self.thresholds, self.video_thresholds)
        parts = (
            self.digest,
            self.stack,
            *filter(None, [self.motion]),
            *(sorted(each.logits.items()) for each in kinds),
        )
        return f"{self.digest} {hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}"


def shipped_folder() -> Path:
    """Where the detector lies that comes with the package."""
    return Path(str(files("detector") / "weights"))


def load_shipped(folder: Path | None = None, threads: int = 1, backend: str | None = None) -> ShippedDetector:
    """Reads `folder`; without one, the detector that comes with the package. `backend`: see
    detector/inference/backend_names.py; None: the one that the folder was exported for.

    Raises UsageError for an unknown backend, MissingPartError, CheckpointError.
    """
    ours = shipped_folder()
    network, weights, record = read_parts(ours if folder is None else folder)
    if folder is not None and folder.resolve() != ours.resolve():
        _require_described(network, weights, record)
        hold_network(network, weights, crop_side(record))
    return from_parts(network, record, threads, backend, weights)


def read_parts(place: Path) -> tuple[bytes, bytes, Any]:
    """The network, its weights (empty for ONNX, which holds its own), and the record. Raises MissingPartError,
    CheckpointError.
    """
    if not (place / RECORD).is_file():
        raise _missing(place)
    try:
        record = json.loads(read_regular_text(place / RECORD, LARGEST_RECORD))
        parts = network_files(record)
        if not all((place / name).is_file() for name in parts):
            raise _missing(place)
        network, *weights = (read_regular(place / name, LARGEST_NETWORK) for name in parts)
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"The detector in {place} is damaged: {error}", "Take another copy.") from error
    return network, b"".join(weights), record


def network_files(record: Any) -> tuple[str, ...]:
    """The names of the files that hold the network which `record` describes; never a name from outside."""
    named = (record.get("network") or {}).get("file", NETWORK) if isinstance(record, dict) else NETWORK
    return (OPENVINO, OPENVINO_WEIGHTS) if named == OPENVINO else (NETWORK,)


def crop_side(record: Any) -> int:
    """px, the side of the crops that the record's network was made for. Raises CheckpointError for no usable one."""
    try:
        size = int(record["config"]["model"]["size"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise CheckpointError(f"{RECORD} does not say how large its crops are", "Take another copy.") from error
    if not SMALLEST_CROP <= size <= LARGEST_CROP:
        raise CheckpointError(
            f"{RECORD} asks for crops of {size} px", f"They have {SMALLEST_CROP} to {LARGEST_CROP} px a side."
        )
    return size


def _require_described(network: bytes, weights: bytes, record: Any) -> None:
    """Raises CheckpointError unless the record was made for this network."""
    described = record.get("network") if isinstance(record, dict) else None
    known = described.get("sha256") if isinstance(described, dict) else None
    if hashlib.sha256(network + weights).hexdigest() != known:
        raise CheckpointError(f"The network is not the file that {RECORD} describes", "Take both from one export.")


def _missing(place: Path) -> MissingPartError:
    near = (place / "weights" / RECORD).is_file()
    advice = f"Did you mean {place / 'weights'}?" if near else "Train one: sfumato train detector CLIPS.jsonl -o RUN."
    return MissingPartError(f"There is no detector in {place}", advice)


def from_parts(
    network: bytes, record: Any, threads: int = 1, backend: str | None = None, weights: bytes = b""
) -> ShippedDetector:
    """The detector from the bytes of its network and its record. Raises CheckpointError if they do not fit, and as
    `load_shipped`.
    """
    if not isinstance(record, dict) or record.get("format") != RECORD_FORMAT:
        found = record.get("format") if isinstance(record, dict) else type(record).__name__
        raise CheckpointError(f"Unknown detector format {found!r}", f"This version reads {RECORD_FORMAT}.")
    try:
        if record["crop"] != DETECTOR_CROP:
            seen = record["crop"]
            raise CheckpointError(
                f"The detector was trained on {seen!r} crops, this version cuts {DETECTOR_CROP!r}", "Train it again."
            )
        _require_described(network, weights, record)
        stack = Stack.from_json(record["calibration"]["stack"])
        motion = MotionHead.from_json(record["motion"]) if record.get("motion") else None
        thresholds, video = (Thresholds.from_json(record[name]) for name in ("calibration", "video_calibration"))
        scorer = load_scorer(backend or str(record["network"].get("backend", DEFAULT)), network, threads, weights)
        size = crop_side(record)
        if (MOTION in stack.heads) != (motion is not None) or MOTION in stack.heads[:-1]:
            raise ValueError("motion, of which stack and record say different things")
        scorer.require_crops(size, len(stack.heads) - (motion is not None))
        return ShippedDetector(scorer, size, stack, thresholds, video, record, motion)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise CheckpointError(f"{RECORD} lacks or garbles {error}", "Take another copy.") from error
