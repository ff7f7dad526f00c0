"""Episodes: K frames of one person to learn from, and one frame that is NOT among them to reproduce (section 3.2).

Three kinds. A clip's episode takes K frames and a target of the same clip. A picture's episode (a pseudo-clip) bends a
single picture to K random poses by the same spline that the warp uses, and asks for the picture itself: the only way in
which people of whom there is one photograph can teach. An album's episode takes several photographs of one person.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generator.config import TrainConfig
from generator.data.dataset import Clip, PersonFootage
from generator.data.pose_augmentation import random_pose
from generator.networks.episode import Episode
from generator.networks.warp import lips_apart, normalise, sample, warp_grid
from sfumato.errors import UsageError
from sfumato.media.landmarks.drawing import draw_sketch
from sfumato.media.landmarks.points import MIRROR


def to_tensors(images: list[NDArray[np.uint8]], points: list[NDArray[np.float32]]) -> tuple[Tensor, Tensor, Tensor]:
    """Frames (size, size, 3) uint8 RGB and their landmarks (68, 2) px: pictures, sketches (N, 3, H, W), landmarks (N,
    68, 2) in [-1, 1].
    """
    size = images[0].shape[0]
    faces = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 127.5 - 1
    sketches = (
        torch.from_numpy(np.stack([draw_sketch(p, size) for p in points])).permute(0, 3, 1, 2).float() / 127.5 - 1
    )
    return faces, sketches, normalise(torch.from_numpy(np.stack(points).astype(np.float32)), size)


class EpisodeSampler:
    """Draws the batches of each step, the same ones for the same seed. Never mixes the K frames of two people."""

    def __init__(self, people: tuple[PersonFootage, ...], config: TrainConfig) -> None:
        """Raises UsageError when `people` have neither a clip of three frames nor a picture."""
        self.config, self.size = config, config.model.size
        self.rng = np.random.default_rng(config.seed)  # of the episode that is being drawn, see `batch`
        self.clips = [[c for c in p.videos if len(c) > 2] for p in people]
        self.clips = [clips for clips in self.clips if clips]
        self.pictures = [c for p in people for c in p.clips if c.picture]
        self.albums = [album for p in people if len(album := [c for c in p.clips if c.picture]) > 1]
        self.rows = {clip.digest: row for row, clip in enumerate(c for clips in self.clips for c in clips)}
        for picture in self.pictures:
            self.rows.setdefault(picture.digest, len(self.rows))
        if not self.rows:
            raise UsageError(
                "There is nobody to learn from", "Prepare more footage, or hold fewer people out (held_out)."
            )

    @property
    def videos(self) -> int:
        """Rows of W: every clip and picture has one."""
        return len(self.rows)

    def __iter__(self) -> Iterator[Episode]:
        return (self.batch(step) for step in itertools.count())

    def batch(self, step: int, update: int = 0, episodes: range | None = None) -> Episode:
        """The batch of `step`: update 0 is for G and D, the others for D alone. `episodes`: only these of it (default:
        `config.batch`).

        Episode j comes from a generator seeded by (seed, step, update, j): whoever draws it, wherever and in which
        order, it is the same. Ranks share a batch, workers draw ahead and runs resume without a state. K is one number
        for all of them.
        """
        config = self.config
        place = [config.seed, step, update]
        count = (
            int(np.random.default_rng([*place, 0]).integers(1, config.frames + 1))
            if config.vary_frames
            else config.frames
        )
        drawn = []
        for index in episodes or range(config.batch):
            self.rng = np.random.default_rng([*place, 1 + index])
            drawn.append(self._draw(count))
        return collate(drawn)

    def _draw(self, count: int) -> Episode:
        if not self.pictures or (self.clips and self.rng.random() >= self.config.pictures):
            return self._from_clip(count)
        if self.albums and self.rng.random() < self.config.albums:
            return self._from_album(count)
        return self._from_picture(count)

    def _from_clip(self, count: int) -> Episode:
        clips = self.clips[int(self.rng.integers(len(self.clips)))]  # people, not clips, are drawn evenly
        clip = clips[int(self.rng.integers(len(clips)))]
        chosen = self.rng.permutation(len(clip))
        if self.config.open_mouths and self.rng.random() < self.config.open_mouths:
            order = np.argsort(lips_apart(torch.tensor(clip.landmarks)).numpy())
            widest, closed = order[-max(1, len(clip) // 4) :], order[: max(1, len(clip) // 2)]
            chosen = np.array([self.rng.choice(widest), *self.rng.permutation(closed)])
        target, sources = (
            int(chosen[0]),
            [int(i) for i in np.resize(chosen[1:], count)],
        )  # a short clip repeats sources, never the target
        change = Augmentation.draw(self.rng)
        frames = [change.apply(*clip.frame(i, self.size)) for i in [target, *sources]]
        return self._episode(frames, clip)

    def _from_picture(self, count: int) -> Episode:
        clip = self.pictures[int(self.rng.integers(len(self.pictures)))]
        image, points = Augmentation.draw(self.rng).apply(*clip.frame(0, self.size))
        faces, _, landmarks = to_tensors([image], [points])
        bent = torch.stack([random_pose(landmarks[0], self.rng) for _ in range(count)])
        grid = warp_grid(landmarks.expand(count, -1, -1), bent, self.size)
        pictures = sample(faces.expand(count, -1, -1, -1), grid)
        images = list(((pictures + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy())
        moved = [((p + 1) * self.size - 1) / 2 for p in bent.numpy()]
        return self._episode([(image, points), *zip(images, moved, strict=True)], clip)

    def _from_album(self, count: int) -> Episode:
        album = self.albums[int(self.rng.integers(len(self.albums)))]
        chosen = self.rng.permutation(len(album))
        target, sources = int(chosen[0]), [int(i) for i in np.resize(chosen[1:], count)]
        change = Augmentation.draw(self.rng)
        return self._episode([change.apply(*album[i].frame(0, self.size)) for i in [target, *sources]], album[target])

    def _episode(self, frames: list[tuple[NDArray[np.uint8], NDArray[np.float32]]], clip: Clip) -> Episode:
        if self.config.landmark_noise:
            deviation = self.config.landmark_noise * self.size
            noisy = [(f, (p + self.rng.normal(0, deviation, p.shape)).astype(np.float32)) for f, p in frames[1:]]
            frames = [frames[0], *noisy]
        faces, sketches, landmarks = to_tensors([f for f, _ in frames], [p for _, p in frames])
        row = torch.tensor([self.rows[clip.digest]])
        return Episode(
            faces[None, 1:], sketches[None, 1:], landmarks[None, 1:], faces[:1], sketches[:1], landmarks[:1], row
        )


@dataclass(frozen=True)
class Augmentation:
    """One change for all frames of an episode: mirror, zoom, colour."""

    mirror: bool
    zoom: float
    shift: tuple[float, float]
    gain: tuple[float, float, float]
    offset: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Augmentation:
        gain, shift = rng.normal(1, 0.07, 3), rng.normal(0, 0.02, 2)
        return cls(
            bool(rng.random() < 0.5), float(rng.uniform(0.95, 1.2)), (float(shift[0]), float(shift[1])),
            (float(gain[0]), float(gain[1]), float(gain[2])), float(rng.normal(0, 8)),
        )  # fmt: skip

    def apply(
        self, image: NDArray[np.uint8], points: NDArray[np.float32]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        size = image.shape[0]
        if self.mirror:
            image, points = image[:, ::-1], np.stack([size - 1 - points[MIRROR, 0], points[MIRROR, 1]], axis=1)
        centre = (size - 1) / 2
        offset = [centre * (1 - self.zoom) + s * size for s in self.shift]
        matrix = np.array([[self.zoom, 0, offset[0]], [0, self.zoom, offset[1]]])
        moved = cv2.warpAffine(np.ascontiguousarray(image), matrix, (size, size), borderMode=cv2.BORDER_REFLECT_101)
        coloured = (moved.astype(np.float32) * self.gain + self.offset).clip(0, 255).astype(np.uint8)
        return coloured, (points * self.zoom + offset).astype(np.float32)


def collate(episodes: list[Episode]) -> Episode:
    """B single episodes as one batch."""
    return Episode(**{name: torch.cat([getattr(e, name) for e in episodes]) for name in vars(episodes[0])})
