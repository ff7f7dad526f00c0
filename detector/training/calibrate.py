"""Calibration: scores of held-out clips to one probability, and thresholds at stated false-positive rates.

In: the frame evidence of clips of people the net never saw. Out: a `Stack` and thresholds. The stack's numbers are
fitted on whole clips, not frames. Thresholds hold for every group of the reals: detector/training/groups.py has the
rule and what it guarantees.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.config import FAMILY_HEADS, HEADS, PICTURE_HEADS
from detector.evaluation.metrics import auc, calibration_error
from detector.inference.fusion import Lines, Stack, pooled, probability
from detector.inference.quality_norm import fit_norm
from detector.inference.thresholds import Coverage
from detector.training.evidence import ClipEvidence, Floats
from detector.training.groups import RULE, GroupedThresholds, grouped_thresholds
from detector.training.scaling import level, platt
from sfumato.errors import UsageError
from sfumato.media.clips import TWIN, ClipRow

_FEWEST = 30  # reals that a unit is taken from, where it has one already
_EDGE = 10.0  # slope of every head's logit where its worst reals are: so steep, the largest of several is all of them
_PRIOR = 1e-3  # holds a line a little: on cleanly separated clips it would run away
NORM_PEOPLE = 100  # with drawn people, half as many cost more true positives than the norm saved false ones


@dataclass(frozen=True)
class Calibration:
    """found: thresholds, and what each group of the reals carries; n_real: how many, one clip a person; digest: of the
    clips and their logits; covers: the files that were looked at, None: not known; frames: at most so many of each.
    """

    stack: Stack
    found: GroupedThresholds
    n_real: int
    digest: str
    covers: Coverage | None = None
    frames: int | None = None

    @property
    def thresholds(self) -> dict[float, float]:
        """{alpha: logit}."""
        return self.found.thresholds

    @property
    def left_out(self) -> tuple[float, ...]:
        """Alphas that n_real clips cannot carry."""
        return self.found.left_out

    def as_json(self) -> dict[str, Any]:
        return calibration_json(self.stack.as_json(), self.found, self.n_real, self.digest, self.covers, self.frames)


def calibration_json(
    stack: Mapping[str, Any],
    found: GroupedThresholds,
    n_real: int,
    digest: str,
    covers: Coverage | None = None,
    frames: int | None = None,
) -> dict[str, Any]:
    """The section of a detector's record that docs/schemas/detector-record.schema.json describes. stack: its JSON."""
    return {
        "stack": dict(stack),
        "thresholds": {str(alpha): threshold for alpha, threshold in found.thresholds.items()},
        "left_out": list(found.left_out),
        "rule": RULE,
        "n_real": n_real,
        "id": digest[:16],
        "sha256": digest,
        **found.as_json(),
        "covers": None if covers is None else covers.as_json(),
        "frames": frames,
    }


def calibrate(
    fitting: Sequence[ClipEvidence], reals: Sequence[ClipEvidence], alphas: Iterable[float], trained: Iterable[str],
    copies: Sequence[ClipEvidence] = (), heads: Sequence[str] = HEADS,
) -> Calibration:  # fmt: skip
    """Fits the stack on `fitting` (reals, twins, fakes), sets thresholds on `reals` (other people). `trained`: families
    the net saw; heads: what the columns of their evidence are. One that says the same of all clips was never taught,
    and counts for nothing.

    `copies`: reals of many qualities, for the norm; without them files of all qualities are held to the same. Raises
    UsageError if not even the largest alpha can be had.
    """
    known = {head for family in trained for head in FAMILY_HEADS[family]}
    said = [_of_all(clip.evidence, len(heads)) for clip in fitting]
    varied = [len({float(value) for each in said for value in each[:, place]} - {-math.inf}) > 1
              for place in range(len(heads))]  # fmt: skip
    used = {name: name in known or (name not in HEADS and tells) for name, tells in zip(heads, varied, strict=True)}
    stack = fit_stack(fitting, used)
    return set_thresholds(with_norm(stack, copies, fitting) if copies else stack, reals, alphas)


def set_thresholds(stack: Stack, reals: Sequence[ClipEvidence], alphas: Iterable[float]) -> Calibration:
    """Thresholds of a fitted stack on `reals`, which hold for each of their groups. Raises UsageError if not even the
    largest alpha can be had.
    """
    logits = [clip_logit(stack, clip) for clip in reals]
    groups: dict[str, list[float]] = {}
    for clip, logit in zip(reals, logits, strict=True):
        groups.setdefault(clip.group, []).append(logit)
    return Calibration(stack, grouped_thresholds(groups, alphas), len(logits), _digest(reals, logits))


def clip_logit(stack: Stack, clip: ClipEvidence) -> float:
    """What a scan gives a track of these frames."""
    return pooled((stack if clip.quality is None else stack.at(clip.quality)).logit(clip.evidence))


def with_norm(stack: Stack, copies: Sequence[ClipEvidence], fitting: Sequence[ClipEvidence]) -> Stack:
    """The stack with a quality norm of `copies`, reals of many qualities; its normed logits are a probability's again
    on `fitting`.

    `copies` of too few people for a norm (`enough_people`): the stack as it is.
    """
    if not enough_people(copies):
        return stack
    norm = fit_norm(np.array([clip.quality for clip in copies]), np.array([clip_logit(stack, clip) for clip in copies]))
    normed = replace(stack, norm=norm)
    logits, fake = _labelled(normed, fitting)
    gain, shift = platt(logits, fake, _weights(fitting), _PRIOR)
    return replace(stack, norm=replace(norm, gain=gain, shift=shift))


def fit_stack(clips: Sequence[ClipEvidence], used: Mapping[str, bool]) -> Stack:
    """Every head is held to what it says of reals, of pictures and of videos apart, so that the middle and the worst of
    them are alike for all heads: what is odd to one counts as much as what is odd to another, and none causes most of
    the false alarms. They join all but as the largest of them (`_EDGE`): a sum of what several say of reals must not
    add up to what one says of a fake. What they say together becomes a probability's logit by the line of the least
    negative log-likelihood; reals and each method of fakes weigh the same.

    Likelihood is not asked for each head's own slope: with few fakes of a kind, each would be small. `used`: {head:
    whether it counts}, in the order of the columns; clips may lack the last ones. Of pictures PICTURE_HEADS alone are
    asked where they count. Raises UsageError without reals or without fakes.
    """
    if all(clip.family == "real" for clip in clips) or all(clip.family != "real" for clip in clips):
        raise UsageError("Calibration needs real clips and fakes", "Give the split validation some of both.")
    alone = {name: PICTURE_HEADS.get(name.removesuffix("-layers"), name) for name in used}
    asked = {name: use and (name == alone[name] or not used.get(alone[name])) for name, use in used.items()}
    videos, pictures = (_lines([clip for clip in clips if clip.video == video] or clips, use)
                        for video, use in ((True, used), (False, asked)))  # fmt: skip
    stack = Stack(videos.scale, videos.offset, heads=tuple(used), pictures=pictures)
    gain, shift = platt(*_labelled(stack, clips), _weights(clips), _PRIOR)
    return replace(stack, gain=gain, shift=shift)


def _lines(clips: Sequence[ClipEvidence], used: Mapping[str, bool]) -> Lines:
    """Of each head the line that makes it alike to the others on the reals among these clips."""
    lines = [_level(clips, place, name) if use else (0.0, 0.0) for place, (name, use) in enumerate(used.items())]
    scales = tuple(_EDGE * scale for scale, _ in lines)
    return Lines(scales, tuple(_EDGE * offset - (_EDGE - 1) if scale else 0.0 for scale, offset in lines))


def _level(clips: Sequence[ClipEvidence], head: int, name: str) -> tuple[float, float]:
    """The scale and offset that make a head alike to others on these reals; (0, 0) where it looked at none. One that
    was learnt on the finished net comes in that unit by more of them (`detector.training.further_heads`), and keeps it
    where these are few.
    """
    reals = [clip for clip in clips if clip.family == "real" and clip.evidence.shape[1] > head]
    if len(reals) < _FEWEST and name not in HEADS:
        return 1.0, 0.0
    return level([_pooled(clip, head) for clip in reals]) if reals else (0.0, 0.0)


def _pooled(clip: ClipEvidence, head: int) -> float:
    return pooled(clip.evidence[:, head]) if clip.evidence.shape[1] > head else -math.inf


def _of_all(evidence: Floats, heads: int) -> Floats:
    """(frames, heads): -inf where the last heads did not look."""
    missing = heads - evidence.shape[1]
    return np.concatenate([evidence, np.full((len(evidence), missing), -np.inf)], axis=1) if missing else evidence


def enough_people(clips: Sequence[ClipEvidence | ClipRow]) -> bool:
    """Whether a quality norm of these, or of copies of them, pays: those of one person are alike, however many."""
    return len({clip.identity for clip in clips}) >= NORM_PEOPLE


def _weights(clips: Sequence[ClipEvidence]) -> Floats:
    """(N,) summing to 1: half of it to the reals, the other half to the methods of fakes alike."""
    alike = Counter("real" if clip.family == "real" else clip.kind for clip in clips)
    fakes = max(len(alike) - 1, 1)
    return np.array(
        [0.5 / alike["real"] if clip.family == "real" else 0.5 / (alike[clip.kind] * fakes) for clip in clips]
    )


def divide(clips: Sequence[ClipEvidence], share: float) -> tuple[list[ClipEvidence], list[ClipEvidence]]:
    """By identity, seeded by its name: `share` of the people to the first list, all others to the second."""
    first: list[ClipEvidence] = []
    second: list[ClipEvidence] = []
    for clip in clips:
        (first if is_fitted_on(clip.identity, share) else second).append(clip)
    return first, second


def is_fitted_on(identity: str, share: float) -> bool:
    """Whether `divide` puts this person into its first list."""
    return int.from_bytes(hashlib.sha256(identity.encode()).digest()[:4], "big") / 2**32 < share


def one_clip_a_person(clips: Sequence[ClipEvidence]) -> list[ClipEvidence]:
    """Of each person the clip whose name hashes lowest: a draw that looks at no score. Clips of one person are not
    independent.
    """
    people: dict[str, ClipEvidence] = {}
    for clip in sorted(clips, key=lambda clip: hashlib.sha256(clip.clip.encode()).hexdigest()):
        people.setdefault(clip.identity, clip)
    return [people[name] for name in sorted(people)]


def report(
    pictures: Calibration, videos: Calibration, clips: Sequence[ClipEvidence], encoded: bool = False
) -> dict[str, Any]:
    """AUC of each method against the reals, and against the twins, which share codec and size with the listed fakes;
    the share of each method above each threshold of its kind of file, "twin" being the real counterparts of fakes.
    encoded: pictures count as videos too.
    """
    logits: dict[str, list[float]] = {}
    margins: dict[str, dict[str, list[bool]]] = {
        str(alpha): {} for alpha in pictures.thresholds if alpha in videos.thresholds
    }
    for clip in clips:
        logit = clip_logit(pictures.stack, clip)
        logits.setdefault(clip.kind, []).append(logit)
        thresholds = (videos if encoded or clip.video else pictures).thresholds
        for alpha, above in margins.items():
            above.setdefault(clip.kind, []).append(logit > thresholds[float(alpha)])
    reals, twins = logits.get("real", []), logits.get(TWIN, [])
    return {
        "clips": {kind: len(values) for kind, values in sorted(logits.items())},
        "auc": {
            kind: auc(values, reals) for kind, values in sorted(logits.items()) if kind not in ("real", TWIN) and reals
        },
        "auc_against_twins": {
            kind: auc(values, twins) for kind, values in sorted(logits.items()) if kind not in ("real", TWIN) and twins
        },
        "above_threshold": {
            alpha: {kind: float(np.mean(values)) for kind, values in sorted(above.items())} for alpha,
            above in margins.items()
        },
    }  # fmt: skip


def temperature(stack: Stack, clips: Sequence[ClipEvidence]) -> float:
    """The T for which the clips' logits / T have the least negative log-likelihood, reals and fakes weighing the same;
    1/8 to 8.
    """
    from scipy.optimize import minimize_scalar

    logits, fake = _labelled(stack, clips)
    weight = np.where(fake, 0.5 / max(fake.sum(), 1), 0.5 / max((~fake).sum(), 1))
    signed = np.where(fake, -logits, logits)

    def cost(log: float) -> float:
        return float((np.logaddexp(0.0, signed / math.exp(log)) * weight).sum())

    return math.exp(float(minimize_scalar(cost, bounds=(-2.08, 2.08), method="bounded").x))


def probability_report(
    stack: Stack, fitting: Sequence[ClipEvidence], tested: Sequence[ClipEvidence]
) -> dict[str, float]:
    """ECE of the probabilities on `tested`, as they are and with the temperature that `fitting` asks for.

    The temperature is not applied: the stack has scales of its own, and on the detector this was measured with (395
    test clips) one of 1.15 raised the error from .039 to .047.
    """
    warmth = temperature(stack, fitting)
    logits, fake = _labelled(stack, tested)
    errors = [calibration_error(fake, probability(values)) for values in (logits, logits / warmth)]
    return {"ece": errors[0], "temperature": warmth, "ece_with_temperature": errors[1], "clips": float(len(fake))}


def _labelled(stack: Stack, clips: Sequence[ClipEvidence]) -> tuple[Floats, NDArray[np.bool_]]:
    return np.array([clip_logit(stack, clip) for clip in clips]), np.array([clip.family != "real" for clip in clips])


def _digest(reals: Sequence[ClipEvidence], logits: Sequence[float]) -> str:
    """Which clips, with which logits: two calibrations with one digest are the same calibration."""
    facts: Mapping[str, str] = {
        f"{clip.clip}|{clip.identity}": f"{logit:.6f}" for clip, logit in zip(reals, logits, strict=True)
    }
    return hashlib.sha256(repr(sorted(facts.items())).encode()).hexdigest()
