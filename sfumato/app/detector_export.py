"""A trained or shipped detector as a folder for one backend, after it passed the gate
(detector/training/export_parity.py).

In: the folder of a training run, or of an exported detector. Out: a folder that `sfumato scan --model` reads:
detector.json, and detector.onnx or detector.xml with detector.bin. Calibration and test stay the source's: they hold
for the export as far as the gate says. The pictures of the gate are the shipped paintings; the generated frames are
made of them, here, and never leave memory.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfumato.errors import MissingPartError, UsageError, install_extra
from sfumato.execution.openvino_runtime import openvino_runtime

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from detector.training.export_parity import Gate, GateSet, Score

CHECKPOINT, SIDE = "portrait-256", 256  # what makes the generated frames of the gate, and their size in px
BLENDS, FRAMES = 16, 16  # of each painting: self-blends, and generated frames (of the three motions in turn)


def export_detector(source: Path | None, out: Path, backend: str = "onnxruntime") -> Gate:
    """source: a run with detector.safetensors and weights/detector.json, a detector's folder, or None for the one that
    ships.

    Raises UsageError for an unknown backend, MissingPartError for what is not there, CheckpointError for an export that
    is not the detector it was made from (nothing is written then), OutputError.
    """
    from detector.inference.bundle import (
        NETWORK,
        OPENVINO,
        OPENVINO_WEIGHTS,
        RECORD,
        from_parts,
        read_parts,
        shipped_folder,
    )
    from detector.training import export_parity as gate
    from sfumato.atomic import write_bytes, write_text

    folder = source or shipped_folder()
    as_ir = backend_is_openvino(backend)
    if (folder / "detector.safetensors").is_file():
        if not (folder / "weights" / RECORD).is_file():
            raise MissingPartError(
                f"{folder} has no calibration", "Go on with it: sfumato train detector CLIPS -o RUN --resume."
            )
        calibrated, apart, record = read_parts(folder / "weights")
        trained, network = _trained(folder, None if apart else calibrated)
    else:
        network, weights, record = read_parts(folder)
        if weights:
            raise UsageError(
                f"{folder} holds a network of OpenVINO", "Export from the training run, or from the detector as ONNX."
            )
        trained = from_parts(network, record, backend="onnxruntime").scorer
    parts = {NETWORK: network}
    if as_ir:
        parts = dict(zip((OPENVINO, OPENVINO_WEIGHTS), as_openvino(network), strict=True))
    name, *_ = parts
    written = b"".join(parts.values())
    known: dict[str, Any] = {
        "file": name,
        "sha256": hashlib.sha256(written).hexdigest(),
        "bytes": len(written),
        "backend": backend,
    }
    record = record | {"network": known}
    exported = from_parts(parts[name], record, backend=backend, weights=parts.get(OPENVINO_WEIGHTS, b""))
    found = gate.compare(trained, exported.scorer, exported.stack, gate_crops(exported.size))
    gate.require(found, exported.scorer.tolerance)
    record["network"] = known | {"maps": exported.scorer.has_maps, "gate": found.as_json()}
    out.mkdir(parents=True, exist_ok=True)
    for file, data in reversed(parts.items()):
        write_bytes(out / file, data)
    write_text(out / RECORD, json.dumps(record, indent=1) + "\n")
    return found


def backend_is_openvino(name: str) -> bool:
    """Whether the backend reads OpenVINO's own files. Raises UsageError for an unknown one."""
    from detector.inference.backend_names import REGISTRY

    return bool(REGISTRY.load(name).package == "openvino")


def as_openvino(network: bytes) -> tuple[bytes, bytes]:
    """ONNX as OpenVINO's XML and its weights, these in 16 bits. Raises MissingPartError without OpenVINO."""
    try:
        openvino = openvino_runtime()
    except ModuleNotFoundError as error:
        raise MissingPartError(
            "OpenVINO is not installed", f"{install_extra('fast')} Or use --backend onnxruntime."
        ) from error
    with tempfile.TemporaryDirectory(prefix="sfumato-export-") as name:
        draft = Path(name) / "detector.xml"
        openvino.save_model(openvino.Core().read_model(network), draft, compress_to_fp16=True)
        return draft.read_bytes(), draft.with_suffix(".bin").read_bytes()


def gate_crops(size: int) -> GateSet:
    """The pictures of the gate at the detector's `size`: always the same for the same version."""
    from detector.training.export_parity import gate_set

    faces, generated = (
        list[tuple["NDArray[np.uint8]", "NDArray[np.float32]"]](),
        list[tuple["NDArray[np.uint8]", "NDArray[np.uint8]"]](),
    )
    for image, points, frames in _living_portraits():
        faces.append((image, points))
        generated += [(image, frame) for frame in frames]
    return gate_set(faces, generated, size, BLENDS)


def _trained(run: Path, calibrated: bytes | None) -> tuple[Score, bytes]:
    """The net in torch, and its network as ONNX, both with the further heads of `calibrated`, the run's own export."""
    import numpy as np

    from detector.inference.backends import OnnxScorer
    from detector.models.checkpoint import load_detector
    from detector.training.evidence import evidence_of
    from detector.training.export import export_onnx
    from detector.training.layers import heads_of, with_heads

    net, _, _ = load_detector(run / "detector.safetensors")
    further = None if calibrated is None else heads_of(calibrated)
    if calibrated is None or further is None:
        return lambda images: evidence_of(net, images), export_onnx(net)
    known = OnnxScorer(calibrated)

    def said(images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float64]:
        own = evidence_of(net, images)
        return np.concatenate([own, known(images)[:, own.shape[1] :]], axis=1)

    return said, with_heads(export_onnx(net), *further)


def _living_portraits() -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32], list[NDArray[np.uint8]]]]:
    """Each shipped painting: its crop (SIDE, SIDE, 3), the landmarks (68, 2) px in it, and frames of it that follow the
    shipped motions.
    """
    import numpy as np

    from generator.motion.retarget import Retargeter
    from generator.motion.track import motion_path, read_motion, shipped_motions
    from generator.networks.checkpoint import checkpoint_path, load_checkpoint
    from generator.person.portrait import read_portrait
    from generator.rendering.animator import Animator
    from sfumato.app.animation.gallery import shipped_portraits
    from sfumato.media.faces import FaceDetector
    from sfumato.media.images import read_image
    from sfumato.media.landmarks import load_backend

    checkpoint = load_checkpoint(checkpoint_path(CHECKPOINT))
    animator, detector, landmarks = (
        Animator(checkpoint, backend="onnxruntime"),
        FaceDetector(),
        load_backend(checkpoint.landmarks),
    )
    motions = [read_motion(motion_path(name)) for name in shipped_motions()]
    for painting in shipped_portraits().values():
        portrait = read_portrait(read_image(painting.path), detector, landmarks, SIDE, painting.name)
        animator.set_identity([portrait])
        tracks = [Retargeter(portrait.landmarks, motion, depth=portrait.depth) for motion in motions]
        places = [(number, tracks[number % len(tracks)]) for number in range(FRAMES)]
        frames = [
            animator.render(track.frame((number + 1) * (len(track.motion) - 1) // FRAMES), SIDE)
            for number, track in places
        ]
        yield portrait.large, (((portrait.landmarks + 1) * SIDE - 1) / 2).astype(np.float32), frames
