"""Fakes by others, method by method: what a detector makes of methods that it has not learnt, and what needs no
detector at all. This is the figure that training is steered by.

In: clips of a clips.jsonl with fakes by others, scored; by one detector, or by several that each learnt without some of
the methods and without some of the people. Out: a row a method against reals that were handled alike, beside every AUC
the two shortcuts (a tree on what the files declare, and sharpness alone); a row a group of reals with its false alarms;
bars. Scores of two detectors are never ranked against each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.metrics.comparison import flagged, protocol_for, scores_of, trained_on
from benchmarks.rows.comparison import BarRow, ClusterCount, Rate, Rates, VideoEstimate
from benchmarks.rows.others import GroupRow, MethodRow, OthersRow
from detector.datasets.sample import Sample
from detector.evaluation.intervals import Clusters, bootstrap, rate_bounds
from detector.evaluation.leakage import is_learnt
from detector.evaluation.metrics import Curve, Floats
from detector.evaluation.predictions import join_predictions
from detector.evaluation.protocol import GIVEN, Protocol, Scored, coverage
from detector.evaluation.rows import clusters_of
from detector.evaluation.shortcuts import metadata_auc, sharpness_auc
from sfumato.errors import UsageError
from sfumato.execution.find_files import is_picture

PROTOCOL = "others-1"
GIVEN_DETECTOR, LEFT_OUT = "given", "left out"
MEAN, EACH = 0.75, 0.60  # floors of AUC over methods that were not learnt
MOST_ALARMS = {"0.1": 0.13, "0.01": 0.02}  # of every group of reals
FEWEST = 5  # people among the reals of a handling; of fewer, reals of a wider one are taken
FEWEST_FAKES = 5  # of a method that the bars count: the AUC of fewer is one of a few draws; so with people of a group


@dataclass(frozen=True)
class Panel:
    """What one detector said. methods: those of the fakes that count here, None for all; frames: judged of each video,
    0 where the scores are somebody else's.
    """

    scored: Sequence[Scored]
    methods: frozenset[str] | None = None
    frames: int = 0

    def fakes_of(self, method: str) -> list[int]:
        """Numbers of the videos."""
        if self.methods is not None and method not in self.methods:
            return []
        return [i for i, s in enumerate(self.scored) if s.sample.label == "fake" and s.sample.method == method]


def unseen(samples: Sequence[Sample], record: Mapping[str, Any]) -> list[Sample]:
    """Those that share nobody and nothing with what the detector's record says it learnt from."""
    return [sample for sample, known in zip(samples, is_learnt(samples, record), strict=True) if not known]


def measure(
    panels: Sequence[Panel], detector: str, record: Mapping[str, Any] | None = None, seed: int = 0
) -> list[OthersRow]:
    """Rows of methods, of groups, and bars. record: of the detector, where one judged all; None: each of the panels
    holds only fakes of methods that its detector has not learnt.

    Raises UsageError where there are no fakes, or no reals.
    """
    samples = [item.sample for panel in panels for item in panel.scored]
    learnt = trained_on(samples, record) if record is not None else set()
    names = sorted({s.method for panel in panels for s in (item.sample for item in panel.scored) if s.label == "fake"})
    methods = [name for name in names if any(panel.fakes_of(name) for panel in panels)]
    if not methods or not any(sample.label == "real" for sample in samples):
        raise UsageError("There are no fakes, or no reals to tell them from", "The list needs both.")
    about = {"detector": detector}
    rows = [_method(panels, name, seed, learnt=name.removesuffix("-tuned") in learnt, **about) for name in methods]
    groups = _groups(panels, detector)
    return [*rows, *groups, *_bars(rows, groups, detector)]


def of_predictions(judged: Sequence[Scored], given: Iterable[tuple[str, Path]], root: Path) -> list[Panel]:
    """(method, CSV of path and score by a detector that did not learn from it): a panel each, of the videos that have a
    score. judged: the same videos by a detector of ours, which knows what the files declare and how sharp faces are.

    Raises UsageError for a method that no fake has, and as `join_predictions` does.
    """
    panels = []
    known = {item.sample.method for item in judged if item.sample.label == "fake"}
    for method, path in given:
        if method not in known:
            raise UsageError(f"No fake is of {method!r}", f"There are: {', '.join(sorted(known))}.")
        joined = join_predictions([item.sample for item in judged], path, root)
        scored = [
            replace(item, media=own.media, sharpness=own.sharpness)
            for item, own in zip(joined, judged, strict=True)
            if item.status == "ok"
        ]
        panels.append(Panel(scored, frozenset({method})))
    return panels


def handled_alike(samples: Sequence[Sample], fakes: Sequence[int]) -> tuple[list[int], str]:
    """Numbers of the reals that these fakes may be held against, and in words which they are: those they name; else of
    their origins and kinds of file; else of their kinds of file; else all.
    """
    reals = [i for i, sample in enumerate(samples) if sample.label == "real"]
    named = {samples[i].pair_of for i in fakes if samples[i].pair_of is not None}
    if counterparts := [i for i in reals if samples[i].path in named]:
        return counterparts, "their counterparts"
    kinds, origins = {is_picture(samples[i].path) for i in fakes}, {samples[i].dataset for i in fakes}
    alike = [i for i in reals if is_picture(samples[i].path) in kinds]
    own = [i for i in alike if samples[i].dataset in origins]
    for chosen, words in ((own, "reals of their origin"), (alike, "reals of their kind of file")):
        if len({samples[i].identity for i in chosen}) >= FEWEST:
            return chosen, words
    return reals, "all reals"


def _method(panels: Sequence[Panel], method: str, seed: int, *, learnt: bool, detector: str) -> MethodRow:
    parts: list[list[Scored]] = []
    words: set[str] = set()
    families: set[str] = set()
    frames = max(panel.frames for panel in panels)
    for panel in panels:
        samples, fakes = [item.sample for item in panel.scored], panel.fakes_of(method)
        reals, which = handled_alike(samples, fakes)
        families |= {samples[i].family for i in fakes}
        if fakes and reals:
            parts.append([panel.scored[i] for i in (*reals, *fakes)])
            words.add(which)
    every = [item for part in parts for item in part]
    fakes_judged = sum(item.sample.label == "fake" for item in every)
    clusters, refused = clusters_of(every), dict[str, str]()
    protocol = protocol_for(frames, clusters) if frames else Protocol("video", GIVEN, "abstain", 0, clusters.unit)
    auc = _stratified_auc(parts, clusters, protocol, seed, refused)
    alone: dict[str, float] = {}
    shortcuts: dict[str, Callable[[], dict[str, Any]]] = {
        "metadata": lambda: metadata_auc(every, clusters, seed),
        "softness": lambda: sharpness_auc(every),
    }
    for name, shortcut in shortcuts.items():
        try:
            alone[name] = float(shortcut()["auc"])
        except UsageError as error:
            refused[name] = error.message
    return MethodRow(
        detector=detector, method=method, family=" or ".join(sorted(families)), learnt=learnt,
        against=" or ".join(sorted(words)), detectors=len(parts), protocol_id=protocol.identifier(every),
        n={"real": len(every) - fakes_judged, "fake": fakes_judged},
        clusters=ClusterCount(unit=clusters.unit, count=clusters.count), coverage=coverage(every),
        flagged=flagged(every), refused=refused, auc=auc,
        metadata=alone.get("metadata"), softness=alone.get("softness"),
    )  # fmt: skip


def _stratified_auc(
    parts: Sequence[Sequence[Scored]], clusters: Clusters, protocol: Protocol, seed: int, refused: dict[str, str]
) -> VideoEstimate | None:
    """The share of pairs of a fake and a real, judged by one detector, in which the fake scores higher."""
    every = [item for part in parts for item in part]
    if not every:
        refused["auc"] = "no reals beside them"
        return None
    labels = np.array([int(item.sample.label == "fake") for item in every], np.int64)
    values, seen = scores_of(every, protocol), np.array([item.status == "ok" for item in every], bool)
    ends = np.cumsum([len(part) for part in parts])
    stratum = np.searchsorted(ends, np.arange(len(every)), side="right")

    def pairs_won(weights: Floats) -> Floats:
        """weights: (draws, N). Returns (draws,), NaN without a pair."""
        won, pairs = np.zeros(len(weights)), np.zeros(len(weights))
        for number in range(len(parts)):
            here = np.flatnonzero(stratum == number)
            try:
                curve = Curve(labels[here], values[here], weights[:, here])
            except UsageError:  # of one class alone: no pair
                continue
            count = (curve.fakes * curve.reals)[:, 0]
            won += np.where(count > 0, np.nan_to_num(curve.auc()) * count, 0.0)
            pairs += count
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(won / pairs, np.float64)

    value, covered = (float(pairs_won(weights[None])[0]) for weights in (np.ones(len(every)), seen.astype(float)))
    if not np.isfinite(value):
        refused["auc"] = "no fake and real that one detector judged"
        return None
    try:
        interval = bootstrap(lambda weights: {"auc": pairs_won(weights)}, labels, clusters, seed)["auc"]
    except UsageError as error:
        refused["intervals"], interval = error.message, None
    return VideoEstimate(value, interval, covered if np.isfinite(covered) else None)


def _groups(panels: Sequence[Panel], detector: str) -> list[GroupRow]:
    """By origin and kind of file. A real that several detectors judged counts once, as often flagged as on average."""
    judged: dict[tuple[str, str], dict[Path, list[Scored]]] = defaultdict(lambda: defaultdict(list))
    for item in (item for panel in panels for item in panel.scored if item.sample.label == "real"):
        medium = "picture" if is_picture(item.sample.path) else "video"
        judged[item.sample.dataset, medium][item.sample.path].append(item)
    rows = []
    for (group, medium), clips in sorted(judged.items()):
        every = [item for items in clips.values() for item in items]
        first = [items[0] for items in clips.values()]
        clusters = clusters_of(first)
        alphas = sorted({alpha for item in every for alpha in item.flagged}, key=float, reverse=True)
        protocol = protocol_for(max(panel.frames for panel in panels), clusters)
        rows.append(GroupRow(
            detector=detector, group=group, medium=medium, detectors=max(len(items) for items in clips.values()),
            protocol_id=protocol.identifier(first), n={"real": len(first)},
            clusters=ClusterCount(unit=clusters.unit, count=clusters.count), coverage=coverage(every),
            flagged={alpha: Rates(fpr=_mean_rate(list(clips.values()), alpha)) for alpha in alphas},
            refused={} if alphas else {"flagged": "the scores come without thresholds"},
        ))  # fmt: skip
    return rows


def _mean_rate(clips: Sequence[Sequence[Scored]], alpha: str) -> Rate:
    shares: NDArray[np.float64] = np.array([
        np.mean([item.flagged.get(alpha, False) for item in items]) for items in clips
    ])  # fmt: skip
    hits = round(float(shares.sum()))
    return Rate(float(shares.mean()), rate_bounds(hits, len(shares)), (hits, len(shares)))


def _bars(methods: Sequence[MethodRow], groups: Sequence[GroupRow], detector: str) -> list[BarRow]:
    unlearnt = {
        row.method: row.auc.value
        for row in methods
        if not row.learnt and row.auc is not None and row.n["fake"] >= FEWEST_FAKES
    }
    bars = []
    if unlearnt:
        mean, worst = float(np.mean(list(unlearnt.values()))), min(unlearnt, key=lambda name: unlearnt[name])
        what = f"AUC of methods not learnt, of {FEWEST_FAKES} fakes or more, detector {detector}"
        bars += [
            BarRow(bar=f"{what}: mean at least {MEAN:.2f}", value=mean, met=mean >= MEAN, n=len(unlearnt)),
            BarRow(
                bar=f"{what}: none below {EACH:.2f}", value=unlearnt[worst], met=unlearnt[worst] >= EACH,
                n=len(unlearnt),
            ),
        ]  # fmt: skip
    for alpha, most in MOST_ALARMS.items():
        counted = [row for row in groups if alpha in row.flagged and row.clusters.count >= FEWEST]
        rates = [row.flagged[alpha].fpr for row in counted]
        if values := [rate.value for rate in rates if rate is not None]:
            what = f"FPR at {alpha} of every group of {FEWEST} people or more, detector {detector}: at most {most:.2f}"
            bars.append(BarRow(bar=what, value=max(values), met=max(values) <= most, n=len(values)))
    return bars
