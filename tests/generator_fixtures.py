"""Small people and small networks for the generator's tests: drawn faces on the canonical landmarks, and episodes of
noise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from generator.config import LossConfig, ModelConfig, TrainConfig
from generator.data.dataset import Clip, Dataset, PersonFootage
from generator.motion.retarget import canonical_depth, canonical_face
from generator.motion.track import Motion
from generator.networks.checkpoint import Checkpoint
from generator.networks.discriminator import Critic
from generator.networks.embedder import Embedder
from generator.networks.episode import Episode, source_warps
from generator.networks.families import WarpGenerator, build_generator
from sfumato.media.faces import CROP_VERSION
from sfumato.media.images import read_image
from sfumato.media.landmarks.drawing import draw_sketch

SIZE = 32
PORTRAITS = Path(__file__).parents[1] / "sfumato" / "app" / "animation" / "portraits"
PLAIN, WARP = "zakharov2019", "zakharov2019-warp"
PIXELS = LossConfig(vgg19=0, vggface=0, pixel=8, adversarial=0.1, feature_matching=0.1, match=0.1)


def model(family: str = WARP, **changes: Any) -> ModelConfig:
    """The smallest network that has every part but attention."""
    values: dict[str, Any] = {
        "family": family, "size": SIZE, "width": 8, "max_width": 16, "same_blocks": 1, "bottleneck": 8,
        "encoder_attention": 0, "decoder_attention": 0, "spectral_norm": False,
    }  # fmt: skip
    return ModelConfig(**{**values, **changes})


def train_config(family: str = WARP, **changes: Any) -> TrainConfig:
    """A few steps of meta-training."""
    values: dict[str, Any] = {
        "model": model(family), "loss": PIXELS, "steps": 4, "batch": 2, "frames": 3, "learning_rate": 5e-4,
        "warm_up": 1,
        "critic_updates": 1, "log_every": 1, "save_every": 2, "validate_every": 2, "held_out": 2, "pictures": 0.3,
    }  # fmt: skip
    return TrainConfig(**{**values, **changes})


def pose(seed: int, size: int = SIZE) -> NDArray[np.float32]:
    """(68, 2) px: the canonical face, turned, moved and talking a little."""
    rng = np.random.default_rng(seed)
    points = canonical_face().astype(np.float64)
    points[:, 0] += 0.1 * rng.normal() * np.cos(points[:, 0])
    points[55:60, 1] += 0.03 * rng.random()
    points[65:68, 1] += 0.03 * rng.random()
    points += 0.05 * rng.normal(size=2)
    return (((points + 1) * size - 1) / 2).astype(np.float32)


def drawn_face(person: int, points: NDArray[np.float32], size: int = SIZE) -> NDArray[np.uint8]:
    """A picture of `person`: own skin and background, features where the landmarks are."""
    rng = np.random.default_rng(1000 + person)
    image = np.full((size, size, 3), rng.integers(40, 216, 3), np.uint8)
    outline = np.round(points[[*range(17), *range(26, 16, -1)]]).astype(np.int32)
    cv2.fillPoly(image, [outline], tuple(int(v) for v in rng.integers(80, 240, 3)))
    for part in (slice(36, 42), slice(42, 48), slice(48, 60)):
        cv2.fillPoly(image, [np.round(points[part]).astype(np.int32)], tuple(int(v) for v in rng.integers(0, 120, 3)))
    return image


def clip_of(person: int, frames: int = 8, size: int = SIZE, take: int = 0) -> Clip:
    """A prepared clip of `person` (a picture with `frames` 1), held in memory."""
    landmarks = np.stack([pose(100 * person + 1000 * take + i, size) for i in range(frames)])
    jpegs = tuple(cv2.imencode(".png", drawn_face(person, p, size)[:, :, ::-1])[1].tobytes() for p in landmarks)
    identity = np.random.default_rng(person).normal(size=128).astype(np.float32)
    digest = hashlib.sha256(f"{person} {take} {frames}".encode()).hexdigest()
    name = f"person{person}-{take}.{'jpg' if frames == 1 else 'mp4'}"
    return Clip(
        name,
        digest,
        frames == 1,
        size,
        jpegs,
        np.arange(frames) / 25,
        landmarks,
        identity / np.linalg.norm(identity),
        100.0,
    )


def people(count: int = 4, frames: int = 8, pictures: int = 0) -> tuple[PersonFootage, ...]:
    """`count` people with a clip each, then `pictures` people with a picture each."""
    clips = [clip_of(i, frames) for i in range(count)] + [clip_of(100 + i, 1) for i in range(pictures)]
    return tuple(PersonFootage(c.digest[:16], (c,)) for c in clips)


def dataset(count: int = 5, frames: int = 24, pictures: int = 1) -> Dataset:
    """Prepared footage held in memory."""
    return Dataset(people(count, frames, pictures), {"crop": CROP_VERSION, "landmarks": "mesh", "size": SIZE})


def episode(batch: int = 2, count: int = 3, size: int = SIZE, seed: int = 0) -> Episode:
    """Noise for pictures, real landmark sketches."""
    torch.manual_seed(seed)
    points = np.stack([pose(seed + i, size) for i in range(batch * (count + 1))])
    sketches = (
        torch.from_numpy(np.stack([draw_sketch(p, size) for p in points])).permute(0, 3, 1, 2).float() / 127.5 - 1
    )
    landmarks = (2 * torch.from_numpy(points) + 1) / size - 1
    own, goal = slice(0, batch * count), slice(batch * count, None)
    return Episode(
        (torch.rand(batch, count, 3, size, size) * 2 - 1), sketches[own].unflatten(0, (batch, count)),
        landmarks[own].unflatten(0, (batch, count)), torch.rand(batch, 3, size, size) * 2 - 1, sketches[goal],
        landmarks[goal],
        torch.arange(batch),
    )  # fmt: skip


def checkpoint(
    family: str = WARP, seed: int = 0, awake: bool = True, critic: bool = True, **changes: Any
) -> Checkpoint:
    """Networks as they start; `awake` gives the warp family's head weights, which start at 0."""
    torch.manual_seed(seed)
    config = model(family, **changes)
    networks = Embedder(config).eval(), build_generator(config).eval()
    if awake and family == WARP:
        mouth = networks[1].mouth
        for last in [networks[1].network.last, *([] if mouth is None else [mouth.network.last])]:
            for parameter in last.parameters():
                torch.nn.init.normal_(parameter, std=0.1)
    return Checkpoint(config, *networks, Critic(config, 3).eval() if critic else None)


def talking(points: NDArray[np.float32], by: float = 0.1) -> NDArray[np.float32]:
    """Landmarks (68, 2) with the lower lip lowered by a share of the face's height."""
    opened = points.copy()
    lower = [*range(55, 60), *range(65, 68)]
    opened[lower, 1] += by * np.linalg.norm(points[8] - points[27])
    return opened


def motion(frames: Sequence[NDArray[np.float32]], neutral: int = 0) -> Motion:
    """Landmarks (68, 2) in [-1, 1] of each frame as a motion at 25 frames a second."""
    return Motion(np.stack(frames).astype(np.float32), np.arange(len(frames)) / 25, neutral, "mesh", "test")


def solid_face() -> NDArray[np.float64]:
    """(68, 3): the canonical face in space."""
    return np.column_stack([canonical_face(), canonical_depth()]).astype(np.float64)


def head_turned(yaw: float, pitch: float = 0.0, roll: float = 0.0) -> NDArray[np.float64]:
    """The rotation (3, 3) of a head by these degrees: `points @ it.T` nods, turns, and is tilted then. With positive
    yaw the nose goes left in the picture, with positive pitch up.
    """
    (a, b, c), (d, e, f) = (function(np.radians([yaw, pitch, roll])) for function in (np.cos, np.sin))
    turn = np.array([[a, 0, d], [0, 1, 0], [-d, 0, a]])
    nod = np.array([[1, 0, 0], [0, b, -e], [0, e, b]])
    tilt = np.array([[c, -f, 0], [f, c, 0], [0, 0, 1]])
    return np.asarray(tilt @ turn @ nod, np.float64)


def solid_motion(frames: Sequence[NDArray[np.floating]], neutral: int = 0) -> Motion:
    """As `motion`, of landmarks with depth, (68, 3) each."""
    points = np.stack(frames).astype(np.float32)
    flat = motion(list(points[..., :2]), neutral)
    return replace(flat, depth=points[..., 2] - points[..., 2].mean(axis=1, keepdims=True))


def astronaut() -> NDArray[np.uint8]:
    """(512, 512, 3): a NASA portrait in the public domain that scikit-image (a dependency of face-alignment)
    carries.
    """
    import skimage.data

    return np.asarray(skimage.data.astronaut(), np.uint8)


def close_up() -> NDArray[np.uint8]:
    """(256, 256, 3): the astronaut's head, as large as in the whole picture, for a quarter of its work."""
    return np.ascontiguousarray(astronaut()[:256, 96:352])


def portrait(name: str = "mona-lisa", side: int = 640) -> NDArray[np.uint8]:
    """A shipped painting, downsized."""
    path = PORTRAITS / f"{name}.jpg"
    with Image.open(path) as picture:
        share = min(picture.size) / max(picture.size)
    return read_image(path, max_pixels=round(side * side * share))


def drawn_eyes(
    opening: float = 0.3, gaze: tuple[float, float] = (0.0, 0.0), size: int = 256
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """(size, size, 3): skin with brows and two eyes, `opening` of their widths open, dark irises `gaze` widths from
    their middles; and its landmarks (68, 2) px.
    """
    points = ((canonical_face() + 1) * size - 1) / 2
    large = points * 4 + 1.5
    image = np.full((4 * size, 4 * size, 3), (205, 165, 140), np.uint8)
    for left, right in (large[[36, 39]], large[[42, 45]]):
        middle, width, along = (left + right) / 2, float(right[0] - left[0]), np.linspace(-0.5, 0.5, 41)
        arc = opening * (1 - 4 * along**2)
        upper, lower = (
            np.round(middle + width * np.stack([along, share * arc], axis=-1)).astype(np.int32) for share in (-0.6, 0.4)
        )
        mask = cv2.fillPoly(np.zeros(image.shape[:2], np.uint8), [np.concatenate([upper, lower[::-1]])], 255)
        eye = np.full_like(image, (235, 230, 225))
        centre = (round(middle[0] + gaze[0] * width), round(middle[1] + gaze[1] * width))
        cv2.circle(eye, centre, round(0.21 * width), (70, 45, 30), -1)
        cv2.circle(eye, centre, round(0.09 * width), (15, 10, 10), -1)
        image[mask > 0] = eye[mask > 0]
        cv2.polylines(image, [upper], False, (60, 40, 35), 6 * size // 256)
    for brow in (large[17:22], large[22:27]):
        cv2.polylines(image, [np.round(brow).astype(np.int32)], False, (70, 50, 40), 14 * size // 256)
    shown = cv2.resize(cv2.GaussianBlur(image, (9, 9), 0), (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(shown, np.uint8), points.astype(np.float32)


def moving(image: NDArray[np.uint8], frames: int, reach: int = 6) -> list[NDArray[np.uint8]]:
    """`image` as a video: shifted a little further in each frame, mirrored at the border."""
    shifts = (index * reach // frames for index in range(frames))
    return [
        np.asarray(cv2.copyMakeBorder(image, 0, 0, s, 0, cv2.BORDER_REFLECT_101)[:, : image.shape[1]], np.uint8)
        for s in shifts
    ]


def same_picture(networks: Checkpoint, e: Episode, psi: Tensor) -> Tensor:
    """What the checkpoint's own G makes of an episode, spelled out by family."""
    generator = networks.generator.eval()
    with torch.no_grad():
        if isinstance(generator, WarpGenerator):
            image: Tensor = generator(e.target_sketch, psi, *source_warps(e, generator.warps), e.target_landmarks).image
            return image
        plain: Tensor = generator(e.target_sketch, psi)
        return plain
