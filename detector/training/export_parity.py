"""The gate of an export: a detector that leaves in another form must tell the same apart as the one it was made from.

In: the trained detector, the exported one, pictures of faces with their landmarks, pairs of a picture and a generated
frame. Out: how far the two differ on at least 60 crops of each class, or a refusal. The set needs no footage:
self-blends and generated frames of a few portraits, each pair jittered and degraded alike, from a seed. It says how
near two forms of a detector are, not how good either is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.config import DegradeConfig
from detector.data.degradations import draw_pass
from detector.data.fakes.self_blend import self_blend
from detector.evaluation.metrics import auc
from detector.inference.crops import TIGHTEN, tighten
from detector.inference.fusion import Stack
from detector.inference.quality_norm import qualities
from sfumato.errors import CheckpointError
from sfumato.media.faces import Crop

MOST_AUC = 0.005  # of the calibrated score; how far a logit may go is the backend's `tolerance`
SMALLEST = 60  # crops a class
Image = NDArray[np.uint8]
Score = Callable[[Sequence[Image]], NDArray[np.float64]]


@dataclass(frozen=True)
class GateSet:
    """Crops as a scan would cut them, (S, S, 3) uint8 RGB; fake i was made from real i."""

    reals: list[Image]
    fakes: list[Image]


@dataclass(frozen=True)
class Gate:
    """crops: of each class; auc: of the trained detector; exported_auc; largest difference between their calibrated
    logits.
    """

    crops: int
    auc: float
    exported_auc: float
    largest_logit_difference: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def gate_set(
    faces: Sequence[tuple[Image, NDArray[np.float32]]],
    generated: Sequence[tuple[Image, Image]],
    size: int,
    blends: int,
    seed: int = 0,
) -> GateSet:
    """faces: wide crops (R, R, 3) with landmarks (68, 2) px, `blends` self-blends of each; generated: wide crops,
    picture and frame.

    Raises ValueError for fewer than SMALLEST pairs.
    """
    rng = np.random.default_rng(seed)
    pairs = [
        (blend.real, blend.fake)
        for image, points in faces
        for blend in (self_blend(image, points, rng) for _ in range(blends))
    ]
    pairs += list(generated)
    if len(pairs) < SMALLEST:
        raise ValueError(f"a gate needs {SMALLEST} crops of each class, these are {len(pairs)}")
    reals, fakes = list[Image](), list[Image]()
    for pair in pairs:
        recipe, scale = draw_pass(rng, DegradeConfig()), TIGHTEN * float(rng.uniform(0.9, 1.1))
        shift = (float(rng.uniform(-0.04, 0.04)), float(rng.uniform(-0.04, 0.04)))
        for kept, image in zip((reals, fakes), pair, strict=True):
            kept.append(tighten(Crop(0.0, 0.0, float(image.shape[0])), scale, shift).apply(recipe(image), size))
    return GateSet(reals, fakes)


def compare(trained: Score, exported: Score, stack: Stack, crops: GateSet) -> Gate:
    """trained, exported: crops to (N, 2) logits of the net; each is worth what it is at its crop's quality."""
    every = [*crops.reals, *crops.fakes]
    stacks = [stack.at(qualities(crop, float(len(crop)), video=False)) for crop in every]
    logits = [
        np.array([float(own.logit(evidence)) for own, evidence in zip(stacks, score(every), strict=True)])
        for score in (trained, exported)
    ]
    split = len(crops.reals)
    first, second = (auc(found[split:], found[:split]) for found in logits)
    return Gate(split, first, second, float(np.abs(logits[0] - logits[1]).max()))


def require(gate: Gate, tolerance: float) -> None:
    """tolerance: of the calibrated logit of any crop. Raises CheckpointError, with the numbers, for an export that may
    not leave.
    """
    apart = abs(gate.auc - gate.exported_auc)
    if not (apart <= MOST_AUC and gate.largest_logit_difference <= tolerance):
        found = (
            f"AUC {gate.exported_auc:.4f} against {gate.auc:.4f}, logits up to "
            f"{gate.largest_logit_difference:.3f} apart"
        )
        cause = f"The exported detector is not the trained one: {found} on {gate.crops} crops a class"
        raise CheckpointError(cause, f"At most {MOST_AUC:g} and {tolerance:g} are allowed; export in float32.")
