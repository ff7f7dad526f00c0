"""Heads that are learnt on a finished network: two that read all its layers, and one on how a face moves.

In: an exported network, the clips of the split "train" with their crops. Out: the network with those heads, and a
`MotionHead`. Each is a logistic regression, taught one kind of evidence by the fakes of that kind and no others, and
by those of collections alone (the second line of motion by sets of our own): with a few dozen fakes by a dozen hands
a whole network learns the hands by heart, and one line for all kinds of fakes gains on one kind what it loses on
another. Reals weigh as much as fakes, and every source (a method; a collection's pictures; its videos) counts by the
root of its size. A head's unit is what lines through some of the people said of the reals among the others: its own it
knows too well. A control (`samples.shuffled`) learns from labels that are true of half the clips.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.config import HEADS, LAYER_HEADS, MOTION, TAUGHT_BY, DetectorConfig
from detector.data.cache import CropCache
from detector.data.pair_makers import Material
from detector.data.pairs import PairSource
from detector.inference.backends import OnnxScorer
from detector.inference.fusion import pooled
from detector.motion.head import MotionHead
from detector.training.evidence import even_crops, view
from detector.training.layers import with_heads, with_layers
from detector.training.scaling import level
from sfumato.media.clips import TWIN, ClipRow, groups_of

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]
FEWEST = 12  # fakes, and people with reals, that a head takes
_MOST = 400  # clips of one source (`_source`), but for motions by rules: more of one kind teach little
_PARTS = 4  # of the people, each judged by a line through the others
_BY_FILE = "motion:"  # so the driver of a fake begins that follows a motion file
_OUTER = 0.01  # quantile of a measure that bounds it: what is further out is an accident of the landmarks


class Reader:
    """What a network without further heads sees in crops, each crop once: many detectors that differ in those heads
    alone are then learnt and judged at the price of one.
    """

    def __init__(self, network: bytes, threads: int = 1) -> None:
        """Raises CheckpointError for a network without maps."""
        self.network = network
        self._scorer = OnnxScorer(with_layers(network), threads)
        self._known: dict[bytes, tuple[Floats, Floats]] = {}

    def __call__(self, images: Sequence[Image]) -> tuple[Floats, Floats]:
        """images: (S, S, 3) uint8 RGB each, at least one. Returns (N, 2) logits of its own heads, and (N, D) the means
        of its layers.
        """
        keys = [hashlib.sha256(np.ascontiguousarray(image).data).digest() for image in images]
        new = {key: image for key, image in zip(keys, images, strict=True) if key not in self._known}
        if new:
            evidence, layers = self._scorer.with_layers(list(new.values()))
            self._known |= {key: (e[: len(HEADS)], row) for key, e, row in zip(new, evidence, layers, strict=True)}
        found = [self._known[key] for key in keys]
        return np.array([evidence for evidence, _ in found]), np.array([layers for _, layers in found])


def reader_of(network: bytes, config: DetectorConfig) -> Reader | None:
    """None where no heads on all layers are wanted, and for a network without maps."""
    if not (config.heads.layers and OnnxScorer(network).has_maps):
        return None
    return Reader(network, os.cpu_count() or 1)


@dataclass(frozen=True)
class LayerHeads:
    """weight: (2, D), bias: (2,), of LAYER_HEADS; methods: whose fakes taught them."""

    weight: Floats
    bias: Floats
    methods: tuple[str, ...]

    def put_on(self, network: bytes) -> bytes:
        """The network with these heads."""
        return with_heads(network, self.weight, self.bias)

    def score(self, reader: Reader) -> Callable[[Sequence[Image]], Floats]:
        """Crops to the (N, 4) logits of the network with these heads."""

        def scored(images: Sequence[Image]) -> Floats:
            evidence, layers = reader(images)
            return np.concatenate([evidence, layers @ self.weight.T + self.bias], axis=1)

        return scored


@dataclass(frozen=True)
class _Clip:
    """values: (frames, D) of one clip; source: see `_source`; part: of its people."""

    values: Floats
    fake: bool
    source: str
    part: int


def layer_heads(reader: Reader, rows: Sequence[ClipRow], cache: CropCache, config: DetectorConfig) -> LayerHeads | None:
    """The LAYER_HEADS, learnt from `rows` (of the split train, with crops). A kind that fewer than FEWEST fakes or
    people show gets one that says nothing: 0, whatever the face. None if no kind is shown by enough.
    """
    chosen = _chosen(rows, cache, config)
    taught = {head: found for head in LAYER_HEADS if (found := _of_kind(head, chosen, cache))}
    if not taught:
        return None
    needed = {row.path: row for found in taught.values() for row in found}
    seen = {path: reader(_views(row, cache, config))[1] for path, row in needed.items()}
    width = next(iter(seen.values())).shape[1]
    weight, bias = np.zeros((len(LAYER_HEADS), width)), np.zeros(len(LAYER_HEADS))
    for head, found in taught.items():
        clips = _labelled(_clips(found, seen, cache), config)
        mean, deviation, line, constant = _calibrated(clips, config.heads.layer_strength)
        number = LAYER_HEADS.index(head)
        weight[number] = line / deviation
        bias[number] = constant - float(weight[number] @ mean)
    return LayerHeads(weight, bias, _methods(needed.values()))


def _of_kind(head: str, chosen: Sequence[ClipRow], cache: CropCache) -> list[ClipRow]:
    """What teaches a head, its fakes and reals; nothing where they are too few. Seams are held against reals of the
    same kind of file, for a photograph is no blended video. What is synthesised is held against all: where no generated
    picture was seen, real ones must have been, or every picture is suspect.
    """
    fakes = [row for row in chosen if row.label == "fake" and row.family in TAUGHT_BY[head]]
    kinds = {cache.still(row) for row in fakes} if head == "blend-layers" else {True, False}
    reals = [row for row in chosen if row.label == "real" and cache.still(row) in kinds]
    return [*fakes, *reals] if _enough(fakes, reals) else []


def _views(row: ClipRow, cache: CropCache, config: DetectorConfig) -> list[Image]:
    return [view(image, config.model.size) for image in even_crops(cache, row, config.heads.frames)]


def motion_head(
    rows: Sequence[ClipRow], cache: CropCache, config: DetectorConfig
) -> tuple[MotionHead, tuple[str, ...]] | None:
    """What tells the motion of fakes among `rows` (of the split train, with crops) from that of reals, and the methods
    of those fakes; None where fewer than FEWEST fakes or people were seen moving. Motions by rules have a line of their
    own, where as many fakes follow them. A filmed photograph teaches neither: it is no face that moves.
    """
    chosen, acted = _chosen(rows, cache, config), _acted(rows, cache, config)
    known = {row.path: found for row in [*chosen, *acted] if (found := cache.motion(row)) is not None}
    reals = [row for row in chosen if row.label == "real" and row.method != TWIN and row.path in known]
    fakes = [row for row in chosen if row.label == "fake" and row.family in TAUGHT_BY[MOTION] and row.path in known]
    acted = [row for row in acted if row.path in known]
    driven = _motion_line(fakes, reals, known, cache, config, config.heads.motion_strength)
    by_rules = _motion_line(acted, reals, known, cache, config, config.heads.acted_strength)
    if driven is None:
        return None
    return replace(driven, acted=by_rules), _methods([*fakes, *(acted if by_rules else ())])


def _motion_line(
    fakes: Sequence[ClipRow],
    reals: Sequence[ClipRow],
    known: Mapping[str, Floats],
    cache: CropCache,
    config: DetectorConfig,
    strength: float,
) -> MotionHead | None:
    if not _enough(fakes, reals):
        return None
    measures = {row.path: known[row.path] for row in [*fakes, *reals]}
    lowest, highest = np.quantile(np.array(list(measures.values())), [_OUTER, 1 - _OUTER], axis=0)
    held = {path: np.clip(found, lowest, highest)[None] for path, found in measures.items()}
    clips = _clips([*fakes, *reals], held, cache)
    mean, deviation, line, constant = _calibrated(_labelled(clips, config), strength)
    numbers = [tuple(map(float, part)) for part in (lowest, highest, mean, deviation, line)]
    return MotionHead(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], constant)


def _clips(rows: Sequence[ClipRow], values: Mapping[str, Floats], cache: CropCache) -> list[_Clip]:
    """values: {path: (frames, D)}. All that are tied to each other are in one part; fakes are dealt first."""
    groups = groups_of(rows)
    forged = {group for row, group in zip(rows, groups, strict=True) if row.label == "fake"}
    names = sorted(set(groups), key=lambda name: (name not in forged, hashlib.sha256(name.encode()).digest()))
    part = {name: place % _PARTS for place, name in enumerate(names)}
    return [
        _Clip(values[row.path], row.label == "fake", _source(row, cache), part[group])
        for row, group in zip(rows, groups, strict=True)
    ]


def _methods(rows: Iterable[ClipRow]) -> tuple[str, ...]:
    """Of the fakes among them."""
    return tuple(sorted({row.method for row in rows if row.label == "fake"}))


def _labelled(clips: Sequence[_Clip], config: DetectorConfig) -> list[_Clip]:
    """The clips as they are; for a control every other one of each source is called a fake, so that what is true of all
    of a source tells nothing.
    """
    if not config.samples.shuffled:
        return list(clips)
    ordered = sorted(clips, key=lambda clip: (clip.fake, clip.source))
    return [replace(clip, fake=place % 2 == 0) for place, clip in enumerate(ordered)]


def _chosen(rows: Sequence[ClipRow], cache: CropCache, config: DetectorConfig) -> list[ClipRow]:
    """The reals of the split train, and of its listed fakes of the mix those by others; of each source at most
    `_MOST`, evenly drawn. What this program made of one's own footage is the net's to learn: by the hundred, and all
    alike, such fakes would decide what a line looks for, and it would find others' the less.
    """
    material, collected = _material(rows, cache, config)
    by_others = (row for row in collected if not row.generator_digest)
    return _evenly_of_each([*material.reals, *material.twins, *by_others], cache)


def _acted(rows: Sequence[ClipRow], cache: CropCache, config: DetectorConfig) -> list[ClipRow]:
    """Of the split train the fakes of sets of our own whose driver is a motion file: such as the program has are made
    by rules. All of them, for each is another performance.
    """
    _, collected = _material(rows, cache, config)
    acted = [
        row
        for row in collected
        if row.generator_digest and row.family in TAUGHT_BY[MOTION] and (row.driver_id or "").startswith(_BY_FILE)
    ]
    return sorted(acted, key=lambda row: row.sha256)


def _material(rows: Sequence[ClipRow], cache: CropCache, config: DetectorConfig) -> tuple[Material, list[ClipRow]]:
    """All of the split train, and of its fakes those that are of a collection or a set and of the mix."""
    source = PairSource([row for row in rows if row.split == "train"], cache, config)
    drawn = {(maker.method, maker.family) for maker in source.makers}
    fakes = source.material.fakes
    return source.material, [row for row in fakes if row.dataset is not None and (row.method, row.family) in drawn]


def _evenly_of_each(rows: Iterable[ClipRow], cache: CropCache) -> list[ClipRow]:
    found: dict[str, list[ClipRow]] = {}
    for row in rows:
        found.setdefault(_source(row, cache), []).append(row)
    return [row for _, alike in sorted(found.items()) for row in _evenly(alike)]


def _evenly(rows: list[ClipRow]) -> Iterator[ClipRow]:
    places = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), _MOST)).round().astype(int))
    return (sorted(rows, key=lambda row: row.sha256)[place] for place in places)


def _source(row: ClipRow, cache: CropCache) -> str:
    """The method of a fake. Of a real where it comes from, and whether it is a picture: a few films among thousands of
    photographs are a source of their own.
    """
    if row.label == "fake":
        return row.method
    return f"{row.dataset or 'own'}/{row.method}/{'pictures' if cache.still(row) else 'videos'}"


def _enough(fakes: Sequence[ClipRow], reals: Sequence[ClipRow]) -> bool:
    return len(fakes) >= FEWEST and len({row.identity for row in reals}) >= FEWEST


def _calibrated(clips: Sequence[_Clip], strength: float) -> tuple[Floats, Floats, Floats, float]:
    """As `_line`, scaled and shifted so that among what lines through the other parts say of the reals of each, the
    middle is 0 and the worst 1 (`detector.training.scaling.level`). Parts that no line can be had without go without:
    no part at all, and the line's own reals have to do.
    """
    mean, deviation, weight, bias = _line(clips, strength)
    said: list[float] = []
    for part in sorted({clip.part for clip in clips}):
        others = [clip for clip in clips if clip.part != part]
        if len({clip.fake for clip in others}) == 2:
            said += _of_reals([clip for clip in clips if clip.part == part], *_line(others, strength))
    scale, offset = level(said or _of_reals(clips, mean, deviation, weight, bias))
    return mean, deviation, scale * weight, scale * bias + offset


def _of_reals(clips: Sequence[_Clip], mean: Floats, deviation: Floats, weight: Floats, bias: float) -> list[float]:
    return [pooled((clip.values - mean) / deviation @ weight + bias) for clip in clips if not clip.fake]


def _line(clips: Sequence[_Clip], strength: float) -> tuple[Floats, Floats, Floats, float]:
    """(mean, deviation, weight, bias): the logit of values x is weight @ (x - mean) / deviation + bias. strength: the
    likelihood of all clips together, over the penalty of the squared weights; it does not grow with their number: all
    clips twice are the same line. Those of one source twice count 1.4 times as much beside the others.
    """
    from sklearn.linear_model import LogisticRegression

    values = np.concatenate([clip.values for clip in clips])
    fake = np.concatenate([np.full(len(clip.values), clip.fake) for clip in clips])
    shares = _shares(clips)
    weight = np.concatenate([np.full(len(c.values), s / len(c.values)) for c, s in zip(clips, shares, strict=True)])
    mean, deviation = values.mean(0), np.maximum(values.std(0), 1e-6)
    model: Any = LogisticRegression(C=strength, max_iter=1000)
    model.fit((values - mean) / deviation, fake, sample_weight=weight)
    return mean, deviation, np.asarray(model.coef_[0], np.float64), float(model.intercept_[0])


def _shares(clips: Sequence[_Clip]) -> Floats:
    """(N,) summing to 1: half to the reals, half to the fakes, in each to a source by the root of its size."""
    sizes = Counter((clip.fake, clip.source) for clip in clips)
    share = np.array([sizes[clip.fake, clip.source] ** -0.5 for clip in clips])
    fake = np.array([clip.fake for clip in clips])
    return np.asarray(share / (2 * np.where(fake, share[fake].sum(), share[~fake].sum())), np.float64)
