"""One threshold that holds for every group of reals: a detector that is right about one source and wrong about another
must not hide the second behind the first.

In: the logits of reals, one clip a person, by the group that each belongs to (a collection, or a kind of footage that
its owner named). Out: for each false-positive rate alpha one threshold, and what each group carries at it.

The rule. A group of n carries alpha if k = floor(alpha (n + 1)) is at least 1; its own threshold is then its k-th
largest logit. Groups too small for alpha are taken together, and the k-th largest of all of them counts as one group's
would (the largest where even they carry it not). Each of them also sets a bound of its own: its j-th largest logit, j
the smallest for which a group with a true rate of alpha would have j of n above with a chance of at most SURPRISE over
the number of such groups. The threshold is the largest of all these, and no group asks for less at a stricter rate.

What is guaranteed, by counting alone (conformal prediction: Vovk, Gammerman and Shafer 2005, section 2.2; by groups:
section 4.5): a new real clip of somebody new, drawn as those of a group were, exceeds the threshold with a probability
of at most that group's `rate`. For a group that carries alpha that is k / (n + 1), at most alpha, whatever the other
groups are, since the threshold is never below its own. For the small ones together the same holds of their mixture. For
a small group alone it is j / (n + 1), and no more than the order of the mixture's threshold allows: above alpha, which
is why the record says it. Groups of fewer than FEWEST people are one, OTHER, and what holds of it holds of their
mixture; where even that has fewer, it sets no more than its bound, lest one odd clip decide, and what it carries is
little. Of a source that is none of the groups nothing is guaranteed.

Why not the largest logit of each small group: that of many small samples grows with their number and says nothing of
any of them. Of twenty groups of twenty alike (normal logits, drawn; a hundredth asked for) that would flag 0.25 % and
find 51 % of fakes three deviations away; this flags 0.97 % and finds 73 %. Why not all reals as one group: where one of
ten groups lies a deviation and a half above the others and a tenth is asked for, that flags 47 % of it; this flags
9.7 %. The price: every group that carries alpha keeps its own guarantee, so of many small ones alike the strictest
decides (twenty of twenty at a tenth: 1.5 % flagged, 77 instead of 96 % found). Collections that are alike are better
listed as one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sfumato.errors import UsageError

FEWEST = 20  # people of a group that counts by itself: of fewer the largest two logits are anybody's
OTHER = "other"  # where all smaller groups are put together
SURPRISE = 0.05  # the chance that small groups which are no worse than the others raise the threshold nevertheless
RULE = (
    "conformal by group: the k-th largest of a group's n logits, k = floor(alpha (n + 1)); groups too small for alpha "
    "together, each bounded by its j-th largest; the largest of these; what is above it is flagged"
)


@dataclass(frozen=True)
class Share:
    """What one group has to do with the threshold of one alpha. n: its people; logit: its own threshold, None where it
    is too small to set any; rate: the probability in [0, 1], at most, with which a new real of the group exceeds it,
    and so the joint one.
    """

    n: int
    logit: float | None
    rate: float


@dataclass(frozen=True)
class GroupedThresholds:
    """thresholds: {alpha: logit}; left_out: alphas that all reals together are too few for; shares: {alpha: {group: its
    share}}; together: {alpha: the share of the groups that are too small for it}, where there are any.
    """

    thresholds: dict[float, float]
    left_out: tuple[float, ...]
    shares: dict[float, dict[str, Share]] = field(default_factory=dict)
    together: dict[float, Share] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The keys that a calibration's record has of groups."""
        names = sorted({name for shares in self.shares.values() for name in shares})
        return {
            "groups": {
                name: {
                    "n": next(shares[name].n for shares in self.shares.values()),
                    "thresholds": {str(alpha): shares[name].logit for alpha, shares in self.shares.items()},
                    "rates": {str(alpha): shares[name].rate for alpha, shares in self.shares.items()},
                }
                for name in names
            },
            "together": {
                str(alpha): {"n": share.n, "threshold": share.logit, "rate": share.rate}
                for alpha, share in self.together.items()
            },
        }


def group_of(dataset: str | None, method: str) -> str:
    """The group of a real clip: the collection that it comes from, or of one's own footage what its list calls it."""
    return dataset or method


def conformal_threshold(logits: Sequence[float], alpha: float) -> float:
    """The k-th largest of n, k = floor(alpha (n + 1)). Raises UsageError for alpha < 1 / (n + 1), ValueError outside
    (0, 1).
    """
    k = _order(len(logits), alpha)
    if k < 1:
        raise UsageError(
            f"A false-positive rate of {alpha:g} cannot be set on {len(logits)} real clips",
            f"It needs at least {fewest_reals(alpha)}.",
        )
    return _largest(logits, k)


def fewest_reals(alpha: float) -> int:
    """How many real clips a threshold at this false-positive rate takes."""
    return math.ceil(1 / alpha - 1e-9) - 1


def grouped_thresholds(groups: Mapping[str, Sequence[float]], alphas: Iterable[float]) -> GroupedThresholds:
    """groups: {name: logits of its reals, one a person}; groups of fewer than FEWEST become OTHER.

    Raises UsageError if neither one of them nor the small ones together carry even the largest alpha.
    """
    named = gathered(groups)
    odd = {OTHER} if len(named) > 1 and len(named.get(OTHER, ())) < FEWEST else set()
    thresholds, left_out, highest = dict[float, float](), list[float](), -math.inf
    shares, together = dict[float, dict[str, Share]](), dict[float, Share]()
    orders: dict[str, int] = {}  # of each group's own threshold at the last rate: a stricter one allows no more
    for alpha in sorted(alphas, reverse=True):
        small = {name for name, logits in named.items() if name in odd or not _order(len(logits), alpha)}
        mixture = [logit for name in sorted(small - odd) for logit in named[name]]
        if len(small) == len(named):
            try:
                conformal_threshold(mixture, alpha)
            except UsageError:
                if not thresholds:
                    raise
                left_out.append(alpha)
                continue
        chance, mixed = SURPRISE / max(1, len(small)), max(1, _order(len(mixture), alpha))
        for name, logits in named.items():
            n = len(logits)
            order = _order(n, alpha)
            if name in small:  # above the mixture's threshold lie fewer than its order, so of none of them more
                order = min(_bound(n, alpha, chance), n + 1 if name in odd else mixed)
            orders[name] = min(order, orders.get(name, order))
        shares[alpha] = {name: _share(logits, orders[name]) for name, logits in named.items()}
        if mixture:
            together[alpha] = _share(mixture, mixed)
        everyone = [*shares[alpha].values(), *([together[alpha]] if mixture else [])]
        highest = max([highest, *(share.logit for share in everyone if share.logit is not None)])
        thresholds[alpha] = highest
    return GroupedThresholds(thresholds, tuple(left_out), shares, together)


def gathered(groups: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """The groups of at least FEWEST people, and all others as OTHER: one odd clip must not set everything."""
    if len(groups) == 1:
        return {name: list(logits) for name, logits in groups.items()}
    named: dict[str, list[float]] = {}
    for name, logits in sorted(groups.items()):
        named.setdefault(name if len(logits) >= FEWEST else OTHER, []).extend(logits)
    return named


def _bound(n: int, alpha: float, chance: float) -> int:
    """j, of a group that is too small for alpha: so many above would be a surprise. n + 1: of so few nothing would."""
    return next(j for j in range(1, n + 2) if _at_least(j, n, alpha) <= chance)


def _share(logits: Sequence[float], order: int) -> Share:
    """Of a group that asks for its largest logit but order - 1; an order above n asks for nothing."""
    n = len(logits)
    return Share(n, _largest(logits, order) if order <= n else None, order / (n + 1))


def _order(n: int, alpha: float) -> int:
    """k of the conformal rule; 0: too few. Raises ValueError for an alpha outside (0, 1)."""
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}; it must be between 0 and 1")
    return math.floor(alpha * (n + 1) + 1e-9)  # 0.1 * 10 is 1, whatever floats make of it


def _largest(logits: Sequence[float], k: int) -> float:
    return float(np.sort(np.asarray(logits, np.float64))[::-1][k - 1])


def _at_least(j: int, n: int, alpha: float) -> float:
    """The chance of at least j of n, each with a chance of alpha."""
    return 1 - sum(math.comb(n, i) * alpha**i * (1 - alpha) ** (n - i) for i in range(j))
