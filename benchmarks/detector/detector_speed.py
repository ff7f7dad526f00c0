"""How fast the detector judges: the shipped net in every backend that is installed, in turn. Out: crops a CPU second,
and ratios.

One thread, as `sfumato scan` uses it; CPU time, so that it also holds on a busy machine. "without maps" is the same net
with its second output cut off: what the explanations cost everybody. Crops are noise, which costs what faces do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from benchmarks.metrics.timing import RoundTimes, processor
from benchmarks.rows.speed import DetectorSpeedRow
from sfumato.errors import MissingPartError

PROTOCOL = "judging-1"
PLAIN = "onnxruntime"
CROPS = 32  # what `scan` judges of a file with one face by a detector that does not say otherwise


def measure_detector_speed(
    rounds: int = 9, advance: Callable[[float], None] = lambda amount: None
) -> list[DetectorSpeedRow]:
    """One row a method. `advance` gets 1 a round. Raises MissingPartError without a shipped detector."""
    from detector.inference.backend_names import REGISTRY
    from detector.inference.backends import Scorer, load_scorer
    from detector.inference.bundle import load_shipped, read_parts, shipped_folder

    detector = load_shipped()
    network, _, _ = read_parts(shipped_folder())
    methods: dict[str, tuple[Scorer, RoundTimes]] = {
        f"{PLAIN}, without maps": (load_scorer(PLAIN, without_maps(network)), RoundTimes())
    }
    for name in REGISTRY.names():
        try:
            methods[name] = load_scorer(name, network), RoundTimes()
        except MissingPartError:
            continue
    crops = list(np.random.default_rng(0).integers(0, 256, (CROPS, detector.size, detector.size, 3), dtype=np.uint8))
    for number in range(-1, rounds):  # the first round only warms up
        for scorer, timing in methods.values():
            (timing if number >= 0 else RoundTimes()).add(partial(_score, scorer, crops))
        advance(1 if number >= 0 else 0)
    facts: dict[str, Any] = {
        "size": detector.size,
        "rounds": rounds,
        "n": CROPS,
        "model": detector.digest,
        "processor": processor(),
    }
    return [
        DetectorSpeedRow(method=name, **timing.row(methods[PLAIN][1] if name != PLAIN else None), **facts)
        for name, (_, timing) in methods.items()
    ]


def without_maps(network: bytes) -> bytes:
    """The same net with its logits alone."""
    import onnx

    model = onnx.load_from_string(network)
    del model.graph.output[1:]
    return bytes(model.SerializeToString())


def _score(scorer: Callable[[Sequence[Any]], Any], crops: Sequence[Any]) -> int:
    return len(scorer(crops))
