"""Detectors that judged the same drawn crowd, for the tests of comparisons."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from detector.comparison.judged import Judged
from detector.evaluation.protocol import Scored
from tests.evaluation_fixtures import scored


def people(count: int = 40, videos: int = 3, seed: int = 0, gap: float = 1.0, **keywords: Any) -> list[Scored]:
    """`videos` of each of `count` people, a real and fakes by swap and warp; scores of a person vary together."""
    rng = np.random.default_rng(seed)
    made = []
    families = ("blend", "reenact")
    for person in range(count):
        own = rng.normal(0, 0.7)
        for number in range(videos):
            label = "fake" if number else "real"
            value = 1 / (1 + np.exp(-(own + gap * bool(number) + rng.normal(0, 0.7))))
            made.append(
                scored(
                    f"p{person} v{number}", label, float(value), identity=f"person {person}",
                    method=("swap", "warp")[number % 2], family=families[number % 2] if number else "real",
                    compression=("c23", "c40")[person % 2], **keywords,
                )
            )  # fmt: skip
    return made


def said(items: Sequence[Scored], change: Callable[[float, int], float | None]) -> list[Scored]:
    """The same videos by another detector, which says `change(score, number)` of each; None: it failed."""
    found = []
    for number, item in enumerate(items):
        value = change(float(item.frames()[0]), number)
        if value is None:
            found.append(dataclasses.replace(item, status="error", tracks=(), reason="ValueError: <no>"))
        else:
            found.append(dataclasses.replace(item, tracks=(((0.0, value),),)))
    return found


def noisy(items: Sequence[Scored], seed: int = 1, spread: float = 0.2) -> list[Scored]:
    """A worse detector: the scores with noise."""
    noise = np.random.default_rng(seed).normal(0, spread, len(items))
    return said(items, lambda score, number: float(np.clip(score + noise[number], 0, 1)))


def pair(**keywords: Any) -> list[Judged]:
    """A detector and a worse one."""
    first = people(**keywords)
    return [Judged("first", first), Judged("second", noisy(first))]
