"""How sure a number is: exact bounds of a rate, and bootstrap intervals that resample people or sources, not frames.

In: what belongs together (clusters) and metrics over weighted rows. Out: intervals at 95 %. Videos of one person or one
source rise and fall together; resampled one by one they promise more than they hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from detector.evaluation.choices import Unit
from sfumato.errors import UsageError

Floats = NDArray[np.float64]
Interval = tuple[float, float]
DRAWS = 2000
_CHUNK = 2_000_000  # weights held at a time
_GIANT = 0.5  # of all videos: a chain of shared sources that long is no cluster but the data set
_FEWEST = 5  # clusters of a kind below which an interval says nothing


def rate_bounds(flagged: int, of: int, level: float = 0.95) -> Interval:
    """Clopper-Pearson bounds of a rate; of none among n the upper one is about 3.7 / n, 3 / n one-sided. Raises
    UsageError for n = 0.
    """
    from scipy.stats import beta

    if not 0 <= flagged <= of or of == 0:
        raise UsageError(f"{flagged} of {of} is no rate", "There must be at least one file.")
    tail = (1 - level) / 2
    low = 0.0 if flagged == 0 else float(beta.ppf(tail, flagged, of - flagged + 1))
    high = 1.0 if flagged == of else float(beta.ppf(1 - tail, flagged + 1, of - flagged))
    return low, high


def largest_rate(flagged: int, of: int, level: float = 0.95) -> float:
    """The one-sided upper bound: of none among n it is about 3 / n."""
    return rate_bounds(flagged, of, 2 * level - 1)[1]


@dataclass(frozen=True)
class Clusters:
    """of: (N,) the number of each video's cluster, from 0; unit: what a cluster is; count: how many."""

    of: NDArray[np.int64]
    unit: Unit
    count: int

    def narrowed(self, numbers: Sequence[int] | NDArray[np.int64]) -> Clusters:
        """The clusters of some of the videos, which may be named more than once, numbered from 0."""
        held = np.unique(self.of[np.asarray(numbers, np.int64)], return_inverse=True)[1].astype(np.int64)
        return Clusters(held, self.unit, int(held.max(initial=-1)) + 1)


def cluster(
    ties: Sequence[frozenset[str]], identities: Sequence[str], unit: Unit | Literal["auto"] = "auto"
) -> Clusters:
    """Which videos are resampled together. ties: names (people, sources) of each video; who shares one, however
    indirectly, is one cluster.

    auto: by source, unless one chain of shared names holds more than half of all videos (in Celeb-DF everybody is
    swapped with everybody); then by the identity to be seen.
    """
    if unit == "video":
        return Clusters(np.arange(len(ties)), "video", len(ties))
    if unit != "identity":
        joined = _numbered(_components(ties))
        largest = max(Counter(joined.tolist()).values(), default=0)
        if unit == "source" or largest <= max(_GIANT * len(ties), 1):
            return Clusters(joined, "source", int(joined.max(initial=-1)) + 1)
    numbers = _numbered(list(identities))
    return Clusters(numbers, "identity", int(numbers.max(initial=-1)) + 1)


def bootstrap(
    metrics: Callable[[Floats], Mapping[str, Floats]],
    labels: Sequence[int] | NDArray[Any],
    clusters: Clusters,
    seed: int = 0,
) -> dict[str, Interval]:
    """The 95 % percentile interval of each of `metrics`, which takes weights (draws, N) and returns {name: (draws,)}.

    Clusters are drawn with replacement, those with reals only, fakes only and both each among themselves, so that the
    classes keep about their sizes. Raises UsageError when reals or fakes come from too few clusters, or draws without
    one class are too many.
    """
    fake = np.asarray(labels, bool)
    kinds = np.zeros(clusters.count, np.int64)
    np.bitwise_or.at(kinds, clusters.of, np.where(fake, 2, 1))
    for name, bit in (("reals", 1), ("fakes", 2)):
        held = int(((kinds & bit) > 0).sum())
        if held < _FEWEST:
            raise UsageError(
                f"The {name} come from {held} {_plural(clusters.unit, held)}: no interval",
                f"It needs at least {_FEWEST}.",
            )
    rng = np.random.default_rng(seed)
    strata = [np.flatnonzero(kinds == kind) for kind in (1, 2, 3) if (kinds == kind).any()]
    values: list[Floats] = []  # (metrics, draws) each
    names: list[str] = []
    step = max(1, min(DRAWS, _CHUNK // max(1, fake.size)))
    for start in range(0, DRAWS, step):
        draws = min(step, DRAWS - start)
        weights = np.zeros((draws, clusters.count))
        for members in strata:
            weights[:, members] = rng.multinomial(members.size, np.full(members.size, 1 / members.size), size=draws)
        found = metrics(weights[:, clusters.of])
        names = list(found)
        values.append(np.stack([found[name] for name in names]))
    drawn = np.concatenate(values, 1)  # (metrics, DRAWS)
    usable = drawn[:, np.isfinite(drawn).all(0)]
    if usable.shape[1] < 0.95 * DRAWS:
        raise UsageError(
            f"{DRAWS - usable.shape[1]} of {DRAWS} draws hold one class only: no interval",
            "It needs more people or sources.",
        )
    low, high = np.percentile(usable, [2.5, 97.5], axis=1)
    return {name: (float(low[i]), float(high[i])) for i, name in enumerate(names)}


def _components(ties: Sequence[frozenset[str]]) -> list[str]:
    """A name for the group of videos that hang together: one of its own names.

    Which one decides how clusters are numbered, and so what a seed draws: it is kept as it was for recorded intervals.
    """
    from scipy.cluster.hierarchy import DisjointSet

    groups = DisjointSet(name for names in ties for name in names)
    titles: dict[str, str] = {}
    for names in ties:
        first, *others = sorted(names)
        for other in others:
            title = titles.get(groups[other], groups[other])
            groups.merge(first, other)
            titles[groups[first]] = title
    roots = [groups[min(names)] for names in ties]
    return [titles.get(root, root) for root in roots]


def _numbered(names: Sequence[str]) -> NDArray[np.int64]:
    return (
        np.unique(np.asarray(names, object).astype(str), return_inverse=True)[1].astype(np.int64)
        if names
        else np.zeros(0, np.int64)
    )


def _plural(unit: str, count: int) -> str:
    return unit if count == 1 else {"identity": "identities"}.get(unit, f"{unit}s")
