"""Why a score: where in the face the evidence lies, and the kinds of evidence in words. No torch, no gradients at run
time.

In: the crops of the frames that count most, their logits, what each place adds to those (`Scorer.maps`), 68 landmarks.
Out: an `Explanation`. The map of the file's score is the heads' maps weighted by the gradient of the calibrated
stack: Grad-CAM (Selvaraju et al. 2017) of that score, since each head is linear in the mean over places. Only what
speaks for forgery is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.config import HEADS, MOTION
from detector.inference.fusion import Stack
from detector.inference.thresholds import Band, Thresholds

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]
REGIONS = ("forehead", "eyes", "nose", "mouth", "cheeks", "outside")
REGION_NAMES = {
    "forehead": "the forehead", "eyes": "eyes and brows", "nose": "the nose", "mouth": "the mouth",
    "cheeks": "cheeks and jaw",
    "outside": "hair, neck, background",
}  # fmt: skip
# a face pasted in; a face made as a whole; a face that a network moved
EVIDENCE = {"blend": "blending", "synthesis": "synthesis", MOTION: "motion"}
_FOREHEAD = 0.4  # of the way from chin to brows, above the brows: the 68 points end there


@dataclass(frozen=True)
class ExplainedFrame:
    """One frame. crop: (S, S, 3) uint8 RGB; evidence: (N,) the net's logits; maps: (N, h, w) what each place adds to
    them, times h w; weights: (N,) what a unit of each adds to the calibrated logit; heads: their names; regions: (S, S)
    indices into REGIONS.
    """

    time: float
    logit: float
    crop: Image
    evidence: Floats
    maps: Floats
    weights: Floats
    regions: NDArray[np.int64]
    heads: tuple[str, ...] = HEADS

    def map(self) -> Floats:
        """(S, S), at least 0: what speaks for forgery, in units of the calibrated logit."""
        return enlarge(np.tensordot(self.weights, self.maps, 1), len(self.crop))

    def kind_maps(self) -> Floats:
        """(2, S, S), at least 0: the same for each kind of evidence that has a place, in the order of HEADS."""
        own = np.array([[kind_of(head) == kind for head in self.heads] for kind in HEADS]) * self.weights  # (2, N)
        return np.stack([enlarge(np.tensordot(weights, self.maps, 1), len(self.crop)) for weights in own])

    def told(self) -> dict[str, float]:
        """{kind: what the head says that counts most for it}, of the kinds that have a place; as it says it, not
        calibrated. Of two that count alike, the one that reads all layers.
        """
        found = {}
        for kind in HEADS:
            own = [place for place, head in enumerate(self.heads) if kind_of(head) == kind]
            found[kind] = float(self.evidence[max(reversed(own), key=lambda place: self.weights[place])])
        return found


@dataclass(frozen=True)
class Explanation:
    """frames: the ones that count most, the highest first. shares, areas: {region: share}, each sums to 1; shares is
    None where nothing speaks for forgery.
    """

    frames: tuple[ExplainedFrame, ...]
    shares: dict[str, float] | None
    areas: dict[str, float]


def explain(
    stack: Stack,
    times: Sequence[float],
    crops: Sequence[Image],
    evidence: Floats,
    maps: Floats,
    points: Sequence[NDArray[Any]],
) -> Explanation:
    """crops: (S, S, 3) each; evidence: (N, H) of the stack's heads, those that have a map first; maps: (N, M, h, w), M
    at most H; points: (68, 2) px of the crop each; N at least 1.
    """
    mapped = maps.shape[1]
    frames = tuple(
        ExplainedFrame(
            time,
            float(stack.logit(e)),
            crop,
            e[:mapped],
            m,
            stack.weights(e)[:mapped],
            face_regions(p, len(crop)),
            stack.heads[:mapped],
        )
        for time, crop, e, m, p in zip(times, crops, evidence, maps, points, strict=True)
    )
    regions = np.stack([frame.regions for frame in frames])
    return Explanation(frames, _shares_of(frames), _shares(np.ones(regions.shape), regions))


def enlarge(values: NDArray[Any], side: int) -> Floats:
    """(h, w) to (side, side), bilinear, what is below 0 left out, as Grad-CAM shows it."""
    positive = np.maximum(np.asarray(values, np.float32), 0)
    return np.asarray(cv2.resize(positive, (side, side), interpolation=cv2.INTER_LINEAR), np.float64)


def face_regions(points: NDArray[Any], side: int) -> NDArray[np.int64]:
    """points: (68, 2) px in 300-W order. Returns (side, side) indices into REGIONS; where two overlap, the smaller part
    has it.
    """
    points = np.asarray(points, np.float64)
    brows = points[17:27]
    lifted = brows + _FOREHEAD * (brows.mean(0) - points[8])
    sides = [np.concatenate([points[17:22], points[36:42]]), np.concatenate([points[22:27], points[42:48]])]
    outlines = [
        ("cheeks", np.concatenate([points[:17], brows])),
        ("forehead", np.concatenate([brows, lifted, points[[0, 16]]])),
        ("nose", _grown(points[27:36], 1.25)),
        ("mouth", _grown(points[48:60], 1.25)),
        *(("eyes", _grown(part, 1.2)) for part in sides),
    ]
    drawn = np.full((side, side), REGIONS.index("outside"), np.uint8)
    for name, outline in outlines:
        cv2.fillConvexPoly(drawn, cv2.convexHull(np.rint(outline).astype(np.int32)), REGIONS.index(name))
    return drawn.astype(np.int64)


@dataclass(frozen=True)
class HeadFacts:
    """One kind of evidence in one file. evidence: the net's logit, the mean over the frames that count; logit: the same
    calibrated, None for a head that was never trained.

    level: "strong" (flags by itself), "raised" (above the loosest threshold), "low", or "untrained"; above: the share
    in [0, 1] of real clips that show less, at the strictest threshold passed, None where none is; of: of which real
    clips that is true, "" where they are too few to say.
    """

    evidence: float
    logit: float | None
    level: Literal["strong", "raised", "low", "untrained"]
    above: float | None
    of: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def kind_of(head: str) -> str:
    """Of KINDS: what kind of evidence a head gives."""
    return head.removesuffix("-layers")


def head_facts(stack: Stack, evidence: NDArray[Any], thresholds: Thresholds, fpr: float) -> dict[str, HeadFacts]:
    """{kind of evidence: its facts} of one file; of the heads of a kind, the one that says most. A kind that the file
    was not looked at for is left out. evidence: (frames, H) of the frames that count; fpr: the false-positive rate that
    flags. No head exceeds the joint logit, so a joint threshold holds for a head too.
    """
    pooled = np.asarray(evidence, np.float64).mean(0)  # (H,)
    facts: dict[str, HeadFacts] = {}
    for head, value, logit in zip(stack.heads, pooled.tolist(), stack.each(evidence).mean(0).tolist(), strict=False):
        kind = kind_of(head)
        known = facts[kind].logit if kind in facts else None
        if known is not None and known >= logit:
            continue
        if not np.isfinite(logit):
            facts[kind] = HeadFacts(value, None, "untrained", None)
            continue
        band, exceeded = thresholds.band(logit, fpr), thresholds.exceeded(logit)
        level: Literal["strong", "raised", "low"] = (
            "strong" if band.flagged else "raised" if band == Band.RAISED else "low"
        )
        passed = (1 - exceeded[0], thresholds.reals(exceeded[0])) if exceeded else (None, None)
        facts[kind] = HeadFacts(value, logit, level, *passed)
    return facts


def limited(explanation: Explanation, facts: Mapping[str, HeadFacts], flagged: bool) -> Explanation:
    """The same with only those kinds of evidence that the words speak of: a head that shows no more than many real
    clips do has no place that could be shown. Where neither flags alone and both together do, both count, if one
    of them shows anything.
    """
    telling = {name for name, fact in facts.items() if fact.level in ("strong", "raised")}
    if telling and flagged and not any(fact.level == "strong" for fact in facts.values()):
        telling = {name for name, fact in facts.items() if fact.level != "untrained"}
    frames = tuple(
        replace(frame, weights=frame.weights * np.array([kind_of(head) in telling for head in frame.heads], np.float64))
        for frame in explanation.frames
    )
    return Explanation(frames, _shares_of(frames), explanation.areas)


def in_words(facts: Mapping[str, HeadFacts], flagged: bool) -> str:
    """One sentence about the kinds of evidence; two where only all together flag. Never what the file is."""
    logits = {name: -np.inf if fact.logit is None else fact.logit for name, fact in facts.items()}
    told: dict[str, list[str]] = {}
    for name in sorted(facts, key=lambda name: -logits[name]):
        told.setdefault(_told(facts[name]), []).append(EVIDENCE[name])
    sentence = "; ".join(f"of {_listed(kinds)}: {said}" for said, kinds in told.items())
    together = flagged and not any(fact.level == "strong" for fact in facts.values())
    alone = "Neither" if len(facts) == len(HEADS) else "None"
    all_of_them = "both" if len(facts) == len(HEADS) else "all"
    joint = f" {alone} alone passes the threshold, {all_of_them} together do." if together else ""
    return f"Evidence {sentence}.{joint}"


def _listed(kinds: Sequence[str]) -> str:
    return " and of ".join([", of ".join(kinds[:-1]), kinds[-1]] if len(kinds) > 1 else kinds)


def _told(fact: HeadFacts) -> str:
    if fact.level == "untrained":
        return "not looked for, the detector was not trained on them"
    if fact.above is None:
        return "no more than many real clips show"
    if not fact.of:
        return "more than most real clips that it was calibrated on show, which come from too small groups to say more"
    rest = round(1 / (1 - fact.above))
    return f"more than {rest - 1:,} in {rest:,} {fact.of} show"


def _shares_of(frames: Sequence[ExplainedFrame]) -> dict[str, float] | None:
    """None where nothing speaks for forgery."""
    weight = np.stack([frame.map() for frame in frames])
    return _shares(weight, np.stack([frame.regions for frame in frames])) if weight.sum() > 0 else None


def _shares(weight: Floats, regions: NDArray[np.int64]) -> dict[str, float]:
    sums = np.bincount(regions.ravel(), weight.ravel(), len(REGIONS)) / weight.sum()
    return {name: float(share) for name, share in zip(REGIONS, sums, strict=True)}


def _grown(points: Floats, by: float) -> Floats:
    centre = (points.min(0) + points.max(0)) / 2
    return np.asarray(centre + (points - centre) * by, np.float64)


def standing_out(shares: Mapping[str, float], areas: Mapping[str, float]) -> list[str]:
    """The regions that hold clearly more of the evidence than of the picture, the densest first; none with less than a
    twentieth of it.
    """
    dense = {name: shares[name] / areas[name] for name in shares if areas[name] > 0 and shares[name] >= 0.05}
    return [name for name in sorted(dense, key=lambda name: -dense[name]) if dense[name] > 1.2]


def where_in_words(shares: Mapping[str, float] | None, areas: Mapping[str, float]) -> str:
    """The same in a sentence, with both shares of each."""
    if shares is None:
        return "No place speaks for forgery."
    found = [
        f"{REGION_NAMES[name]} ({shares[name]:.0%} of it on {areas[name]:.0%} of the picture)"
        for name in standing_out(shares, areas)
    ]
    return f"The evidence is densest at {', '.join(found)}." if found else "The evidence is spread over the picture."
