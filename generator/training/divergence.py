"""The deaths a run is known for, told early: a dead embedder, a discriminator that has won or has given up, numbers
that are none.

The losses of each step go in; sentences for the user come out, each once until things are well again. What cannot be
survived raises TrainingDied before the weights are touched, so that the last save stays good.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from sfumato.errors import SfumatoError

DEAD_SPREAD = 1e-3  # below this all people look alike to E
PEOPLE = 8  # the last so many embeddings say how far apart people are: one batch may hold one person only


class Sign(NamedTuple):
    """`steps` steps in a row with `value` within `limit` of 0."""

    value: str
    limit: float
    steps: int
    says: str


SIGNS = (
    Sign(
        "spread", DEAD_SPREAD, 5,
        "the embedder gives everybody the same embedding; it is dying. "
        "Try loss.match_reaches_embedder=false, a lower learning_rate, or loss.adversary_from=0.5",
    ),
    # D takes its first dozens of steps with a loss near 2; one that stays near 0 no longer says in which direction to
    # go
    Sign(
        "critic", 0.02, 100,
        "the discriminator has won: its loss has been 0 for 100 steps, and the generator learns nothing from it. "
        "Try a lower critic_learning_rate, or critic_updates=1",
    ),
    Sign(
        "margin", 1e-3, 100,
        "the discriminator has collapsed: for 100 steps it has given real and made pictures the same score. "
        "Try a lower critic_learning_rate, in a run from the beginning",
    ),
    Sign(
        "painted", 0.05, 200,
        "the painter repeats what it is given: for 200 steps it has made less than 5 % of the change that was wanted. "
        "Try a lower learning_rate, in a run from the beginning",
    ),
)  # fmt: skip


class TrainingDied(SfumatoError):  # noqa: N818 (what happened, as the reader will meet it)
    """The run cannot recover: losses or gradients are not finite."""


def require_finite(values: dict[str, float], what: str, step: int) -> None:
    """Raises TrainingDied when one of `values` is not a finite number."""
    broken = sorted(name for name, value in values.items() if not math.isfinite(value))
    if broken:
        raise TrainingDied(
            f"{what} are not finite at step {step}: {', '.join(broken)}",
            "The last save is untouched: go on from it with --resume and a lower learning_rate, or "
            "with precision=fp32.",
        )


class Watch:
    """Counts how long each sign has held; `look` says when one has held for too long."""

    def __init__(self) -> None:
        self._held = dict.fromkeys(SIGNS, 0)

    def look(self, log: dict[str, float]) -> list[str]:
        """`log`: one step's losses, with `spread`, and `critic` and `margin` once D takes part. Returns new
        warnings.
        """
        for sign in SIGNS:
            if sign.value in log:
                self._held[sign] = self._held[sign] + 1 if abs(log[sign.value]) < sign.limit else 0
        return [sign.says for sign in SIGNS if sign.value in log and self._held[sign] == sign.steps]
