"""A tiny generator, a tiny motion and small pictures with faces, for tests of what joins generator, seal and judge."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from sfumato.app.animation.gallery import shipped_portraits
from sfumato.media.images import read_image, write_image


def make_checkpoint(path: Path, landmarks: str = "mesh") -> Path:
    """A random warp-family generator at 64 px; untrained, it gives the warped portrait."""
    import torch

    from generator.config import ModelConfig
    from generator.networks.checkpoint import Checkpoint, save_checkpoint
    from generator.networks.embedder import Embedder
    from generator.networks.families import build_generator

    torch.manual_seed(0)
    config = ModelConfig(
        family="zakharov2019-warp",
        size=64,
        width=8,
        max_width=32,
        same_blocks=1,
        encoder_attention=0,
        decoder_attention=0,
        spectral_norm=False,
    )
    save_checkpoint(path, Checkpoint(config, Embedder(config), build_generator(config), landmarks=landmarks), half=True)
    return path


def make_motion(path: Path, frames: int = 6, backend: str = "mesh", rate: float = 10.0) -> Path:
    """The canonical face opens its mouth and nods a little."""
    from generator.motion.retarget import canonical_face
    from generator.motion.track import Motion, write_motion

    track = np.repeat(canonical_face()[None], frames, axis=0)
    phase = np.linspace(0, 1, frames, dtype=np.float32)
    track[:, 55:60, 1] += 0.06 * phase[:, None]  # lower lip
    track[:, :, 1] += 0.03 * phase[:, None]
    write_motion(path, Motion(track, np.arange(frames) / rate, 0, backend, path.stem))
    return path


def portrait_picture(height: int = 320) -> NDArray[np.uint8]:
    """The Mona Lisa, `height` px high."""
    image = read_image(shipped_portraits()["mona-lisa"].path)
    return np.asarray(
        cv2.resize(image, (round(image.shape[1] * height / image.shape[0]), height), interpolation=cv2.INTER_AREA),
        np.uint8,
    )


def write_portrait(path: Path, height: int = 320) -> Path:
    """A picture of a face that is not one of the shipped files."""
    write_image(path, portrait_picture(height))
    return path
