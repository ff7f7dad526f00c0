"""Whether anything but the forgery tells fakes from reals: container, size, sharpness, sound. In: the material and
looks. Out: `Check`s, each with the AUC of its best rule and an interval; the last is of a tree on all metadata.

A rule is one number or word of the files: "the larger, the more fake". With many rules and few files one of them
separates by chance, so a rule is a fault only if its AUC is far from .5 and labels dealt out anew would hardly ever
give the best of all rules one that far (the permutation test of the maximum: Westfall and Young 1993). A fake and its
twin change places; whoever has clips of one label alone keeps them together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from detector.evaluation.intervals import Clusters, bootstrap, cluster
from detector.evaluation.metrics import Curve
from detector.evaluation.shortcuts import WARN_ABOVE, metadata_table, separate
from sfumato.app.sets.check.looking.look import Look
from sfumato.app.sets.check.material import Material
from sfumato.app.sets.check.report import Check, Fault
from sfumato.errors import UsageError
from sfumato.media.clips import ClipRow

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
CHANCE = 0.01  # how often chance alone may raise a false alarm about any of the rules
_DEALS, _TREE_DEALS = 999, 99  # labels dealt out anew: enough to see a hundredth
_SHARPNESS = "sharpness"
_NUMBERS, _WORDS = (
    ("keyframes", "sound_rate", "loudness"),
    ("pixels", "profile", "encoder", "sound_codec", "sound_layout"),
)  # beside those of the detector's audit
TOPICS = {  # the first word of a rule -> the check that it belongs to
    "container": ("kind", "container", "codec", "pixels", "profile", "encoder", "keyframes"),
    "size and rate": ("width", "height", "rate", "duration", "frames", "size", "bitrate"),
    "sharpness": (_SHARPNESS,),
    "sound": ("audio", "sound_codec", "sound_layout", "sound_rate", "loudness"),
}


@dataclass(frozen=True)
class Audit:
    """names: of the rules; values: (N, rules); labels: (N,) 1 = fake; clusters: who is resampled together; pairs: (P,
    2) numbers of a fake and its twin.
    """

    names: Sequence[str]
    values: Floats
    labels: Labels
    clusters: Clusters
    pairs: Labels

    def deals(self, count: int, seed: int = 0) -> Iterator[Labels]:
        """(N,) labels as chance could have dealt them out."""
        rng = np.random.default_rng(seed)
        mixed, pure = self._rest
        kept = np.concatenate(pure) if pure else np.zeros(0, np.int64)
        held, sizes = np.array([self.labels[rows[0]] for rows in pure], np.int64), [len(rows) for rows in pure]
        for _ in range(count):
            dealt = self.labels.copy()
            swapped = self.pairs[rng.random(len(self.pairs)) < 0.5]
            dealt[swapped] = self.labels[swapped[:, ::-1]]
            for rows in mixed:
                dealt[rows] = rng.permutation(self.labels[rows])
            dealt[kept] = np.repeat(rng.permutation(held), sizes)
            if 0 < dealt.sum() < dealt.size:
                yield dealt

    @property
    def enough(self) -> bool:
        """Whether there are so many ways to deal that the one at hand can be a rare one."""
        mixed, pure = self._rest
        ways = 2 ** min(len(self.pairs), 64)
        for rows in mixed[:64]:
            ways *= comb(min(len(rows), 64), min(int(self.labels[rows].sum()), 32))
        ways *= comb(min(len(pure), 64), min(sum(int(self.labels[rows[0]]) for rows in pure), 32))
        return bool(2 / ways <= CHANCE)

    @cached_property
    def _rest(self) -> tuple[list[Labels], list[Labels]]:
        """Rows without a twin by their clusters: those of both labels, and those of one."""
        alone = np.ones(self.labels.size, bool)
        alone[self.pairs.ravel()] = False
        rest: dict[int, list[int]] = defaultdict(list)
        for number in np.flatnonzero(alone):
            rest[int(self.clusters.of[number])].append(int(number))
        groups = [np.array(numbers) for numbers in rest.values()]
        both = [np.unique(self.labels[rows]).size > 1 for rows in groups]
        return (
            [rows for rows, mixed in zip(groups, both, strict=True) if mixed],
            [rows for rows, mixed in zip(groups, both, strict=True) if not mixed],
        )


def check_shortcuts(material: Material, looks: Sequence[Look]) -> list[Check]:
    """One check a topic, and one of the tree."""
    titles = [*(f"shortcuts: {topic}" for topic in TOPICS), "shortcuts: tree"]
    known = [number for number, look in enumerate(looks) if look.media.get("kind") and look.media.get("size")]
    rows = [material.rows[number] for number in known]
    kinds = {row.label for row in rows}
    if len(kinds) < 2:
        what = f"all that can be read are {kinds.pop()}" if kinds else "no file can be read"
        why = f"there is nothing to tell apart: {what}"
        return [Check(title, why_not=why) for title in titles]
    audit = _audit(rows, [looks[number] for number in known])
    ranks = rankdata(audit.values, axis=0)  # (N, rules)
    aucs = _aucs(ranks, audit.labels)  # (rules,)
    varied = np.ptp(audit.values, axis=0) > 0
    enough = audit.enough
    deals = audit.deals(_DEALS) if enough else ()
    largest = np.array([float(np.abs(_aucs(ranks, dealt) - 0.5).max()) for dealt in deals])  # (deals,)
    checks = []
    for title, topic in zip(titles, TOPICS, strict=False):
        among = [i for i, name in enumerate(audit.names) if varied[i] and name.split(" ")[0] in TOPICS[topic]]
        checks.append(_check(title, audit, aucs, among, largest if enough else None))
    return [*checks, _tree(titles[-1], audit, varied, enough)]


def _check(title: str, audit: Audit, aucs: Floats, among: Sequence[int], largest: Floats | None) -> Check:
    """largest: the deviations from .5 of the best rule under chance; None where chance cannot be told."""
    said = f"{audit.labels.size} files"
    if not among:
        return Check(title, looked_at=f"{said}, equal in all of it")
    if largest is None:
        return Check(title, why_not=_FEW)
    best = max(among, key=lambda i: abs(aucs[i] - 0.5))
    measure = _measured(audit, best, aucs[best])
    faults = []
    for i in sorted(among, key=lambda i: -abs(aucs[i] - 0.5)):
        gap = abs(aucs[i] - 0.5)
        chance = (1 + int((largest >= gap - 1e-12).sum())) / (1 + largest.size)
        if gap + 0.5 >= WARN_ABOVE and chance <= CHANCE:
            faults += Fault.of(
                "rule that tells fakes from reals", [audit.names[i]], _told(_measured(audit, i, aucs[i]))
            )
    return Check(title, faults[:3], f"{said}; best rule {audit.names[best]}: {_told(measure)}", measures=measure)


_FEW = "too few pairs or people: any rule could be chance"


def _tree(title: str, audit: Audit, varied: NDArray[np.bool_], enough: bool) -> Check:
    kept = [i for i, name in enumerate(audit.names) if varied[i] and name != _SHARPNESS]
    if not kept:
        return Check(title, looked_at="the metadata of all files are equal")
    values, names = audit.values[:, kept], [audit.names[i] for i in kept]
    try:
        found = separate(names, values, audit.labels, audit.clusters.of)
        auc = found.auc()
    except UsageError as error:
        return Check(title, why_not=error.message)
    judged = np.flatnonzero(np.isfinite(found.scores))
    measure = _with_interval(auc, found.labels[judged], found.scores[judged], audit.clusters.narrowed(judged))
    told = f"{_told(measure)}, by {', '.join(found.features[:3]) or 'nothing'}"
    faults = list[Fault]()
    if auc >= WARN_ABOVE:
        if not enough:
            return Check(title, why_not=f"{_FEW}; {told}", measures=measure)
        by_chance = [separate(names, values, dealt, audit.clusters.of).auc() for dealt in audit.deals(_TREE_DEALS)]
        if (1 + sum(other >= auc for other in by_chance)) / (1 + _TREE_DEALS) <= CHANCE:
            faults = Fault.of("tree on metadata that tells fakes from reals", found.features[:5], _told(measure))
    return Check(title, faults, f"{judged.size} files: {told}", measures=measure)


def _audit(rows: Sequence[ClipRow], looks: Sequence[Look]) -> Audit:
    names, values = metadata_table([look.media for look in looks], _NUMBERS, _WORDS)
    sharpness = np.array([-1.0 if look.sharpness is None else look.sharpness for look in looks])
    labels = np.array([int(row.label == "fake") for row in rows], np.int64)
    place = {row.path: number for number, row in enumerate(rows)}
    taken: dict[str, int] = {}
    for number, row in enumerate(rows):  # one fake a twin: of several the first
        if row.label == "fake" and row.pair_of in place and rows[place[row.pair_of]].label == "real":
            taken.setdefault(row.pair_of, number)
    pairs = np.array([[number, place[twin]] for twin, number in taken.items()], np.int64).reshape(-1, 2)
    ties = [frozenset({row.identity, *row.source_ids, *([row.driver_id] if row.driver_id else [])}) for row in rows]
    clusters = cluster(ties, [row.identity for row in rows])
    return Audit([*names, _SHARPNESS], np.column_stack([values, sharpness]), labels, clusters, pairs)


def _aucs(ranks: Floats, labels: Labels) -> Floats:
    """(rules,): P(a fake has more) + half the ties, of each column of (N, rules) ranks."""
    fakes = int(labels.sum())
    above = labels @ ranks - fakes * (fakes + 1) / 2
    return np.asarray(above / (fakes * (labels.size - fakes)), np.float64)


def _measured(audit: Audit, rule: int, auc: float) -> dict[str, Any]:
    column = audit.values[:, rule]
    sign = 1.0 if auc >= 0.5 else -1.0
    found = _with_interval(max(auc, 1 - auc), audit.labels, sign * column, audit.clusters)
    return {"rule": audit.names[rule], "fakes_have": "more" if auc >= 0.5 else "less", **found}


def _with_interval(auc: float, labels: Labels, scores: Floats, clusters: Clusters) -> dict[str, Any]:
    try:
        interval = bootstrap(lambda weights: {"auc": Curve(labels, scores, weights).auc()}, labels, clusters)["auc"]
    except UsageError as error:
        return {"auc": round(float(auc), 4), "interval": None, "no_interval": error.message}
    return {"auc": round(float(auc), 4), "interval": [round(bound, 4) for bound in interval]}


def _told(measure: dict[str, Any]) -> str:
    bounds = measure["interval"]
    shown = f" [{bounds[0]:.3f}, {bounds[1]:.3f}]" if bounds else " (no interval: too few people)"
    return f"AUC {measure['auc']:.3f}{shown}"
