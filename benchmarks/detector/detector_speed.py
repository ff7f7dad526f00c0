"""How fast the detector judges: the shipped net in every backend that is installed, in turn. Out: crops a CPU second,
and ratios.

One thread, as `sfumato scan` uses it; CPU time, so that it also holds on a busy machine. "without maps" is the same net
with its second output cut off: what the explanations cost everybody. Crops are noise, which costs what faces do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from benchmarks.generator.speed import Timing, processor
from sfumato.errors import MissingPartError

PROTOCOL = "judging-1"
PLAIN = "onnxruntime"
CROPS = 32  # what `scan` judges of a file with one face
Row = Mapping[str, Any]


def measure_judging(rounds: int = 9, advance: Callable[[float], None] = lambda amount: None) -> list[dict[str, Any]]:
    """One row a method. `advance` gets 1 a round. Raises MissingPartError without a shipped detector."""
    from detector.inference.backend_names import REGISTRY
    from detector.inference.backends import Scorer, load_scorer
    from detector.inference.bundle import load_shipped, read_parts, shipped_folder

    detector = load_shipped()
    network, _, _ = read_parts(shipped_folder())
    methods: dict[str, tuple[Scorer, Timing]] = {
        f"{PLAIN}, without maps": (load_scorer(PLAIN, without_maps(network)), Timing())
    }
    for name in REGISTRY.names():
        try:
            methods[name] = load_scorer(name, network), Timing()
        except MissingPartError:
            continue
    crops = list(np.random.default_rng(0).integers(0, 256, (CROPS, detector.size, detector.size, 3), dtype=np.uint8))
    for number in range(-1, rounds):  # the first round only warms up
        for scorer, timing in methods.values():
            (timing if number >= 0 else Timing()).add(partial(_judge, scorer, crops))
        advance(1 if number >= 0 else 0)
    facts = {"size": detector.size, "rounds": rounds, "n": CROPS, "model": detector.digest, "processor": processor()}
    return [
        {"method": name, **timing.row(methods[PLAIN][1] if name != PLAIN else None), **facts}
        for name, (_, timing) in methods.items()
    ]


def without_maps(network: bytes) -> bytes:
    """The same net with its logits alone."""
    import onnx

    model = onnx.load_from_string(network)
    del model.graph.output[1:]
    return bytes(model.SerializeToString())


def judging_table(rows: Sequence[Row]) -> str:
    """As Markdown, for docs/speed.md and the terminal."""
    lines = ["| method | crops/CPU s | times onnxruntime, 95 % |", "|---|---|---|"]
    for row in rows:
        times = (
            "{:.2f} ({:.2f} to {:.2f})".format(row["ratio_cpu"], *row["ratio_cpu_interval"])
            if "ratio_cpu" in row
            else ""
        )
        lines.append(f"| {row['method']} | {row['fps_cpu']:.1f} | {times} |")
    last = rows[-1]
    return "\n".join(
        [
            *lines,
            "",
            f"{last['processor']}; one thread, {last['rounds']} rounds of {last['n']} crops at {last['size']} px.",
        ]
    )


def _judge(scorer: Callable[[Sequence[Any]], Any], crops: Sequence[Any]) -> int:
    return len(scorer(crops))
