"""Paired differences: on the same videos, how much better is one detector than another, and how sure is that.

In: a `Panel`. Out: one `ComparisonRow` for the whole and for every data set, compression, family and generator: AUC,
EER and TPR at two false-positive rates of each detector, and the difference of every other to the first. All come from
the same draws of people or sources (a clustered bootstrap), so that what makes a draw hard is hard for both sides of a
difference. What cannot be measured is refused with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.comparison.judged import Panel
from detector.evaluation.choices import Unit
from detector.evaluation.intervals import Interval, bootstrap
from detector.evaluation.metrics import Curve, Floats, check_rate
from detector.evaluation.rows import slices, widened
from sfumato.errors import UsageError

RATES = (0.1, 0.01)  # false-positive rates at which a true-positive rate is given
SAME = "The same in every draw of people: too few videos to say"


@dataclass(frozen=True)
class Figures:
    """Of one detector, or of its difference to `against` (its own less that one's). metrics: {auc, eer, tpr@0.1,
    tpr@0.01: value}, in [0, 1], differences in [-1, 1]; intervals: {metric: bounds at 95 %}.
    """

    name: str
    metrics: Mapping[str, float]
    intervals: Mapping[str, Interval]
    against: str | None = None
    refused: Mapping[str, str] = field(default_factory=dict)

    def clear(self, metric: str) -> bool:
        """Whether the interval of a difference leaves out 0."""
        low, high = self.intervals.get(metric, (0.0, 0.0))
        return low > 0 or high < 0

    def as_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {"name": self.name}
        told |= {} if self.against is None else {"against": self.against}
        bounds = {name: list(found) for name, found in self.intervals.items()}
        told |= {"metrics": dict(self.metrics), "intervals": bounds}
        return told | ({} if self.against is None else {"refused": dict(self.refused)})


@dataclass(frozen=True)
class ComparisonRow:
    """One slice. videos: {"real", "fake": how many}; clusters: how many people, sources or videos are drawn, `unit`
    which of these; detectors: one each; differences: of every other to the first; refused: {what cannot be
    measured: why}.
    """

    slice: Mapping[str, str]
    videos: Mapping[str, int]
    unit: Unit
    clusters: int
    detectors: Sequence[Figures] = ()
    differences: Sequence[Figures] = ()
    refused: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain values, as docs/schemas/comparison-row.schema.json describes them."""
        return {
            "slice": dict(self.slice),
            "videos": dict(self.videos),
            "clusters": {"unit": self.unit, "count": self.clusters},
            "detectors": [each.as_json() for each in self.detectors],
            "differences": [each.as_json() for each in self.differences],
            "refused": dict(self.refused),
        }


def rows(panel: Panel, seed: int = 0) -> Iterator[ComparisonRow]:
    """The whole, then each slice as an evaluation of one detector has them."""
    for slice_, numbers in slices(panel.scored):
        yield _row(slice_, panel, np.asarray(numbers, np.int64), seed)


def _row(slice_: Mapping[str, str], panel: Panel, numbers: NDArray[np.int64], seed: int) -> ComparisonRow:
    labels, clusters = panel.labels[numbers], panel.clusters.narrowed(numbers)
    scores = {name: found[numbers] for name, found in panel.scores.items()}
    videos = {"real": int((labels == 0).sum()), "fake": int((labels == 1).sum())}
    refused: dict[str, str] = {}
    rates = []
    for rate in RATES:
        try:
            check_rate(rate, videos["real"])
            rates.append(rate)
        except UsageError as error:
            refused[f"tpr@{rate:g}"] = error.message
    try:
        values = {name: float(found[0]) for name, found in _drawn(labels, scores, rates, None).items()}
    except UsageError as error:
        return ComparisonRow(slice_, videos, clusters.unit, clusters.count, refused={"all metrics": error.message})
    intervals: dict[str, Interval] = {}
    try:
        intervals = bootstrap(lambda weights: _drawn(labels, scores, rates, weights), labels, clusters, seed)
    except UsageError as error:
        refused["intervals"] = error.message
    names = list(scores)
    metrics = ["auc", "eer", *(f"tpr@{rate:g}" for rate in rates)]
    detectors, differences = list[Figures](), list[Figures]()
    for number, name in enumerate(names):
        own = _taken(values, metrics, number)
        bounds = widened(_taken(intervals, metrics, number), own, labels, clusters)
        detectors.append(Figures(name, own, bounds))
        if number:
            less, drawn = (_taken(found, metrics, number, "-0") for found in (values, intervals))
            equal = np.array_equal(scores[name], scores[names[0]])  # nothing in any draw
            alike = {} if equal else {metric: SAME for metric, (low, high) in drawn.items() if low == high}
            kept = {metric: found for metric, found in drawn.items() if metric not in alike}
            differences.append(Figures(name, less, kept, names[0], alike))
    return ComparisonRow(slice_, videos, clusters.unit, clusters.count, detectors, differences, refused)


def _drawn(
    labels: NDArray[np.int64], scores: Mapping[str, Floats], rates: Sequence[float], weights: Floats | None
) -> dict[str, Floats]:
    """{"auc/1": of the second detector, "auc/1-0": the same less the first's, ...: (draws,)}, all of the same draws."""
    found: dict[str, Floats] = {}
    for number, values in enumerate(scores.values()):
        curve = Curve(labels, values, weights)
        own = {"auc": curve.auc(), "eer": curve.eer()} | {f"tpr@{rate:g}": curve.tpr_at(rate) for rate in rates}
        found |= {f"{metric}/{number}": value for metric, value in own.items()}
        if number:
            found |= {f"{metric}/{number}-0": value - found[f"{metric}/0"] for metric, value in own.items()}
    return found


def _taken(found: Mapping[str, Any], metrics: Sequence[str], number: int, ending: str = "") -> dict[str, Any]:
    """{metric: what `_drawn` calls so}; nothing where there were no draws."""
    keys = {metric: f"{metric}/{number}{ending}" for metric in metrics}
    return {metric: found[key] for metric, key in keys.items() if key in found}
