"""Scored videos made up on the spot, for the tests of evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from detector.datasets.sample import Sample
from detector.evaluation.protocol import Scored


def sample(name: str, label: str, method: str = "toy", **keywords: Any) -> Sample:
    real = label == "real"
    values: dict[str, Any] = {
        "dataset": "set", "video_id": name, "path": Path(f"/nowhere/{name}.mp4"), "label": label,
        "method": "real" if real else method,
        "family": "real" if real else "reenact", "identity": f"person {name}",
    }  # fmt: skip
    return Sample(**(values | keywords))


def scored(name: str, label: str, *scores: float, **keywords: Any) -> Scored:
    """One person, a score a frame; without scores an abstention."""
    extra = {key: keywords.pop(key) for key in ("media", "sharpness", "flagged") if key in keywords}
    track = tuple((float(time), score) for time, score in enumerate(scores))
    return Scored(sample(name, label, **keywords), "ok" if scores else "abstain", (track,) if scores else (), **extra)


def crowd(count: int = 40, gap: float = 0.3, seed: int = 0, **keywords: Any) -> list[Scored]:
    """`count` reals and as many fakes by two methods, everybody another person; `gap` between their mean scores."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(2 * count):
        label = ("real", "fake")[i % 2]
        mean = np.clip(rng.normal(0.35 + gap * (i % 2), 0.15), 0.01, 0.99)
        scores = np.clip(rng.normal(mean, 0.03, 3), 0.001, 0.999).tolist()
        made.append(scored(f"{label}{i}", label, *scores, method=("swap", "warp")[i // 2 % 2], **keywords))
    return made
