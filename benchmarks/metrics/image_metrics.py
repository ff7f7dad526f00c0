"""The metrics of made pictures against the targets they were made for. Every bench that looks at faces uses this one.

SSIM: sfumato/media/structural_similarity.py, pictures in [0, 1], one value a picture. L1: mean absolute difference, in
[0, 1]. CSIM: cosine of SFace embeddings of output and target, each aligned by the landmarks found in it. Landmark
error: mean distance of the 68 points found in output and target by the mesh backend, in both alike, over the distance
between the target's eye centres. Perceptual: see benchmarks/metrics/perceptual.py. mouth_ssim, mouth_perceptual: the
same two in the region around the target's lips (benchmarks/metrics/lip_region.py). Where a landmark backend says that
an output shows no face, CSIM is 0 and the error one eye distance; the mesh never says so, it lays its points where the
target's face is, so that a ruined output shows as a low CSIM. Beside the metrics come the features that distances
between all made and all wanted pictures compare: FD-lite0's, and FID's where Inception's weights are given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.metrics.inception import Inception
from benchmarks.metrics.lip_region import lip_region
from benchmarks.metrics.perceptual import Perceptual, feature_distance, pooled
from benchmarks.metrics.readers import Readers, Reading
from generator.motion.track import Landmarks
from sfumato.errors import NoFaceError
from sfumato.media.faces import Box, face_box
from sfumato.media.identity import embed_image
from sfumato.media.landmarks import LandmarkBackend
from sfumato.media.structural_similarity import structural_similarity
from sfumato.media.tensors import to_tensor

METRICS = ("ssim", "l1", "csim", "landmark_error", "perceptual", "mouth_ssim", "mouth_perceptual")
Scores = dict[str, float]
Pictures = list[NDArray[np.uint8]]  # (H, W, 3) RGB each
Features = dict[str, Tensor]  # by the distance that compares them: fd_lite0 (N, 320), fid (N, 2048)
Shapes = Mapping[str, NDArray[np.float32]]  # by reader, (N, 68, 2) px, NaN where it sees no face


@dataclass(frozen=True)
class Judged:
    """What was found in pictures, each against its target: the mean of each metric, the features of all, where each
    reader sees the face, and the share of pictures with as many faces as their target.
    """

    scores: Scores
    features: Features
    shapes: Shapes
    same_faces: float


@dataclass(frozen=True)
class _Seen:
    """What was found in one target."""

    box: Box
    landmarks: Landmarks
    reading: Reading
    identity: NDArray[np.float32]
    picture: Tensor  # (1, 3, H, W)
    features: list[Tensor]
    mouth: Tensor  # (1, 3, h, w)
    mouth_features: list[Tensor]


@dataclass(frozen=True)
class _Judged:
    """What was found in one output: the metrics in their order."""

    numbers: tuple[float, ...]
    features: Features  # N = 1
    reading: Reading


class ImageMetrics:
    """The metrics of pictures against the targets it last looked at. Raises MissingPartError without the package of
    Lite0.
    """

    def __init__(self, landmarks: LandmarkBackend | None = None, inception: Inception | None = None) -> None:
        """landmarks: the mesh unless another backend is given; inception: None without FID."""
        self._inception = inception
        self.readers = Readers(landmarks)
        self._perceptual = Perceptual()
        self._seen: list[_Seen] = []
        self._judged: dict[tuple[int, bytes], _Judged] = {}  # methods often make the same picture: looked at once

    @property
    def targets(self) -> Shapes:
        """Where each reader sees the face in the targets."""
        return _stacked([seen.reading for seen in self._seen])

    def look_at(self, targets: Pictures, landmarks: list[Landmarks]) -> Features:
        """Finds landmarks, identity and features of every target, once for all methods. landmarks: (68, 2) px each.

        Returns the targets' features. Raises NoFaceError when one shows no face.
        """
        self._seen, self._judged = [], {}
        for image, points in zip(targets, landmarks, strict=True):
            box = face_box(points)
            reading = self.readers.read(image, box)
            found = reading.shapes["mesh"]
            if np.isnan(found).any():
                raise NoFaceError("A target shows no face", "Use clips in which the face is seen throughout.")
            picture, mouth = to_tensor(image), to_tensor(lip_region(image, found))
            self._seen.append(
                _Seen(
                    box, found, reading, embed_image(image, found), picture, self._perceptual.features(picture), mouth,
                    self._perceptual.features(mouth),
                )
            )  # fmt: skip
        return _joined([self._features(image, seen.features) for image, seen in zip(targets, self._seen, strict=True)])

    def scores(self, made: Pictures) -> Judged:
        """made: one picture for each target."""
        found = [
            self._known(index, output, seen) for index, (output, seen) in enumerate(zip(made, self._seen, strict=True))
        ]
        means = np.mean([judged.numbers for judged in found], axis=0).tolist()
        same = [judged.reading.faces == seen.reading.faces for judged, seen in zip(found, self._seen, strict=True)]
        return Judged(
            dict(zip(METRICS, means, strict=True)), _joined([judged.features for judged in found]),
            _stacked([judged.reading for judged in found]), float(np.mean(same)),
        )  # fmt: skip

    def _known(self, index: int, output: NDArray[np.uint8], seen: _Seen) -> _Judged:
        key = index, hashlib.sha256(output.tobytes()).digest()
        if key not in self._judged:
            self._judged[key] = self._judge(output, seen)
        return self._judged[key]

    def _judge(self, output: NDArray[np.uint8], seen: _Seen) -> _Judged:
        picture, mouth = to_tensor(output), to_tensor(lip_region(output, seen.landmarks))
        reading = self.readers.read(output, seen.box)
        likeness, error = _face(output, reading.shapes["mesh"], seen)
        own = self._perceptual.features(picture)
        numbers = (
            _similarity(picture, seen.picture), float((picture - seen.picture).abs().mean() / 2), likeness, error,
            float(feature_distance(own, seen.features)), _similarity(mouth, seen.mouth),
            float(feature_distance(self._perceptual.features(mouth), seen.mouth_features)),
        )  # fmt: skip
        return _Judged(numbers, self._features(output, own), reading)

    def _features(self, image: NDArray[np.uint8], own: list[Tensor]) -> Features:
        """own: what the perceptual network sees in it."""
        lite0 = {"fd_lite0": pooled(own)}
        return lite0 if self._inception is None else {**lite0, "fid": self._inception.features(image)}


def _joined(each: list[Features]) -> Features:
    return {name: torch.cat([features[name] for features in each]) for name in each[0]}


def _similarity(a: Tensor, b: Tensor) -> float:
    """a, b: (1, 3, H, W) in [-1, 1]."""
    return float(structural_similarity((a + 1) / 2, (b + 1) / 2))


def _face(output: NDArray[np.uint8], found: Landmarks, seen: _Seen) -> tuple[float, float]:
    """CSIM and landmark error. found: (68, 2) px, NaN without a face."""
    if np.isnan(found).any():
        return 0.0, 1.0
    eyes = float(np.linalg.norm(seen.landmarks[36:42].mean(0) - seen.landmarks[42:48].mean(0)))
    error = float(np.linalg.norm(found - seen.landmarks, axis=1).mean()) / max(eyes, 1e-6)
    return float(embed_image(output, found) @ seen.identity), error


def _stacked(readings: list[Reading]) -> Shapes:
    return {name: np.stack([reading.shapes[name] for reading in readings]) for name in readings[0].shapes}
