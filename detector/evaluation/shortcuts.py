"""What tells fakes from reals without looking at a forgery: containers, sizes, sharpness. A set that those separate
measures them.

In: scored videos with what their containers declare and how sharp their faces are. Out: AUC of a depth-3 tree on the
metadata alone, by cross-validation over people and sources; AUC of sharpness alone; and the detector's AUC on pairs of
equal sharpness, to be read beside the plain one (on public talking-head fakes sharpness alone reaches .90).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.evaluation.intervals import Clusters
from detector.evaluation.metrics import Curve
from detector.evaluation.protocol import Scored
from sfumato.errors import UsageError

Floats = NDArray[np.float64]
WARN_ABOVE = 0.7  # AUC of the tree; a set of ours must stay under .6
_DEPTH, _FOLDS = 3, 5
_FEWEST = 10  # videos of each class below which a tree says nothing
_TOLERANCE = 0.1  # of the natural logarithm: a pair's sharpness is equal to ten per cent
_NUMBERS = ("width", "height", "rate", "duration", "frames", "size")
_WORDS = ("kind", "container", "codec", "audio")


@dataclass(frozen=True)
class Separation:
    """What trees on the metadata say of videos that they were not grown on. labels: (N,) 1 = fake; scores: (N,) share
    of fakes in the leaf, NaN where no tree could be grown; features: names by importance.
    """

    labels: NDArray[np.int64]
    scores: Floats
    features: Sequence[str]

    def auc(self) -> float:
        judged = np.isfinite(self.scores)
        return float(Curve(self.labels[judged], self.scores[judged]).auc()[0])


def metadata_auc(scored: Sequence[Scored], clusters: Clusters, seed: int = 0) -> dict[str, Any]:
    """{"auc", "features": names by importance}. Raises UsageError where too few videos have metadata, or folds have one
    class only.
    """
    known = [number for number, item in enumerate(scored) if item.media.get("size")]
    labels = np.array([int(scored[number].sample.label == "fake") for number in known])
    names, values = metadata_table([scored[number].media for number in known])
    found = separate(names, values, labels, clusters.of[known], seed)
    return {"auc": found.auc(), "features": found.features[:5], "videos": int(np.isfinite(found.scores).sum())}


def separate(
    names: Sequence[str], values: Floats, labels: NDArray[np.int64], groups: NDArray[np.int64], seed: int = 0
) -> Separation:
    """Grows trees on (N, features) values by cross-validation over `groups` (N,). Raises UsageError where there are too
    few of a class, or all of one come from one group.
    """
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.tree import DecisionTreeClassifier

    reals, fakes = int((labels == 0).sum()), int((labels == 1).sum())
    if min(reals, fakes) < _FEWEST:
        raise UsageError(f"{reals} reals and {fakes} fakes with metadata: no audit", f"It needs {_FEWEST} of each.")
    folds = min(_FOLDS, *(np.unique(groups[labels == label]).size for label in (0, 1)))
    if folds < 2:
        raise UsageError("All reals or all fakes come from one person or source: no audit", "It needs at least two.")
    said, importance = np.full(len(labels), np.nan), np.zeros(len(names))
    for learn, test in StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(values, labels, groups):
        if np.unique(labels[learn]).size < 2:
            continue
        tree = DecisionTreeClassifier(max_depth=_DEPTH, min_samples_leaf=5, class_weight="balanced", random_state=seed)
        said[test] = tree.fit(values[learn], labels[learn]).predict_proba(values[test])[:, 1]
        importance += tree.feature_importances_
    order = [names[i] for i in np.argsort(-importance) if importance[i] > 0]
    return Separation(labels, said, order)


def sharpness_auc(scored: Sequence[Scored]) -> dict[str, Any]:
    """{"auc": of "the blurrier, the more fake"; below .5 fakes are the sharper ones}. Raises UsageError without both
    classes.
    """
    labels, values = _sharp(scored)
    return {"auc": float(Curve(labels, -values).auc()[0]), "videos": int(labels.size)}


def matched_auc(scored: Sequence[Scored], scores: Sequence[float | None]) -> dict[str, Any]:
    """The detector's AUC on fakes and reals paired by sharpness, each used once. scores: one a video, None where it has
    none.

    Raises UsageError when fewer than ten pairs are found.
    """
    numbers = [i for i, item in enumerate(scored) if item.sharpness and scores[i] is not None]
    ordered = sorted((math.log(_sharpness(scored[i])), i) for i in numbers)
    reals, fakes = ([entry for entry in ordered if scored[entry[1]].sample.label == kind] for kind in ("real", "fake"))
    pairs, start = list[tuple[int, int]](), 0
    for value, number in fakes:  # both ascending: a real that is too soft for this fake is so for all that follow
        while start < len(reals) and reals[start][0] < value - _TOLERANCE:
            start += 1
        if start < len(reals) and reals[start][0] <= value + _TOLERANCE:
            pairs.append((reals[start][1], number))
            start += 1
    if len(pairs) < _FEWEST:
        raise UsageError(f"{len(pairs)} pairs of equal sharpness: no AUC on them", f"It needs {_FEWEST}.")
    chosen = [number for pair in pairs for number in pair]
    labels = [int(scored[number].sample.label == "fake") for number in chosen]
    return {
        "auc": float(Curve(labels, [float(scores[number] or 0.0) for number in chosen]).auc()[0]),
        "pairs": len(pairs),
    }


def _sharp(scored: Sequence[Scored]) -> tuple[NDArray[np.int64], Floats]:
    kept = [item for item in scored if item.sharpness is not None]
    if not kept:
        raise UsageError("The sharpness of the faces is not known", "It is measured when the videos are scored here.")
    return np.array([int(item.sample.label == "fake") for item in kept]), np.array(
        [item.sharpness for item in kept], np.float64
    )


def _sharpness(item: Scored) -> float:
    return max(float(item.sharpness or 0.0), 1e-6)


def metadata_table(
    media: Sequence[Mapping[str, Any]], numbers: Sequence[str] = (), words: Sequence[str] = ()
) -> tuple[list[str], Floats]:
    """(names, (N, features)): numbers, bits a second, and one column a word; -1 where something is not declared.
    numbers, words: keys of `media` that count beside those that every audit knows.
    """
    columns: dict[str, list[float]] = {
        name: [_number(entry.get(name)) for entry in media] for name in (*_NUMBERS, *numbers)
    }
    columns["bitrate"] = [
        8 * _number(entry.get("size")) / entry["duration"] if entry.get("duration") else -1.0 for entry in media
    ]  # fmt: skip
    for name in (*_WORDS, *words):
        for word in sorted({str(entry[name]) for entry in media if name in entry}):
            columns[f"{name} {word}"] = [float(str(entry.get(name)) == word) for entry in media]
    return list(columns), np.array(list(columns.values())).T


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else -1.0
