"""How well the two kinds of evidence separate: per method, on pairs for training, on whole clips for calibration.

In: a net and the clips of a split. Out: AUC per method, or the evidence of every frame of every clip.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from detector.config import FAMILY_HEADS, HEADS, LAYER_HEADS, MOTION
from detector.data.cache import CropCache
from detector.data.counterparts import People
from detector.data.degradations import Pass, draw_way
from detector.data.pairs import PairSource
from detector.evaluation.metrics import auc
from detector.inference.crops import TIGHTEN, tighten
from detector.inference.quality_norm import qualities
from detector.models.net import DetectorNet
from detector.motion.head import MotionHead
from detector.training.groups import group_of
from sfumato.execution.find_files import is_picture
from sfumato.media.clips import TWIN, ClipRow
from sfumato.media.faces import Crop
from sfumato.media.tensors import to_tensor

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]
Score = Callable[[Sequence[Image]], Floats]  # (S, S, 3) uint8 each to (N, heads)
UNTOUCHED = Pass()
_FEWEST_PAIRS = 16  # of a method in a validation
_MADE_CLIPS, _MADE_FRAMES = (
    150,
    4,
)  # of each method that is made on the fly: as many as its AUC's interval needs, no more


@dataclass(frozen=True)
class Judge:
    """An exported detector without its stack. score: crops to the net's logits; layered: whether heads on all layers
    are among them; motion: judges how faces move.
    """

    score: Score
    layered: bool = False
    motion: MotionHead | None = None

    @property
    def heads(self) -> tuple[str, ...]:
        """What the columns of its evidence are."""
        return (*HEADS, *(LAYER_HEADS if self.layered else ()), *((MOTION,) if self.motion is not None else ()))


@dataclass(frozen=True)
class ClipEvidence:
    """evidence: (frames, H) logits of one clip, of the heads that looked at it. `family` is "real" for a real clip;
    `method` as in clips.jsonl.
    """

    clip: str
    identity: str
    family: str
    evidence: Floats
    method: str = ""
    quality: Floats | None = None  # the mean over its frames, of `detector.inference.quality_norm.qualities`
    still: bool | None = None  # whether its file is a picture; None: by its name
    group: str = ""  # where it comes from: a threshold holds for every group

    @property
    def kind(self) -> str:
        """What it counts as: the method of a fake, "real", or "twin" for the real counterpart of a fake."""
        if self.family == "real":
            return TWIN if self.method == TWIN else "real"
        return self.method or self.family

    @property
    def video(self) -> bool:
        """Whether its file is one: a scan has thresholds of their own for videos."""
        return not (is_picture(Path(self.clip)) if self.still is None else self.still)


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
    """AUC of each method's own head, fakes against their real twins, on the same seeded pairs each time; `pairs` in
    all.

    Half the pairs go through a drawn degradation and jitter, half stay untouched.
    """
    scores = {}
    for method in source.methods:
        chosen = [maker for maker in source.makers if maker.method == method]
        rng = np.random.default_rng([20, *method.encode()])
        images: list[Image] = []
        for i in range(max(_FEWEST_PAIRS, pairs // len(source.methods))):
            pair = chosen[i % len(chosen)].spread(i, rng)
            images += source.finish(pair, rng, steady=i % 2 == 0)
        evidence = evidence_of(net, images, device)
        heads = [HEADS.index(name) for name in FAMILY_HEADS[chosen[0].family]]
        values = evidence[:, heads].max(axis=1)
        scores[method] = auc(values[1::2], values[0::2])
    return scores


def clip_evidence(
    judge: Judge,
    source: PairSource,
    recipe: Pass = UNTOUCHED,
    made: bool = True,
    encoded: bool = False,
    frames: int | None = None,
) -> Iterator[ClipEvidence]:
    """Scores every clip of a split frame by frame, as a scan would; `made`: and of what is made on the fly, clips of a
    few frames each.

    encoded: pictures stand for videos, which `recipe` has given them the codec of; frames: of each clip at most, evenly
    spaced.
    """
    size = source.config.model.size
    material = source.material
    methods = set(source.methods)
    for row in [*material.reals, *material.twins, *(row for row in material.fakes if row.method in methods)]:
        images = [recipe(image) for image in even_crops(source.cache, row, frames)]
        found = _evidence(judge, row, row.family, row.method, images, size, source.cache.still(row), encoded)
        yield _moving(found, source.cache, row, judge.motion)
    for maker in (maker for maker in source.makers if made and maker.on_the_fly):
        for row in _spread_over(maker.people, _MADE_CLIPS):
            rng = np.random.default_rng([21, *f"{maker.method} {row.identity}".encode()])
            fakes = [maker.of(row, rng).fake for _ in range(min(_MADE_FRAMES, source.cache.count(row)))]
            images, still = [recipe(fake) for fake in fakes], source.cache.still(row)
            yield _evidence(judge, row, maker.family, maker.method, images, size, still, encoded)


def copies_evidence(
    judge: Judge, rows: Sequence[ClipRow], cache: CropCache, size: int, copies: int, frames: int
) -> Iterator[ClipEvidence]:
    """`copies` of each real clip, the first as it is, the others after what becomes of files on their way; `frames` of
    each at most.
    """
    for row in rows:
        images, still = even_crops(cache, row, frames), cache.still(row)
        rng = np.random.default_rng([22, *row.path.encode()])
        for number in range(copies):
            recipe = draw_way(rng) if number else UNTOUCHED
            found = _evidence(judge, row, row.family, row.method, [recipe(image) for image in images], size, still)
            yield _moving(found, cache, row, judge.motion)  # which no codec changes


def _moving(clip: ClipEvidence, cache: CropCache, row: ClipRow, motion: MotionHead | None) -> ClipEvidence:
    """The same with a last column on how its face moves, where that was seen."""
    measures = None if motion is None else cache.motion(row)
    if motion is None or measures is None:
        return clip
    said = np.full((len(clip.evidence), 1), float(motion.logit(measures)))
    return replace(clip, evidence=np.concatenate([clip.evidence, said], axis=1))


def frames_as_pictures(judge: Judge, rows: Sequence[ClipRow], cache: CropCache, size: int) -> Iterator[ClipEvidence]:
    """The middle frame of each clip as a picture that somebody took of it."""
    for row in rows:
        image = cache.crop(row, cache.count(row) // 2).image
        found = _evidence(judge, row, row.family, row.method, [image], size, True)
        yield replace(found, group=f"{found.group} (frames of videos)")


def relabelled(clips: Sequence[ClipEvidence], seed: int = 0) -> list[ClipEvidence]:
    """The clips with each other's evidence, drawn at random: for controls that must know nothing."""
    order = np.random.default_rng(seed).permutation(len(clips))
    return [
        replace(clip, evidence=clips[i].evidence, quality=clips[i].quality)
        for clip, i in zip(clips, order, strict=True)
    ]


def even_crops(cache: CropCache, row: ClipRow, frames: int | None = None) -> list[Image]:
    """Wide crops of a clip, at most `frames`, evenly spaced; None: all."""
    count = cache.count(row)
    chosen = np.unique(np.linspace(0, count - 1, min(frames or count, count)).round().astype(int))
    return [cache.crop(row, int(i)).image for i in chosen]


def _evidence(
    judge: Judge, row: ClipRow, family: str, method: str, images: Sequence[Image], size: int, still: bool,
    encoded: bool = False,
) -> ClipEvidence:  # fmt: skip
    """images: wide crops as stored, (side, side, 3) each; still: whether the clip is a picture."""
    views, video = [view(image, size) for image in images], encoded or not still
    quality = np.mean(
        [qualities(view, TIGHTEN * len(image), video) for view, image in zip(views, images, strict=True)], axis=0
    )
    group = group_of(row.dataset, row.method) + (" (pictures through H.264)" if encoded and still else "")
    return ClipEvidence(row.path, row.identity, family, judge.score(views), method, quality, still, group)


def _spread_over(people: People, count: int) -> list[ClipRow]:
    """A clip of every person, of at most `count` of them in an even walk."""
    names = sorted(people)
    return [people[names[i]][0] for i in range(0, len(names), -(-len(names) // count))]


def view(image: Image, size: int) -> Image:
    """The tight crop of a stored wide one, as a scan cuts it from the frame."""
    return tighten(Crop(0.0, 0.0, float(image.shape[0]))).apply(image, size)
