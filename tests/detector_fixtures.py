"""Synthetic people for the detector's tests: drawn faces with known landmarks, and rows of clips.jsonl about them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.config import HEADS, MOTION, DegradeConfig, DetectorConfig, ModelConfig, SampleConfig, TrainConfig
from detector.inference.explain import Explanation, explain
from detector.inference.fusion import Stack
from detector.motion.features import FEATURES
from detector.motion.head import MotionHead
from sfumato.media.clips import ClipRow
from sfumato.media.faces import Box

if TYPE_CHECKING:
    from detector.models.net import DetectorNet

TINY = DetectorConfig(
    model=ModelConfig(backbone="test_resnet", size=48, dropout=0.0, pretrained="none"),
    samples=SampleConfig(frames_per_clip=2, stored_side=96),
    degrade=DegradeConfig(h264=0.0, noise=0.0, jpeg=0.0, blur=0.0, resize=0.0, generator_side_share=0.0),
    train=TrainConfig(
        frozen=0,
        minutes=5.0,
        steps=40,
        pairs=6,
        head_share=0.1,
        rate=3e-3,
        ema=0.8,
        validations=1,
        validation_pairs=24,
        device="cpu",
    ),
)


def landmarks(side: int) -> NDArray[np.float32]:
    """68 points of a plain frontal face in a square picture, 300-W order."""
    angles = np.linspace(np.pi, 0, 17)
    jaw = np.stack([0.5 + 0.26 * np.cos(angles), 0.48 + 0.32 * np.sin(angles)], 1)
    brows = np.stack([np.r_[np.linspace(0.32, 0.46, 5), np.linspace(0.54, 0.68, 5)], np.full(10, 0.38)], 1)
    bridge = np.stack([np.full(4, 0.5), np.linspace(0.42, 0.54, 4)], 1)
    base = np.stack([np.linspace(0.45, 0.55, 5), np.full(5, 0.58)], 1)
    circle = np.linspace(np.pi, -np.pi, 7)[:-1]
    eyes = [np.stack([x + 0.05 * np.cos(circle), 0.44 - 0.02 * np.sin(circle)], 1) for x in (0.39, 0.61)]
    lips = [
        np.stack([0.5 + a * np.cos(t), 0.68 - b * np.sin(t)], 1)
        for a, b, t in (
            (0.1, 0.05, np.linspace(np.pi, -np.pi, 13)[:-1]),
            (0.07, 0.02, np.linspace(np.pi, -np.pi, 9)[:-1]),
        )
    ]
    return (np.concatenate([jaw, brows, bridge, base, *eyes, *lips]) * side).astype(np.float32)


def face_picture(seed: int, side: int = 96) -> NDArray[np.uint8]:
    """A coloured oval with eyes and mouth before a smooth background."""
    rng = np.random.default_rng(seed)
    points = landmarks(side)
    image = cv2.resize(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8), (side, side), interpolation=cv2.INTER_CUBIC)
    cv2.fillConvexPoly(image, cv2.convexHull(np.rint(points).astype(np.int32)), rng.integers(90, 220, 3).tolist())
    for region in (points[36:42], points[42:48], points[48:60]):
        cv2.fillConvexPoly(image, np.rint(region).astype(np.int32), rng.integers(0, 90, 3).tolist())
    return np.asarray(image, np.uint8)


def clip_row(
    name: str, label: str = "real", split: str = "train", pair_of: str | None = None, identity: str | None = None
) -> ClipRow:
    return ClipRow(
        path=name, label=label, method="camera" if label == "real" else "toy",
        family="real" if label == "real" else "reenact",
        identity=identity or name, sha256=hashlib.sha256(name.encode()).hexdigest(), pair_of=pair_of, split=split,
    )  # type: ignore[arg-type]  # fmt: skip


def checkered(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A forgery that anybody can see: a two-pixel checkerboard over everything."""
    yy, xx = np.mgrid[: image.shape[0], : image.shape[1]]
    board = (((yy // 4) + (xx // 4)) % 2 * 2 - 1)[:, :, None] * 24
    return np.clip(image.astype(int) + board, 0, 255).astype(np.uint8)


def drawn_people(folder: Path) -> list[ClipRow]:
    """Twelve people a split, each with a real clip and, of a collection, a checkered fake of it; their crops lie in
    `folder`/crops.
    """
    from detector.data.cache import CropCache, StoredCrop

    cache = CropCache(folder / "clips.jsonl", folder / "crops", TINY.samples)
    rows = []
    for number, split in enumerate(("train", "validation", "calibration", "test")):
        for i in range(12):
            seed = 100 * number + i
            real = clip_row(f"real-{seed}.mp4", split=split, identity=f"person {seed}")
            fake = clip_row(f"fake-{seed}.mp4", "fake", split, pair_of=real.path, identity=f"person {seed}")
            fake = replace(fake, dataset="drawn")
            pictures = [face_picture(1000 * seed + k) for k in range(2)]
            for row, images in ((real, pictures), (fake, [checkered(p) for p in pictures])):
                cache._write(
                    cache.folder / f"{cache._key(row)}.npz",
                    [StoredCrop(p, landmarks(96), float(k)) for k, p in enumerate(images)],
                )
            rows += [real, fake]
    return rows


def toy_explanation(value: float = 30.0, frames: int = 2) -> Explanation:
    """Frames of drawn faces with blending evidence at their top right, `value` there, and nowhere else."""
    maps = np.zeros((frames, 2, 4, 4))
    maps[:, 0, 0, 3] = value
    crops = [face_picture(i, 64) for i in range(frames)]
    times = [0.5 * i for i in range(frames)]
    return explain(Stack(), times, crops, np.tile([3.0, -1.0], (frames, 1)), maps, [landmarks(64)] * frames)


class FaceAtRest:
    """A landmark backend that sees a drawn face, whatever is shown, until it is shown a black picture. It follows."""

    name = "at rest"

    def detect(self, image: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
        return self.start(image, box)

    def follower(self) -> FaceAtRest:
        return FaceAtRest()

    def start(self, image: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
        self._points = landmarks(round(max(box[2:]))) + np.array(box[:2], np.float32)
        return self._points

    def step(self, image: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        return self._points if image.any() else None


def motion_head(bias: float, **weights: float) -> MotionHead:
    """What says `bias` of every motion, but for measures with weights; names of those with _ for a space."""
    parts = {"lowest": -100.0, "highest": 100.0, "mean": 0.0, "deviation": 1.0}
    weight = tuple(weights.get(name.replace(" ", "_"), 0.0) for name in FEATURES)
    return MotionHead(**{name: (value,) * len(FEATURES) for name, value in parts.items()}, weight=weight, bias=bias)


def write_shipped(
    folder: Path, network: bytes, thresholds: dict[str, float] | None = None, motion: MotionHead | None = None
) -> Path:
    """A tiny random detector as it ships, `detector.onnx` (the fixture `tiny_network`) and `detector.json`, in
    `folder`; with `motion`, which counts as it is.
    """
    import json

    from detector.inference.bundle import RECORD_FORMAT
    from detector.inference.crops import DETECTOR_CROP
    from sfumato.config import to_dict

    heads = [*HEADS, *([] if motion is None else [MOTION])]
    calibration = {
        "stack": {"heads": heads, "scale": [1.0] * len(heads), "offset": [0.0] * len(heads)},
        "thresholds": thresholds or {"0.1": 1.0, "0.01": 2.0},
        "n_real": 99,
        "id": "toy",
    }
    record = {
        "format": RECORD_FORMAT, "name": "toy", "version": "0", "crop": DETECTOR_CROP, "config": to_dict(TINY),
        "calibration": calibration, "video_calibration": calibration,
        "network": {"sha256": hashlib.sha256(network).hexdigest()},
        "motion": None if motion is None else motion.as_json(),
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "detector.onnx").write_bytes(network)
    (folder / "detector.json").write_text(json.dumps(record))
    return folder


def bottleneck_network(size: int = 48, mirrored: bool = True) -> bytes:
    """A tiny detector of random weights with a MobileNet's linear bottlenecks, as ONNX without torch: "one", "two" and
    "three" leave its stages, 6, 8 and 10 channels at a half, a quarter and an eighth of the side.
    """
    from onnx import TensorProto, checker, helper, numpy_helper

    rng = np.random.default_rng(0)
    nodes, weights = [], []

    def constant(name: str, value: NDArray[np.generic]) -> str:
        weights.append(numpy_helper.from_array(value, name))
        return name

    def turned(name: str, out: str) -> None:
        ends = [constant(f"{out}.{i}", np.array([v])) for i, v in enumerate((-1, np.iinfo(np.int64).min, 3, -1))]
        nodes.append(helper.make_node("Slice", [name, *ends], [out]))

    def layer(name: str, out: str, width: int, to: int, stride: int = 0, bent: bool = False) -> None:
        """A convolution of 3 x 3 that takes `stride`, of 1 x 1 without; bent: with a ReLU behind."""
        side = 3 if stride else 1
        values = rng.normal(size=(to, width, side, side), scale=(2 / (width * side * side)) ** 0.5)
        given = [name, constant(f"{out}.weight", values.astype(np.float32))]
        raw = f"{out}.raw" if bent else out
        nodes.append(helper.make_node("Conv", given, [raw], strides=[max(stride, 1)] * 2, pads=[side // 2] * 4))
        if bent:
            nodes.append(helper.make_node("Relu", [raw], [out]))

    if mirrored:
        turned("face", "turned")
        nodes.append(helper.make_node("Concat", ["face", "turned"], ["seen"], axis=0))
    layer("seen" if mirrored else "face", "stem", 3, 8, 2, bent=True)
    layer("stem", "one", 8, 6)
    layer("one", "wide two", 6, 12, 2, bent=True)
    layer("wide two", "narrow two", 12, 8)
    layer("narrow two", "wider two", 8, 16, bent=True)
    layer("wider two", "branch", 16, 8)
    nodes.append(helper.make_node("Add", ["narrow two", "branch"], ["two"]))
    layer("two", "wide three", 8, 16, 2, bent=True)
    layer("wide three", "three", 16, 10)
    layer("three", "places", 10, 32, bent=True)
    layer("places", "raw maps" if mirrored else "maps", 32, 2)
    if mirrored:
        nodes.append(helper.make_node("Split", ["raw maps"], ["straight", "mirrored"], axis=0, num_outputs=2))
        turned("mirrored", "turned maps")
        nodes.append(helper.make_node("Add", ["straight", "turned maps"], ["both"]))
        nodes.append(helper.make_node("Mul", ["both", constant("half", np.array(0.5, np.float32))], ["maps"]))
    nodes.append(helper.make_node("ReduceMean", ["maps", constant("axes", np.array([2, 3]))], ["mean"], keepdims=0))
    nodes.append(helper.make_node("Add", ["mean", constant("bias", np.array([0.5, -0.5], np.float32))], ["evidence"]))
    face = helper.make_tensor_value_info("face", TensorProto.FLOAT, ["batch", 3, size, size])
    outputs = [helper.make_tensor_value_info("evidence", TensorProto.FLOAT, ["batch", 2])]
    outputs += [helper.make_tensor_value_info("maps", TensorProto.FLOAT, ["batch", 2, None, None])]
    graph = helper.make_graph(nodes, "net", [face], outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    checker.check_model(model)
    return bytes(model.SerializeToString())


def tiny_net() -> DetectorNet:
    """An untrained network with outputs that differ, the same every time."""
    import torch

    from detector.models.net import DetectorNet

    torch.manual_seed(0)
    net = DetectorNet(TINY.model).eval()
    torch.nn.init.normal_(net.heads.weight, std=0.5)
    return net
