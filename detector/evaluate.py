"""How well the two kinds of evidence separate: per family, on pairs for training, on whole clips for calibration.

In: a net and the clips of a split. Out: AUC per family, or the evidence of every frame of every clip.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from detector.config import FAMILY_HEADS, HEADS
from detector.crops import tighten
from detector.degrade import Pass
from detector.metrics import auc
from detector.model import DetectorNet
from detector.samples import PairSource
from sfumato.media.faces import Crop
from sfumato.media.images import to_tensor

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]
UNTOUCHED = Pass()


@dataclass(frozen=True)
class ClipEvidence:
    """evidence: (frames, 2) logits of one clip. `family` is "real" for a real clip."""

    clip: str
    identity: str
    family: str
    evidence: Floats


@torch.no_grad()
def evidence_of(net: DetectorNet, images: Sequence[Image], device: Any = "cpu", batch: int = 32) -> Floats:
    """images: (S, S, 3) uint8 each. Returns (len(images), 2)."""
    was_training = net.training
    net.eval()
    parts = []
    for start in range(0, len(images), batch):
        tensor = to_tensor(images[start : start + batch]).to(device)
        parts.append(net(tensor.to(memory_format=torch.channels_last)).float().cpu().numpy())
    net.train(was_training)
    return np.concatenate(parts).astype(np.float64) if parts else np.zeros((0, len(HEADS)))


def validate(net: DetectorNet, source: PairSource, pairs: int, device: Any = "cpu") -> dict[str, float]:
    """AUC of each family's own head, fakes against their real twins, on the same seeded pairs each time.

    Half the pairs go through a drawn degradation and jitter, half stay untouched.
    """
    scores = {}
    for family in source.families:
        rng = np.random.default_rng([20, len(family)])
        images: list[Image] = []
        for i in range(pairs):
            images += source.finish(_spread(source, family, i, rng), rng, steady=i % 2 == 0)
        evidence = evidence_of(net, images, device)
        heads = [HEADS.index(name) for name in FAMILY_HEADS[family]]
        values = evidence[:, heads].max(axis=1)
        scores[family] = auc(values[1::2], values[0::2])
    return scores


def _spread(source: PairSource, family: str, index: int, rng: np.random.Generator) -> Any:
    """Pair number `index`: through the clips in an order that spreads over people."""
    generated = [row for row in source.fakes if row.family == family]
    if family == "blend" and not generated:
        return source.blend_pair(source.reals[(index * 7919) % len(source.reals)], rng)
    return source.generated_pair(generated[(index * 7919) % len(generated)], rng)


def clip_evidence(
    score: Callable[[Sequence[Image]], Floats], source: PairSource, recipe: Pass = UNTOUCHED, blends: bool = True
) -> Iterator[ClipEvidence]:
    """Scores every clip of a split frame by frame, as a scan would; `blends`: one self-blended twin of every real clip too."""
    size = source.config.model.size
    for row in [*source.reals, *source.fakes]:
        images = [source.cache.crop(row, i).image for i in range(source.cache.count(row))]
        family = "real" if row.label == "real" else row.family
        yield ClipEvidence(row.path, row.identity, family, score([_view(recipe(image), size) for image in images]))
    for row in source.reals if blends else []:
        rng = np.random.default_rng([21, *row.identity.encode()])
        fakes = [source.blend_pair(row, rng).fake for _ in range(min(4, source.cache.count(row)))]
        yield ClipEvidence(row.path, row.identity, "blend", score([_view(recipe(fake), size) for fake in fakes]))


def _view(image: Image, size: int) -> Image:
    """The tight crop of a stored wide one, as a scan cuts it from the frame."""
    return tighten(Crop(0.0, 0.0, float(image.shape[0]))).apply(image, size)
