"""The metrics of made pictures against the targets they were made for. Every bench that looks at faces uses this one.

SSIM: sfumato/media/structural_similarity.py, pictures in [0, 1], one value a picture. L1: mean absolute difference, in
[0, 1]. CSIM: cosine of SFace embeddings of output and target, each aligned by the landmarks found in it. Landmark
error: mean distance of the 68 points found in output and target by the mesh backend, in both alike, over the distance
between the target's eye centres. Perceptual: see benchmarks/metrics/perceptual.py. Where a landmark backend says that
an output shows no face, CSIM is 0 and the error one eye distance; the mesh never says so, it lays its points where the
target's face is, so that a ruined output shows as a low CSIM.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.metrics.perceptual import Perceptual, feature_distance, pooled
from generator.motion.track import Landmarks
from sfumato.errors import NoFaceError
from sfumato.media.faces import Box, face_box
from sfumato.media.identity import embed_image
from sfumato.media.landmarks import LandmarkBackend, load_backend
from sfumato.media.structural_similarity import structural_similarity
from sfumato.media.tensors import to_tensor

METRICS = ("ssim", "l1", "csim", "landmark_error", "perceptual")
Scores = dict[str, float]
Pictures = list[NDArray[np.uint8]]  # (H, W, 3) RGB each


@dataclass(frozen=True)
class _Seen:
    """What was found in one target."""

    box: Box
    landmarks: Landmarks
    identity: NDArray[np.float32]
    picture: Tensor  # (1, 3, H, W)
    features: list[Tensor]


class ImageMetrics:
    """The metrics of pictures against the targets it last looked at. Raises MissingPartError without the package of
    Lite0.
    """

    def __init__(self, landmarks: LandmarkBackend | None = None) -> None:
        """landmarks: the mesh unless another backend is given."""
        self._landmarks: LandmarkBackend = landmarks or load_backend("mesh")
        self._perceptual = Perceptual()
        self._seen: list[_Seen] = []

    def look_at(self, targets: Pictures, landmarks: list[Landmarks]) -> Tensor:
        """Finds landmarks, identity and features of every target, once for all methods. landmarks: (68, 2) px each.

        Returns the targets' pooled features (N, 320). Raises NoFaceError when one shows no face.
        """
        self._seen = []
        for image, points in zip(targets, landmarks, strict=True):
            box = face_box(points)
            found = self._landmarks.detect(image, box)
            picture = to_tensor(image[None])
            self._seen.append(_Seen(box, found, embed_image(image, found), picture, self._perceptual.features(picture)))
        return torch.cat([pooled(seen.features) for seen in self._seen])

    def scores(self, made: Pictures) -> tuple[Scores, Tensor]:
        """made: one picture for each target. Returns the mean over them of each metric, and their pooled features (N,
        320).
        """
        rows, features = list[tuple[float, ...]](), list[Tensor]()
        for output, seen in zip(made, self._seen, strict=True):
            picture = to_tensor(output[None])
            similarity = structural_similarity((picture + 1) / 2, (seen.picture + 1) / 2)
            likeness, error = self._face(output, seen)
            own = self._perceptual.features(picture)
            apart = float(feature_distance(own, seen.features))
            distance = float((picture - seen.picture).abs().mean() / 2)
            rows.append((float(similarity), distance, likeness, error, apart))
            features.append(pooled(own))
        return dict(zip(METRICS, np.mean(rows, axis=0).tolist(), strict=True)), torch.cat(features)

    def _face(self, output: NDArray[np.uint8], seen: _Seen) -> tuple[float, float]:
        """CSIM and landmark error."""
        try:
            found = self._landmarks.detect(output, seen.box)
        except NoFaceError:
            return 0.0, 1.0
        eyes = float(np.linalg.norm(seen.landmarks[36:42].mean(0) - seen.landmarks[42:48].mean(0)))
        error = float(np.linalg.norm(found - seen.landmarks, axis=1).mean()) / max(eyes, 1e-6)
        return float(embed_image(output, found) @ seen.identity), error
