"""From scored videos to rows: the metrics of the whole and of every family, generator and compression, each with its
protocol.

In: `Scored` videos and protocols. Out: `EvaluationRow`s, one a slice and protocol, that say how many reals and fakes,
from how many people or sources, with which coverage, each metric with its interval or the reason why there is none.
Their JSON is written here alone and described by docs/schemas/evaluation-row.schema.json; text about them is in
`detector.evaluation.text`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from detector.evaluation import metrics
from detector.evaluation.choices import Level, NoFace, Unit
from detector.evaluation.intervals import Clusters, Interval, bootstrap, cluster, largest_rate, rate_bounds
from detector.evaluation.metrics import Curve, Floats
from detector.evaluation.protocol import Protocol, Scored, Units, are_probabilities, coverage, units
from sfumato.errors import UsageError

RATES = (0.1, 0.01, 0.001)  # false-positive rates at which a true-positive rate is given
PREVALENCES = (0.1, 0.01, 0.001)
_BOTH = 0.975  # level of each of two bounds that are to hold together at .95 (Bonferroni)


@dataclass(frozen=True)
class Rate:
    """A share of videos that are flagged. value: in [0, 1]; interval: its exact bounds at 95 %; flagged, of: videos."""

    value: float
    interval: Interval
    flagged: int
    of: int

    @classmethod
    def of_flags(cls, flags: NDArray[np.bool_]) -> Rate | None:
        """flags: (N,) of the videos of one label. None without any."""
        flagged, of = int(flags.sum()), int(flags.size)
        return cls(flagged / of, rate_bounds(flagged, of), flagged, of) if of else None

    def as_json(self, name: str) -> dict[str, Any]:
        return {name: self.value, f"{name}_interval": list(self.interval), f"{name}_of": [self.flagged, self.of]}


@dataclass(frozen=True)
class Rates:
    """What a threshold that was set beforehand flags. tpr: of the fakes; fpr: of the reals; None without such videos.

    fpr_at_most: the largest false-positive rate that the reals leave possible, at 95 %. precision: {prevalence of
    fakes: share of right flags among all, None where nothing is flagged}; precision_bounds: {prevalence: what both
    rates leave possible of it, at 95 %}; accuracy: share of videos on their side of the threshold; all None unless
    there are reals and fakes.
    """

    tpr: Rate | None
    fpr: Rate | None
    fpr_at_most: float | None = None
    precision: Mapping[str, float | None] | None = None
    precision_bounds: Mapping[str, Interval] | None = None
    accuracy: Rate | None = None

    def as_json(self) -> dict[str, Any]:
        told = self.tpr.as_json("tpr") if self.tpr else {}
        told |= self.fpr.as_json("fpr") | {"fpr_at_most": self.fpr_at_most} if self.fpr else {}
        if self.precision is not None and self.precision_bounds is not None and self.accuracy is not None:
            bounds = {prevalence: list(found) for prevalence, found in self.precision_bounds.items()}
            told |= {"precision": dict(self.precision), "precision_interval": bounds}
            told |= self.accuracy.as_json("accuracy")
        return told


@dataclass(frozen=True)
class EvaluationRow:
    """One slice under one protocol.

    protocol: its identifier; level, aggregator, no_face: what it says. videos: {"real" and "fake": how many}; units:
    the same of what metrics are taken of (frames, videos or tracks with a score). clusters: how many people, sources or
    videos intervals resample, `unit` which of these. coverage: {"real", "fake", "frames": share in [0, 1] with a score
    of its own}. metrics: {name: value}, rates and areas in [0, 1]; intervals: {name: bounds at 95 %}. refused: {what
    cannot be measured: why}. operating: {"fpr A" or "score T": what that threshold flags}. prevalence: the share of
    fakes among the units, which is the AP of chance; None without metrics. slice: what part it is, {} for the whole.
    """

    protocol: str
    level: Level
    aggregator: str
    no_face: NoFace
    videos: Mapping[str, int]
    units: Mapping[str, int]
    unit: Unit
    clusters: int
    coverage: Mapping[str, float]
    metrics: Mapping[str, float]
    intervals: Mapping[str, Interval]
    refused: Mapping[str, str]
    operating: Mapping[str, Rates]
    prevalence: float | None = None
    slice: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain values, as docs/schemas/evaluation-row.schema.json describes them."""
        told: dict[str, Any] = {
            "slice": dict(self.slice),
            "protocol": self.protocol,
            "level": self.level,
            "aggregator": self.aggregator,
            "no_face": self.no_face,
            "videos": dict(self.videos),
            "units": dict(self.units),
            "clusters": {"unit": self.unit, "count": self.clusters},
            "coverage": dict(self.coverage),
            "metrics": dict(self.metrics),
            "intervals": {name: list(bounds) for name, bounds in self.intervals.items()},
            "refused": dict(self.refused),
        }
        told |= {} if self.prevalence is None else {"prevalence": self.prevalence}
        return told | {"operating": {name: rates.as_json() for name, rates in self.operating.items()}}


@dataclass
class _Findings:
    """What has been measured so far, and what could not be."""

    metrics: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, Interval] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def clusters_of(scored: Sequence[Scored], unit: Unit | Literal["auto"] = "auto") -> Clusters:
    """What intervals resample together."""
    return cluster([item.sample.ties for item in scored], [item.sample.identity for item in scored], unit)


def slices(scored: Sequence[Scored]) -> Iterator[tuple[dict[str, str], list[int]]]:
    """(what it is, the numbers of its videos): everything; then, where there are several, each data set and compression
    with its own reals, and each family and generator against all reals.
    """
    everything = list(range(len(scored)))
    yield {}, everything
    for name in ("dataset", "compression"):
        values = sorted({getattr(item.sample, name) for item in scored})
        if len(values) > 1:
            for value in values:
                yield {name: value or "none"}, [i for i in everything if getattr(scored[i].sample, name) == value]
    kinds: tuple[tuple[str, Callable[[Scored], str]], ...] = (
        ("family", lambda item: item.sample.family),
        ("generator", generator_of),
    )
    for name, of in kinds:
        values = sorted({of(item) for item in scored if item.sample.label == "fake"})
        for value in values:
            yield {name: value}, [i for i in everything if scored[i].sample.label == "real" or of(scored[i]) == value]


def generator_of(item: Scored) -> str:
    """The method, and the first digits of the generator's weights where they are known."""
    digest = item.sample.generator_digest
    return f"{item.sample.method}@{digest[:8]}" if digest else item.sample.method


def measure(
    scored: Sequence[Scored], clusters: Clusters, protocol: Protocol, threshold: float | None = None, seed: int = 0
) -> EvaluationRow:
    """One row. threshold: a score above it is flagged, besides what the videos' own thresholds flag.

    What cannot be measured is in `refused`, with the reason; it is never left out in silence. Raises UsageError only if
    the protocol does not fit the scores.
    """
    taken, found = units(scored, protocol), _Findings()
    measurable = _ranking(found, taken, clusters, seed)
    if measurable:
        _probabilities(found, taken, scored)
    return EvaluationRow(
        protocol=protocol.identifier(scored),
        level=protocol.level,
        aggregator=protocol.aggregator,
        no_face=protocol.no_face,
        videos={label: sum(item.sample.label == label for item in scored) for label in ("real", "fake")},
        units={"real": int((taken.labels == 0).sum()), "fake": int((taken.labels == 1).sum())},
        unit=clusters.unit,
        clusters=int(np.unique(clusters.of).size),
        coverage=coverage(scored),
        metrics=found.metrics,
        intervals=found.intervals,
        refused=found.refused,
        operating=_operating(scored, taken, protocol, threshold),
        prevalence=float(taken.labels.mean()) if measurable else None,
    )


def measure_slice(
    scored: Sequence[Scored], clusters: Clusters, numbers: Sequence[int], *arguments: Any, **keywords: Any
) -> EvaluationRow:
    """`measure` of some of the videos; clusters stay what they are in the whole set."""
    return measure([scored[i] for i in numbers], clusters.narrowed(numbers), *arguments, **keywords)


def _ranking(found: _Findings, taken: Units, clusters: Clusters, seed: int) -> bool:
    """Whether anything can be measured at all."""
    try:
        curve = Curve(taken.labels, taken.scores)
    except UsageError as error:
        found.refused["all metrics"] = error.message
        return False
    reals = int((taken.labels == 0).sum())
    rates = [rate for rate in RATES if _allowed(found, f"tpr@{rate:g}", rate, reals)]

    def several(drawn: Curve) -> dict[str, Floats]:
        ranking = {"auc": drawn.auc(), "ap": drawn.average_precision(), "eer": drawn.eer()}
        return ranking | {f"tpr@{rate:g}": drawn.tpr_at(rate) for rate in rates}

    found.metrics |= {name: float(value[0]) for name, value in several(curve).items()}
    found.metrics["eer_deepfakebench"] = metrics.eer_deepfakebench(taken.labels, taken.scores)
    if 0.1 in rates:
        found.metrics["pauc@0.1"] = metrics.partial_auc(taken.labels, taken.scores, 0.1)
    held = clusters.narrowed(taken.of)  # a cluster may have no unit left
    try:
        found.intervals = bootstrap(
            lambda weights: several(Curve(taken.labels, taken.scores, weights)), taken.labels, held, seed
        )
        found.intervals = widened(found.intervals, found.metrics, taken.labels, held)
    except UsageError as error:
        found.refused["intervals"] = error.message
    return True


def _probabilities(found: _Findings, taken: Units, scored: Sequence[Scored]) -> None:
    named: dict[str, Callable[[Any, Any], float]] = {
        "log_loss": metrics.log_loss, "brier": metrics.brier, "ece": metrics.calibration_error,
        "ece_equal_mass": lambda labels, scores: metrics.calibration_error(labels, scores, equal_mass=True),
    }  # fmt: skip
    if not are_probabilities(scored):
        found.refused["log_loss, brier, ece"] = "The scores are no probabilities"
        return
    found.metrics |= {name: metric(taken.labels, taken.scores) for name, metric in named.items()}
    found.metrics["accuracy@0.5"] = metrics.accuracy(taken.labels, taken.scores, 0.5)


def _operating(scored: Sequence[Scored], taken: Units, protocol: Protocol, threshold: float | None) -> dict[str, Rates]:
    """What is flagged at thresholds that were set beforehand. An abstention is not flagged, and is counted."""
    found: dict[str, Rates] = {}
    labels = np.array([item.sample.label == "fake" for item in scored], bool)
    for alpha in sorted({alpha for item in scored for alpha in item.flagged}, key=float, reverse=True):
        found[f"fpr {alpha}"] = _rates(labels, np.array([item.flagged.get(alpha, False) for item in scored], bool))
    if threshold is not None:
        if protocol.no_face == "abstain" and protocol.level != "frame":
            flags = np.zeros(labels.size, bool)
            flags[taken.of] = taken.scores > threshold
            found[f"score {threshold:g}"] = _rates(labels, flags)
        else:
            found[f"score {threshold:g}"] = _rates(taken.labels.astype(bool), taken.scores > threshold)
    return found


def _rates(fake: NDArray[np.bool_], flagged: NDArray[np.bool_]) -> Rates:
    """fake, flagged: (N,), what the videos are and whether they are flagged."""
    tpr, fpr = Rate.of_flags(flagged[fake]), Rate.of_flags(flagged[~fake])
    at_most = None if fpr is None else largest_rate(fpr.flagged, fpr.of)
    if tpr is None or fpr is None:
        return Rates(tpr, fpr, at_most)
    precision = {f"{p:g}": metrics.precision_at(p, tpr.value, fpr.value) for p in PREVALENCES}
    bounds = {f"{p:g}": _precision_bounds(p, tpr, fpr) for p in PREVALENCES}
    return Rates(tpr, fpr, at_most, precision, bounds, Rate.of_flags(flagged == fake))


def _precision_bounds(prevalence: float, tpr: Rate, fpr: Rate) -> Interval:
    """Each rate at 97.5 %, so that both hold together at 95 %: none of 17 reals flagged does not mean that none will
    be.
    """
    fewest, most = rate_bounds(tpr.flagged, tpr.of, _BOTH), rate_bounds(fpr.flagged, fpr.of, _BOTH)
    worst, best = (metrics.precision_at(prevalence, *pair) for pair in ((fewest[0], most[1]), (fewest[1], most[0])))
    return worst or 0.0, 1.0 if best is None else best


def widened(
    intervals: Mapping[str, Interval], values: Mapping[str, float], labels: NDArray[np.int64], held: Clusters
) -> dict[str, Interval]:
    """The intervals of a bootstrap. A rate that is the same in every draw of people, 0 or 1 as a rule, gets the exact
    bounds of as many people. labels: (N,) 1 = fake; held: whose each is.
    """
    people = [int(np.unique(held.of[labels == label]).size) for label in (0, 1)]
    found = dict(intervals)
    for name, bounds in intervals.items():
        if bounds[0] == bounds[1] and (name == "eer" or name.startswith("tpr@")):
            of = people[1] if name != "eer" else min(people)
            low, high = rate_bounds(round(values[name] * of), of)
            found[name] = (min(low, bounds[0]), max(high, bounds[1]))
    return found


def _allowed(found: _Findings, name: str, rate: float, reals: int) -> bool:
    try:
        metrics.check_rate(rate, reals)
    except UsageError as error:
        found.refused[name] = error.message
        return False
    return True
