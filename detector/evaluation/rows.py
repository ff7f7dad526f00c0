"""From scored videos to rows: the metrics of the whole and of every family, generator and compression, each with its
protocol.

In: `Scored` videos and protocols. Out: plain dictionaries, one a slice and protocol, that say how many reals and fakes,
from how many people or sources, with which coverage, each metric with its interval or the reason why there is none.
Text about them is in `detector.evaluation.text`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import numpy as np

from detector.evaluation import metrics
from detector.evaluation.intervals import Clusters, Unit, bootstrap, cluster, largest_rate, rate_bounds
from detector.evaluation.metrics import Curve, Floats
from detector.evaluation.protocol import Protocol, Scored, Units, are_probabilities, coverage, units
from sfumato.errors import UsageError

RATES = (0.1, 0.01, 0.001)  # false-positive rates at which a true-positive rate is given
PREVALENCES = (0.1, 0.01, 0.001)
Row = dict[str, Any]


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
) -> Row:
    """One row. threshold: a score above it is flagged, besides what the videos' own thresholds flag.

    What cannot be measured is in `refused`, with the reason; it is never left out in silence. Raises UsageError only if
    the protocol does not fit the scores.
    """
    taken = units(scored, protocol)
    row: Row = {
        "protocol": protocol.identifier(scored), "level": protocol.level, "aggregator": protocol.aggregator,
        "no_face": protocol.no_face,
        "videos": {label: sum(item.sample.label == label for item in scored) for label in ("real", "fake")},
        "units": {"real": int((taken.labels == 0).sum()), "fake": int((taken.labels == 1).sum())},
        "clusters": {"unit": clusters.unit, "count": int(np.unique(clusters.of).size)}, "coverage": coverage(scored),
        "metrics": {}, "intervals": {}, "refused": {},
    }  # fmt: skip
    _ranking(row, taken, clusters, seed)
    _probabilities(row, taken, scored)
    row["operating"] = _operating(scored, taken, protocol, threshold)
    return row


def measure_slice(
    scored: Sequence[Scored], clusters: Clusters, numbers: Sequence[int], *arguments: Any, **keywords: Any
) -> Row:
    """`measure` of some of the videos; clusters stay what they are in the whole set."""
    return measure([scored[i] for i in numbers], clusters.narrowed(numbers), *arguments, **keywords)


def _ranking(row: Row, taken: Units, clusters: Clusters, seed: int) -> None:
    try:
        curve = Curve(taken.labels, taken.scores)
    except UsageError as error:
        row["refused"]["all metrics"] = error.message
        return
    reals = row["units"]["real"]
    rates = [rate for rate in RATES if _allowed(row, f"tpr@{rate:g}", rate, reals)]

    def several(found: Curve) -> dict[str, Floats]:
        ranking = {"auc": found.auc(), "ap": found.average_precision(), "eer": found.eer()}
        return ranking | {f"tpr@{rate:g}": found.tpr_at(rate) for rate in rates}

    row["metrics"] |= {name: float(value[0]) for name, value in several(curve).items()}
    row["metrics"]["eer_deepfakebench"] = metrics.eer_deepfakebench(taken.labels, taken.scores)
    row["prevalence"] = row["units"]["fake"] / taken.labels.size  # what an AP of chance would be
    if 0.1 in rates:
        row["metrics"]["pauc@0.1"] = metrics.partial_auc(taken.labels, taken.scores, 0.1)
    held = clusters.narrowed(taken.of)  # a cluster may have no unit left
    try:
        row["intervals"] = bootstrap(
            lambda weights: several(Curve(taken.labels, taken.scores, weights)), taken.labels, held, seed
        )
    except UsageError as error:
        row["refused"]["intervals"] = error.message


def _probabilities(row: Row, taken: Units, scored: Sequence[Scored]) -> None:
    named: dict[str, Callable[[Any, Any], float]] = {
        "log_loss": metrics.log_loss, "brier": metrics.brier, "ece": metrics.calibration_error,
        "ece_equal_mass": lambda labels, scores: metrics.calibration_error(labels, scores, equal_mass=True),
    }  # fmt: skip
    if "all metrics" in row["refused"]:
        return
    if not are_probabilities(scored):
        row["refused"]["log_loss, brier, ece"] = "The scores are no probabilities"
        return
    row["metrics"] |= {name: metric(taken.labels, taken.scores) for name, metric in named.items()}
    row["metrics"]["accuracy@0.5"] = metrics.accuracy(taken.labels, taken.scores, 0.5)


def _operating(scored: Sequence[Scored], taken: Units, protocol: Protocol, threshold: float | None) -> dict[str, Any]:
    """What is flagged at thresholds that were set beforehand. An abstention is not flagged, and is counted."""
    found: dict[str, Any] = {}
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


def _rates(fake: Any, flagged: Any) -> dict[str, Any]:
    """TPR and FPR with exact bounds, the largest FPR that the reals leave possible, and precision at prevalences."""
    answer: dict[str, Any] = {}
    for name, kind in (("tpr", fake), ("fpr", ~fake)):
        of, hit = int(kind.sum()), int((kind & flagged).sum())
        if of:
            answer |= {name: hit / of, f"{name}_interval": list(rate_bounds(hit, of)), f"{name}_of": [hit, of]}
            if name == "fpr":
                answer["fpr_at_most"] = largest_rate(hit, of)
    if "tpr" in answer and "fpr" in answer:
        answer["precision"] = {f"{p:g}": metrics.precision_at(p, answer["tpr"], answer["fpr"]) for p in PREVALENCES}
        answer["accuracy"] = float((flagged == fake).mean())
    return answer


def _allowed(row: Row, name: str, rate: float, reals: int) -> bool:
    try:
        metrics.check_rate(rate, reals)
    except UsageError as error:
        row["refused"][name] = error.message
        return False
    return True
