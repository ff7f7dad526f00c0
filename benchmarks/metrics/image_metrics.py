"""The metrics of made pictures against the targets they were made for. Every bench that looks at faces uses this one.

SSIM: torchmetrics, Gaussian window of 11 px, sigma 1.5, data range 2 for pictures in [-1, 1], one value a picture. L1:
mean absolute difference, in [0, 1]. CSIM: cosine of SFace embeddings of output and target, each aligned by the
landmarks found in it. Landmark error: mean distance of the 68 points found in output and target by the mesh backend, in
both alike, over the distance between the target's eye centres. Perceptual: see benchmarks/metrics/perceptual.py. An
output in which no face is found has a CSIM of 0 and an error of one eye distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

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


class Judge:
    """The metrics of pictures against the targets it last looked at. Raises MissingPartError without the package of
    Lite0.
    """

    def __init__(self) -> None:
        self._mesh: LandmarkBackend = load_backend("mesh")
        self._perceptual = Perceptual()
        self._seen: list[_Seen] = []

    def look_at(self, targets: Pictures, landmarks: list[Landmarks]) -> Tensor:
        """Finds landmarks, identity and features of every target, once for all methods. landmarks: (68, 2) px each.

        Returns the targets' pooled features (N, 320). Raises NoFaceError when one shows no face.
        """
        self._seen = []
        for image, points in zip(targets, landmarks, strict=True):
            box = face_box(points)
            found = self._mesh.detect(image, box)
            picture = to_tensor(image[None])
            self._seen.append(_Seen(box, found, embed_image(image, found), picture, self._perceptual.features(picture)))
        return torch.cat([pooled(seen.features) for seen in self._seen])

    def scores(self, made: Pictures) -> tuple[Scores, Tensor]:
        """made: one picture for each target. Returns the mean over them of each metric, and their pooled features (N,
        320).
        """
        from torchmetrics.functional.image import structural_similarity_index_measure as ssim

        rows, features = list[tuple[float, ...]](), list[Tensor]()
        for output, seen in zip(made, self._seen, strict=True):
            picture = to_tensor(output[None])
            similarity = cast(Tensor, ssim(picture, seen.picture, gaussian_kernel=True, sigma=1.5, data_range=2.0))
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
            found = self._mesh.detect(output, seen.box)
        except NoFaceError:
            return 0.0, 1.0
        eyes = float(np.linalg.norm(seen.landmarks[36:42].mean(0) - seen.landmarks[42:48].mean(0)))
        error = float(np.linalg.norm(found - seen.landmarks, axis=1).mean()) / max(eyes, 1e-6)
        return float(embed_image(output, found) @ seen.identity), error


def paired_interval(differences: NDArray[np.float64], seed: int = 0, draws: int = 2000) -> tuple[float, float]:
    """The 95 % percentile-bootstrap interval of the mean of `differences` (N,), resampled `draws` times."""
    rng = np.random.default_rng(seed)
    means = differences[rng.integers(0, len(differences), (draws, len(differences)))].mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
