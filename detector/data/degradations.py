"""What happens to pictures on their way: JPEG, resizing, blur, noise, colour, H.264. Drawn once, applied to both of a
pair.

In: a random generator and rates. Out: a `Pass`, a fixed recipe: the same pass on the same picture gives the same bytes,
and on the two pictures of a pair it does the same to both, its noise included.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.config import DegradeConfig
from detector.inference.quality_norm import sharpness
from sfumato.media.x264 import x264_options

Image = NDArray[np.uint8]
_DOWN = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)
_UP = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
_FLAT = 1e-3  # grey levels squared: a flat picture has a logarithm of its sharpness, too
_ENCODED_AGAIN = 0.8  # of what was made smaller: who scales a video must encode it, and only a picture may stay


@dataclass(frozen=True)
class Pass:
    """A recipe: (operation, its numbers), in order. Empty: the picture stays as it is."""

    steps: tuple[tuple[str, tuple[float, ...]], ...] = ()

    def __call__(self, image: Image) -> Image:
        """image: HWC uint8 RGB. Returns one of the same size, but after "shrink"."""
        for name, numbers in self.steps:
            image = _OPERATIONS[name](image, *numbers)
        return image


def draw_pass(rng: np.random.Generator, config: DegradeConfig) -> Pass:
    """Draws each operation with its rate, in the order in which an upload meets them."""
    steps: list[tuple[str, tuple[float, ...]]] = []
    if rng.random() < config.colour:
        steps.append(("colour", (float(rng.integers(2**31)), 0.6)))
    if rng.random() < config.tone:
        tint = rng.uniform(0.8, 1.2, 3)
        steps.append(
            ("tone", (float(np.exp(rng.uniform(-0.45, 0.45))), float(rng.uniform(0, 1.4)), *(float(t) for t in tint)))
        )
    if rng.random() < config.generator_side_share:
        steps.append(
            (
                "side",
                (config.generator_side * float(rng.uniform(0.9, 1.5)), float(rng.integers(3)), float(rng.integers(3))),
            )
        )
    elif rng.random() < config.resize:
        steps.append(("scale", (float(rng.uniform(0.4, 1.0)), float(rng.integers(3)), float(rng.integers(3)))))
    small = config.shrink > 0 and rng.random() < config.shrink
    if small:
        steps.append(("shrink", (float(rng.uniform(0.4, 0.9)), float(rng.integers(3)))))
    if rng.random() < config.blur:
        steps.append(("blur", (float(rng.uniform(0.3, 1.6)),)))
    if rng.random() < config.noise:
        steps.append(("noise", (float(rng.uniform(1, 8)), float(rng.integers(2**31)))))
    if rng.random() < config.jpeg:
        steps.append(("jpeg", (float(rng.integers(35, 98)),)))
    if rng.random() < (max(config.h264, _ENCODED_AGAIN) if small else config.h264):
        steps.append(("h264", (float(rng.integers(18, config.worst_crf + 1)), float(rng.integers(1, 4)))))
    return Pass(tuple(steps))


def draw_way(rng: np.random.Generator) -> Pass:
    """What becomes of a file on its way, wider and rougher than `draw_pass`, and without colours: the size may stay
    changed.
    """
    steps: list[tuple[str, tuple[float, ...]]] = []
    if rng.random() < 0.15:
        steps.append(("h264", (float(rng.integers(18, 36)), float(rng.integers(1, 4)))))  # it had a way before
    if rng.random() < 0.5:
        share, down, up = float(np.exp(rng.uniform(np.log(0.25), 0.0))), float(rng.integers(3)), float(rng.integers(3))
        steps.append(("scale", (share, down, up)) if rng.random() < 0.6 else ("shrink", (max(share, 0.4), down)))
    if rng.random() < 0.15:
        steps.append(("blur", (float(rng.uniform(0.3, 2.5)),)))
    if rng.random() < 0.15:
        steps.append(("noise", (float(rng.uniform(1, 12)), float(rng.integers(2**31)))))
    if rng.random() < 0.65:
        steps.append(("h264", (float(rng.integers(18, 43)), float(rng.integers(1, 4)))))
    elif rng.random() < 0.5:
        steps.append(("jpeg", (float(rng.integers(30, 96)),)))
    return Pass(tuple(steps))


def shift_colours(image: Image, rng: np.random.Generator, strength: float) -> Image:
    """RGB shift up to 20, hue, saturation, brightness and contrast, each drawn with p = 0.5 and scaled by
    `strength`.
    """
    values = image.astype(np.float32)
    if rng.random() < 0.5:
        values = values + rng.uniform(-20, 20, 3).astype(np.float32) * strength
    if rng.random() < 0.5:
        grey = values.mean(axis=2, keepdims=True)
        values = grey + (values - grey) * (1 + float(rng.uniform(-0.3, 0.3)) * strength)
    if rng.random() < 0.5:
        values = (
            (values - 127.5) * (1 + float(rng.uniform(-0.1, 0.1)) * strength)
            + 127.5
            + float(rng.uniform(-12, 12)) * strength
        )
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def jpeg(image: Image, quality: float) -> Image:
    """There and back through JPEG. quality: 1 to 100."""
    _, data = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[:, :, ::-1])


def round_trip(image: Image, width: int, height: int, down: int = 0, up: int = 0) -> Image:
    """Resized to width x height and back: what is sharper than that is gone."""
    size = (image.shape[1], image.shape[0])
    small = cv2.resize(image, (max(2, width), max(2, height)), interpolation=_DOWN[down])
    return np.asarray(cv2.resize(small, size, interpolation=_UP[up]), np.uint8)


def h264(frames: Sequence[Image], crf: int, preset: str = "veryfast") -> list[Image]:
    """There and back through H.264 4:2:0 (libx264), frames of one size as one short video. Odd sizes are padded for
    it.
    """
    import av

    height, width = frames[0].shape[:2]
    pad = ((0, height % 2), (0, width % 2), (0, 0))
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as container:
        stream: Any = container.add_stream(
            "libx264", rate=25, options=x264_options(crf=str(crf), preset=preset, threads="1")
        )
        stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
        for frame in frames:
            for packet in stream.encode(av.VideoFrame.from_ndarray(np.pad(frame, pad, mode="edge"), format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    buffer.seek(0)
    with av.open(buffer, "r") as coded:
        coded.streams.video[0].thread_count = 1
        return [
            np.asarray(decoded.to_ndarray(format="rgb24"), np.uint8)[:height, :width]
            for decoded in coded.decode(video=0)
        ]


def match_sharpness(image: Image, model: Image, inner: float = 1.0) -> Image:
    """Blurs `image` until the variance of its Laplacian is that of `model` (both HWC uint8, any size); never
    sharpens. inner: the share of both sides, around the middle, that is compared.
    """
    goal = _sharpness(
        np.asarray(cv2.resize(model, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR), np.uint8), inner
    )
    if _sharpness(image, inner) <= goal:
        return image
    low, high = 0.0, 4.0
    for _ in range(8):
        middle = (low + high) / 2
        low, high = (middle, high) if _sharpness(_blur(image, middle), inner) > goal else (low, middle)
    # the nearer of the two: the one below would always be a little softer than its model, which tells
    found = [_blur(image, sigma) for sigma in (low, high)]
    return min(found, key=lambda blurred: abs(math.log((_sharpness(blurred, inner) + _FLAT) / (goal + _FLAT))))


def _sharpness(image: Image, inner: float) -> float:
    top, left = (round(side * (1 - inner) / 2) for side in image.shape[:2])
    return sharpness(image[top : image.shape[0] - top, left : image.shape[1] - left])


def _blur(image: Image, sigma: float) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), max(sigma, 1e-3)), np.uint8)


def _colour(image: Image, seed: float, strength: float) -> Image:
    return shift_colours(image, np.random.default_rng(int(seed)), strength)


def _tone(image: Image, gamma: float, saturation: float, red: float, green: float, blue: float) -> Image:
    values = (image.astype(np.float32) / 255) ** gamma
    grey = values.mean(axis=2, keepdims=True)
    values = (grey + (values - grey) * saturation) * np.array([red, green, blue], np.float32)
    return np.asarray(np.clip(np.rint(values * 255), 0, 255), np.uint8)


def _side(image: Image, side: float, down: float, up: float) -> Image:
    scale = side / max(image.shape[:2])
    if scale >= 1:
        return image
    return round_trip(image, round(image.shape[1] * scale), round(image.shape[0] * scale), int(down), int(up))


def _scale(image: Image, scale: float, down: float, up: float) -> Image:
    return round_trip(image, round(image.shape[1] * scale), round(image.shape[0] * scale), int(down), int(up))


def _shrink(image: Image, share: float, down: float) -> Image:
    size = max(16, round(image.shape[1] * share)), max(16, round(image.shape[0] * share))
    return np.asarray(cv2.resize(image, size, interpolation=_DOWN[int(down)]), np.uint8)


def _noise(image: Image, sigma: float, seed: float) -> Image:
    grain = np.random.default_rng(int(seed)).normal(0, sigma, image.shape)
    return np.clip(np.rint(image + grain), 0, 255).astype(np.uint8)


def _h264(image: Image, crf: float, position: float) -> Image:
    """The picture as frame number `position` of a still camera's video that drifts by a pixel a frame."""
    count = int(position)
    frames = [np.roll(image, count - 1 - i, axis=1) for i in range(count)]
    return h264(frames, int(crf))[count - 1]


_OPERATIONS: dict[str, Any] = {
    "colour": _colour, "tone": _tone, "side": _side, "scale": _scale, "shrink": _shrink, "blur": _blur, "noise": _noise,
    "jpeg": jpeg,
    "h264": _h264,
}  # fmt: skip
