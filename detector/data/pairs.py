"""Training samples: pairs of a real crop and its fake twin, that differ in nothing but the forgery, in the configured
mix.

In: rows of clips.jsonl and the crop cache. Out: batches. `detector.data.pair_makers` makes the pairs; here the mix is
drawn (a share, then one of its methods, then a person), and both pictures of a pair go through the same degradation and
the same jittered crop.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from detector.config import FAMILY_HEADS, HEADS, DetectorConfig, SampleConfig
from detector.data.cache import CropCache
from detector.data.degradations import Pass, draw_pass
from detector.data.pair_makers import Maker, Material, Pair, makers
from detector.inference.crops import TIGHTEN, tighten
from sfumato.errors import UsageError
from sfumato.media.clips import ClipRow
from sfumato.media.faces import Crop

Image = NDArray[np.uint8]


class PairSource:
    """Draws pairs from the clips of one split. `everything`: whatever the mix, as a test must. found: also makers
    without a share.
    """

    def __init__(
        self, rows: Iterable[ClipRow], cache: CropCache, config: DetectorConfig, everything: bool = False
    ) -> None:
        """Raises UsageError for an unknown family, without a real clip with a face, or when the mix leaves nothing to
        draw.
        """
        self.material = Material(rows, cache, config.samples)
        self.cache, self.config = cache, config
        unknown = sorted({row.family for row in self.material.fakes} - set(FAMILY_HEADS))
        if unknown:
            raise UsageError(
                f"Clips of family {unknown[0]!r} cannot be trained on", f"Known: {', '.join(sorted(FAMILY_HEADS))}."
            )
        if not self.material.reals:
            raise UsageError("No real clip with a usable face", "clips.jsonl needs rows with label real in this split.")
        found = self.found = makers(self.material)
        self.makers = found if everything else [maker for maker in found if share_of(maker, config.samples) is not None]
        if not self.makers:
            there = ", ".join(sorted({maker.method for maker in found}))
            raise UsageError("samples.mix and samples.leave_out leave no fakes to learn from", f"There are: {there}.")
        self._groups = _grouped(self.makers, config.samples)

    @property
    def families(self) -> list[str]:
        return sorted({maker.family for maker in self.makers})

    @property
    def methods(self) -> list[str]:
        return sorted({maker.method for maker in self.makers})

    def draw(self, rng: np.random.Generator) -> Pair:
        """A share of the mix first, then one of its methods, then what that method draws."""
        shares = np.array([share for share, _ in self._groups])
        group = self._groups[int(rng.choice(len(shares), p=shares / shares.sum()))][1]
        methods = group[int(rng.integers(len(group)))]
        return methods[int(rng.integers(len(methods)))].draw(rng)

    def finish(self, pair: Pair, rng: np.random.Generator, steady: bool = False) -> tuple[Image, Image]:
        """The same degradation, the same crop, the same size S for both. `steady`: no degradation, no jitter
        (validation).
        """
        settings = self.config.samples
        recipe = Pass() if steady else draw_pass(rng, self.config.degrade)
        scale, shift = TIGHTEN, (0.0, 0.0)
        if not steady:
            scale *= 1 + rng.uniform(-settings.scale_jitter, settings.scale_jitter)
            shift = (
                float(rng.uniform(-1, 1)) * settings.shift_jitter,
                float(rng.uniform(-1, 1)) * settings.shift_jitter,
            )
        real, fake = recipe(pair.real), recipe(pair.fake)
        crop = tighten(Crop(0.0, 0.0, float(len(real))), scale, shift)
        size = self.config.model.size
        return crop.apply(real, size), crop.apply(fake, size)


def share_of(maker: Maker, config: SampleConfig) -> str | None:
    """The key of the mix that a maker falls under: the longest that names its method, else its family; None: it is not
    drawn.

    "swap" names every method that starts with "swap-".
    """
    if any(names(name, maker) for name in config.leave_out):
        return None
    key = max((key for key in config.mix if _names(key, maker.method)), key=len, default=maker.family)
    return key if config.mix.get(key, 0.0) > 0 else None


def names(name: str, made: Maker | ClipRow) -> bool:
    """Whether `name`, a method, the first word of methods or a family, means this maker or fake."""
    return _names(name, made.method) or name == made.family


def _names(name: str, method: str) -> bool:
    return method == name or method.startswith(f"{name}-")


def _grouped(found: Sequence[Maker], config: SampleConfig) -> list[tuple[float, list[list[Maker]]]]:
    """(share, makers by method) of each key that has any. What is not there leaves its share to the others."""
    groups: dict[str, dict[str, list[Maker]]] = {}
    for maker in found:
        if (key := share_of(maker, config)) is not None:
            groups.setdefault(key, {}).setdefault(maker.method, []).append(maker)
    return [(config.mix[key], list(methods.values())) for key, methods in sorted(groups.items())]


@dataclass(frozen=True)
class Batch:
    """images: (2P, 3, S, S) in [-1, 1], reals and fakes in turn; target, weight: (2P, heads). A weight of 0: not this
    head's business.
    """

    images: Tensor
    target: Tensor
    weight: Tensor

    def to(self, device: torch.device) -> Batch:
        return replace(self, **{name: value.to(device, non_blocking=True) for name, value in vars(self).items()})

    def pin_memory(self) -> Batch:
        """In memory from which a GPU copies by itself; a DataLoader asks for it by this name."""
        return replace(self, **{name: value.pin_memory() for name, value in vars(self).items()})


class PairedBatches(Dataset[Batch]):
    """Batch number `step`, always the same for the same seed: resuming needs no state but the step.

    `first`: the number of its first pair in the global batch, where several processes share one.
    """

    def __init__(self, source: PairSource, seed: int, steps: int = 10**9, first: int = 0) -> None:
        self.source, self.seed, self.steps, self.first = source, seed, steps, first

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> Batch:
        cv2.setNumThreads(1)
        images: list[Image] = []
        families: list[str] = []
        for number in range(self.first, self.first + self.source.config.train.pairs):
            rng = np.random.default_rng([self.seed, step, number])
            pair = self.source.draw(rng)
            shown = self.source.finish(pair, rng)
            images += shown[::-1] if self.source.config.samples.shuffled and rng.random() < 0.5 else shown
            families.append(pair.family)
        return as_batch(images, families)


def as_batch(images: Sequence[Image], families: Sequence[str]) -> Batch:
    """images: real, fake, real, fake, ...; one family a pair. A real teaches both heads, the head of its own pair twice
    as much.
    """
    from sfumato.media.tensors import to_tensor

    target = torch.zeros(len(images), len(HEADS))
    weight = torch.zeros(len(images), len(HEADS))
    for i, family in enumerate(families):
        for head, name in enumerate(HEADS):
            taught = name in FAMILY_HEADS[family]
            weight[2 * i, head] = 1.0 if taught else 0.5
            target[2 * i + 1, head] = weight[2 * i + 1, head] = float(taught)
    return Batch(to_tensor(images), target, weight)
