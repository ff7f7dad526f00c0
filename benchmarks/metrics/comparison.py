"""How well fakes are told from their own reals, and what changed since: scored videos in, the numbers of a row out.

A family is a method ("landmark-warp", "swap-poisson"); its reals are the twins that its fakes name, or all reals where
none is named. One score a video, the one `sfumato scan` gives (highest track, top third), .5 without a face. Intervals
resample people (or chains of shared sources), never frames; a change is measured on the same draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.metrics.intervals import percentile_interval
from benchmarks.rows.comparison import BarRow, ClusterCount, Compared, Rate, Rates, VideoEstimate
from benchmarks.rows.robustness import ComparedReals
from benchmarks.rows.row import Estimate, Interval, Row
from detector.datasets.sample import Sample
from detector.evaluation.intervals import Clusters, bootstrap, rate_bounds
from detector.evaluation.metrics import Curve, Floats
from detector.evaluation.protocol import Protocol, Scored, coverage, units
from sfumato.errors import UsageError

AnyRow = TypeVar("AnyRow", bound=Row)
INTERVAL = (
    "95 % percentile bootstrap over people or sources, 2000 draws; changes on the same draws; rates: Clopper-Pearson"
)


def family_of(sample: Sample) -> str:
    """Its method; a fine-tuned generator is the same family."""
    return sample.method.removesuffix("-tuned")


def families_of(samples: Iterable[Sample]) -> list[str]:
    """Of the fakes, sorted."""
    return sorted({family_of(sample) for sample in samples if sample.label == "fake"})


def reals_for(samples: Sequence[Sample], fakes: Sequence[int]) -> list[int]:
    """Numbers of the reals that `fakes` (numbers) name as their twins; all reals if none of them is there."""
    named = {samples[i].pair_of for i in fakes}
    reals = [i for i, sample in enumerate(samples) if sample.label == "real"]
    return [i for i in reals if samples[i].path in named] or reals


def trained_on(samples: Sequence[Sample], record: Mapping[str, Any]) -> set[str]:
    """Families (methods) that the detector was trained on: as its record names them; else those of fakes whose
    generator it names; else every method of the wider families it names.
    """
    training = record.get("training", {})
    fakes = [sample for sample in samples if sample.label == "fake"]
    if "methods" in training:
        methods = [*training["methods"], *training.get("heads", {}).get("methods", ())]
        return {str(name).removesuffix("-tuned") for name in methods}
    seen = {family_of(s) for s in fakes if s.generator_digest and s.generator_digest in training.get("generators", ())}
    return seen or {family_of(s) for s in fakes if s.family in training.get("families", ())}


def protocol_for(frames: int, clusters: Clusters) -> Protocol:
    """What a scan reports."""
    return Protocol("track", "top-third", "half", frames, clusters.unit)


def scores_of(scored: Sequence[Scored], protocol: Protocol) -> Floats:
    """(N,): one score a video, in order."""
    return units(scored, protocol).scores


def compare(
    scored: Sequence[Scored], fakes: Sequence[int], reals: Sequence[int], clusters: Clusters, protocol: Protocol,
    before: Sequence[Scored] | None = None, seed: int = 0,
) -> Compared:  # fmt: skip
    """AUC of `fakes` against `reals` (numbers), TPR and FPR at the detector's own thresholds, coverage; with `before`,
    the same videos untreated, the change of each. What cannot be measured is in `refused` with the reason.
    """
    numbers = [*reals, *fakes]
    part = [scored[i] for i in numbers]
    held = clusters.narrowed(numbers)
    labels = np.array([int(item.sample.label == "fake") for item in part], np.int64)
    values = scores_of(part, protocol)
    earlier = None if before is None else scores_of([before[i] for i in numbers], protocol)
    seen = np.array([item.status == "ok" for item in part], bool)
    found, covered, refused = dict[str, float](), dict[str, float](), dict[str, str]()
    for areas, key, kept in ((found, "auc", np.ones(labels.size, bool)), (covered, "auc_covered", seen)):
        try:
            areas["auc"] = float(Curve(labels[kept], values[kept]).auc()[0])
            if earlier is not None:
                areas["change"] = areas["auc"] - float(Curve(labels[kept], earlier[kept]).auc()[0])
        except UsageError as error:
            refused[key] = error.message

    def drawn(weights: Floats) -> dict[str, Floats]:
        aucs = {"auc": Curve(labels, values, weights).auc()}
        return aucs if earlier is None else aucs | {"change": aucs["auc"] - Curve(labels, earlier, weights).auc()}

    bounds = _intervals(drawn, labels, held, seed, refused) if found else {}
    return Compared(
        protocol_id=protocol.identifier(part), n={"real": len(reals), "fake": len(fakes)},
        clusters=ClusterCount(unit=held.unit, count=held.count), coverage=coverage(part), flagged=flagged(part),
        refused=refused,
        **{name: VideoEstimate(value, bounds.get(name), covered.get(name)) for name, value in found.items()},
    )  # fmt: skip


def compare_reals(
    scored: Sequence[Scored], reals: Sequence[int], clusters: Clusters, protocol: Protocol, before: Sequence[Scored],
    seed: int = 0,
) -> ComparedReals:  # fmt: skip
    """False-positive rates of `reals` at the detector's own thresholds, and their paired change; `within`: {alpha: not
    above the exact interval of the untouched}.
    """
    part, earlier = [scored[i] for i in reals], [before[i] for i in reals]
    held = clusters.narrowed(reals)
    now, untouched = flagged(part), flagged(earlier)
    within = {
        alpha: rates.fpr.value <= limits[1]
        for alpha, rates in now.items()
        if rates.fpr is not None and (limits := fpr_limits(untouched, alpha)) is not None
    }
    hits = {alpha: _flags(part, alpha).astype(float) - _flags(earlier, alpha) for alpha in within}

    def drawn(weights: Floats) -> dict[str, Floats]:
        return {alpha: (weights * hit).sum(1) / weights.sum(1) for alpha, hit in hits.items()}

    # the bootstrap keeps classes apart; here there is one, so that every video stands for both
    twice = Clusters(np.concatenate([held.of, held.of]), held.unit, held.count)
    labels = np.repeat([0, 1], len(reals))
    refused: dict[str, str] = {}
    bounds = _intervals(lambda weights: drawn(weights[:, : len(reals)]), labels, twice, seed, refused)
    return ComparedReals(
        protocol_id=protocol.identifier(part), n={"real": len(reals)},
        clusters=ClusterCount(unit=held.unit, count=held.count), coverage=coverage(part), flagged=now, refused=refused,
        within=within,
        changes={alpha: Estimate(float(hit.mean()), bounds.get(alpha)) for alpha, hit in hits.items()},
    )  # fmt: skip


def flagged(part: Sequence[Scored]) -> dict[str, Rates]:
    """{alpha: how many fakes and reals it flags} at the thresholds the detector came with."""
    found: dict[str, Rates] = {}
    for alpha in sorted({alpha for item in part for alpha in item.flagged}, key=float, reverse=True):
        flags = _flags(part, alpha)
        entry: dict[str, Rate] = {}
        for name, kind in (("tpr", "fake"), ("fpr", "real")):
            of_kind = np.array([item.sample.label == kind for item in part])
            of, hit = int(of_kind.sum()), int((of_kind & flags).sum())
            if of:
                entry[name] = Rate(hit / of, rate_bounds(hit, of), (hit, of))
        found[alpha] = Rates(**entry)
    return found


def promise(alpha: str, rates: Rates, whose: str) -> list[BarRow]:
    """Whether reals are flagged as rarely as the threshold promises: its rate must not lie below their exact interval.
    Nothing without reals.
    """
    if rates.fpr is None or rates.fpr.interval is None:
        return []
    what = f"FPR at {alpha} of {whose} no higher than promised"
    return [BarRow(bar=what, value=rates.fpr.value, met=rates.fpr.interval[0] <= float(alpha))]


def fpr_limits(rates: Mapping[str, Rates], alpha: str) -> Interval | None:
    """Between which the false-positive rate at `alpha` lies; None where it is not known."""
    rate = rates[alpha].fpr if alpha in rates else None
    return None if rate is None else rate.interval


@dataclass(frozen=True)
class ShuffledAuc:
    """auc: the mean over `shuffles` draws of labels, and 95 % of them; met: whether those hold .5."""

    auc: VideoEstimate
    shuffles: int
    met: bool


def shuffled_auc(
    scored: Sequence[Scored], fakes: Sequence[int], reals: Sequence[int], clusters: Clusters, protocol: Protocol,
    times: int = 500, seed: int = 0,
) -> ShuffledAuc:  # fmt: skip
    """What AUC is when it means nothing: labels exchanged between the videos of each person or source at random. Must
    hold .5.
    """
    numbers = [*reals, *fakes]
    values, held = scores_of([scored[i] for i in numbers], protocol), clusters.narrowed(numbers).of
    labels = np.repeat([0, 1], [len(reals), len(fakes)])
    rng, found = np.random.default_rng(seed), []
    order = np.argsort(held, kind="stable")
    for _ in range(times):
        shuffled = np.empty_like(labels)
        shuffled[order] = labels[np.lexsort((rng.random(held.size), held))]  # within a cluster, any order
        found.append(float(Curve(shuffled, values).auc()[0]))
    low, high = percentile_interval(found)
    return ShuffledAuc(VideoEstimate(float(np.mean(found)), (low, high)), times, bool(low <= 0.5 <= high))


def _flags(part: Sequence[Scored], alpha: str) -> NDArray[np.bool_]:
    return np.array([item.flagged.get(alpha, False) for item in part], bool)


def _intervals(
    drawn: Callable[[Floats], Mapping[str, Floats]], labels: NDArray[np.int64], held: Clusters, seed: int,
    refused: dict[str, str],
) -> dict[str, Interval]:  # fmt: skip
    """None where they cannot be drawn, which `refused` is told."""
    try:
        return bootstrap(drawn, labels, held, seed)
    except UsageError as error:
        refused["intervals"] = error.message
        return {}


def latest(rows: Iterable[AnyRow]) -> list[AnyRow]:
    """Of rows about the same thing the last one, where a measurement was made twice on a day."""
    names = (
        "kind", "test", "title", "treatment", "set_name", "train", "family", "feature", "bar", "detector", "method",
        "group", "medium",
    )  # fmt: skip
    return list({tuple(getattr(row, name, None) for name in names): row for row in rows}.values())
