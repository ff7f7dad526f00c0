"""Training samples: pairs of a real crop and its fake twin, that differ in nothing but the forgery.

In: rows of clips.jsonl and the crop cache. Out: `Pair`s and batches. Generated clips come with their real twin
(`pair_of`); self-blends are made from real crops on the fly. Both of a pair have the same size, go through the same
degradation and the same jittered crop. A real twin is first brought to the resolution, the codec and often the sharpness
of the generated file, for those three tell fakes from reals more cheaply than any forgery trace.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from detector.cache import CropCache, StoredCrop
from detector.config import FAMILY_HEADS, HEADS, DetectorConfig
from detector.crops import TIGHTEN, tighten
from detector.degrade import Pass, draw_pass, h264, match_sharpness
from detector.fakes.self_blend import self_blend
from sfumato.errors import UsageError
from sfumato.media.clips import ClipRow
from sfumato.media.faces import Crop

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Pair:
    """`real` and `fake`: HWC uint8 RGB of one size. `family` names what the fake is."""

    real: Image
    fake: Image
    family: str


class PairSource:
    """Draws pairs from the clips of one split."""

    def __init__(self, rows: Iterable[ClipRow], cache: CropCache, config: DetectorConfig) -> None:
        """Raises UsageError for an unknown family or when there is no real clip with a face."""
        rows = list(rows)
        self.cache, self.config = cache, config
        self.reals = [row for row in rows if row.label == "real"]
        self.fakes = [row for row in rows if row.label != "real"]
        unknown = sorted({row.family for row in self.fakes} - set(FAMILY_HEADS))
        if unknown:
            raise UsageError(f"Clips of family {unknown[0]!r} cannot be trained on", f"Known: {', '.join(sorted(FAMILY_HEADS))}.")
        if not self.reals:
            raise UsageError("No real clip with a usable face", "clips.jsonl needs rows with label real in this split.")
        self._by_path = {row.path: row for row in self.reals}
        self._people = _by_identity(self.reals)
        kinds: set[str] = {row.family for row in self.fakes}
        self._fake_people = {kind: _by_identity(row for row in self.fakes if row.family == kind) for kind in kinds}
        self.families: list[str] = ["blend", *sorted(set(self._fake_people) - {"blend"})]

    def draw(self, rng: np.random.Generator) -> Pair:
        """A person first, then a clip, then a frame: nobody counts more for having more footage."""
        generated = sorted(self._fake_people)
        if generated and rng.random() >= self.config.samples.blend_share:
            people = self._fake_people[str(rng.choice(generated))]
            return self.generated_pair(_pick(people, rng), rng)
        return self.blend_pair(_pick(self._people, rng), rng)

    def blend_pair(self, row: ClipRow, rng: np.random.Generator) -> Pair:
        """A self-blend of a frame of a real clip, and the frame."""
        stored = self.cache.crop(row, int(rng.integers(self.cache.count(row))))
        image, points = stored.image, stored.points
        if rng.random() < 0.5:
            image, points = _mirror(stored)
        blend = self_blend(image, points, rng)
        return Pair(blend.real, blend.fake, "blend")

    def generated_pair(self, row: ClipRow, rng: np.random.Generator) -> Pair:
        """A frame of a generated clip, and of its real twin at the same place; without one, of the person's reals, or anybody's."""
        stored = self.cache.crop(row, int(rng.integers(self.cache.count(row))))
        same = {row.identity: self._people[row.identity]} if row.identity in self._people else self._people
        twin = self.twin(row) or _pick(same, rng)
        real, fake = even(self.cache.nearest(twin, stored.place).image, stored.image)
        settings = self.config.samples
        if rng.random() < settings.match_sharpness_share:
            real = match_sharpness(real, fake)
        if rng.random() < settings.twin_codec_share:
            real = h264([real], int(rng.integers(18, 24)))[0]
        if rng.random() < 0.5:
            real, fake = real[:, ::-1], fake[:, ::-1]
        return Pair(np.ascontiguousarray(real), np.ascontiguousarray(fake), row.family)

    def twin(self, row: ClipRow) -> ClipRow | None:
        """The real clip that `pair_of` names, if it is in this split."""
        return self._by_path.get(row.pair_of) if row.pair_of else None

    def finish(self, pair: Pair, rng: np.random.Generator, steady: bool = False) -> tuple[Image, Image]:
        """The same degradation, the same crop, the same size S for both. `steady`: no degradation, no jitter (validation)."""
        settings = self.config.samples
        recipe = Pass() if steady else draw_pass(rng, self.config.degrade)
        scale, shift = TIGHTEN, (0.0, 0.0)
        if not steady:
            scale *= 1 + rng.uniform(-settings.scale_jitter, settings.scale_jitter)
            shift = (float(rng.uniform(-1, 1)) * settings.shift_jitter, float(rng.uniform(-1, 1)) * settings.shift_jitter)
        side = pair.real.shape[0]
        crop = tighten(Crop(0.0, 0.0, float(side)), scale, shift)
        size = self.config.model.size
        return crop.apply(recipe(pair.real), size), crop.apply(recipe(pair.fake), size)


@dataclass(frozen=True)
class Batch:
    """images: (2P, 3, S, S) in [-1, 1], reals and fakes in turn; target, weight: (2P, heads). A weight of 0: not this head's business."""

    images: Tensor
    target: Tensor
    weight: Tensor


class PairedBatches(Dataset[Batch]):
    """Batch number `step`, always the same for the same seed: resuming needs no state but the step."""

    def __init__(self, source: PairSource, seed: int, steps: int = 10**9) -> None:
        self.source, self.seed, self.steps = source, seed, steps

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> Batch:
        cv2.setNumThreads(1)
        rng = np.random.default_rng([self.seed, step])
        images: list[Image] = []
        families: list[str] = []
        for _ in range(self.source.config.train.pairs):
            pair = self.source.draw(rng)
            images += self.source.finish(pair, rng)
            families.append(pair.family)
        return as_batch(images, families)


def as_batch(images: Sequence[Image], families: Sequence[str]) -> Batch:
    """images: real, fake, real, fake, ...; one family a pair. A real teaches both heads, the head of its own pair twice as much."""
    import torch

    from sfumato.media.images import to_tensor

    target = torch.zeros(len(images), len(HEADS))
    weight = torch.zeros(len(images), len(HEADS))
    for i, family in enumerate(families):
        for head, name in enumerate(HEADS):
            taught = name in FAMILY_HEADS[family]
            weight[2 * i, head] = 1.0 if taught else 0.5
            target[2 * i + 1, head] = weight[2 * i + 1, head] = float(taught)
    return Batch(to_tensor(images), target, weight)


def even(real: Image, fake: Image) -> tuple[Image, Image]:
    """Both at the smaller of the two resolutions, so that neither class is the sharper one by its file alone."""
    side = min(real.shape[0], fake.shape[0])
    return _at(real, side), _at(fake, side)


def _at(image: Image, side: int) -> Image:
    if image.shape[0] == side:
        return image
    return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _mirror(stored: StoredCrop) -> tuple[Image, NDArray[np.float32]]:
    """Left and right exchanged; the points keep their 300-W order."""
    points = stored.points.copy()
    points[:, 0] = stored.image.shape[1] - 1 - points[:, 0]
    return np.ascontiguousarray(stored.image[:, ::-1]), points[_MIRRORED]


def _by_identity(rows: Iterable[ClipRow]) -> dict[str, list[ClipRow]]:
    people: dict[str, list[ClipRow]] = defaultdict(list)
    for row in rows:
        people[row.identity].append(row)
    return dict(people)


def _pick(people: dict[str, list[ClipRow]], rng: np.random.Generator) -> ClipRow:
    names = sorted(people)
    clips = people[names[int(rng.integers(len(names)))]]
    return clips[int(rng.integers(len(clips)))]


def _mirror_order() -> list[int]:
    jaw, brows, nose = [*range(16, -1, -1)], [*range(26, 16, -1)], [27, 28, 29, 30, 35, 34, 33, 32, 31]
    eyes = [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    lips = [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]
    return jaw + brows + nose + eyes + lips


_MIRRORED: Any = np.array(_mirror_order())
