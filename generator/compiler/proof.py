"""Whether a backend computes right on the processor at hand. What makes a backend in, the reason against it out.

A library picks its machine code by the processor, and not every choice is right: without the instructions that add up
products of 8 bits in 32 (VNNI) they are added in 16, which overflow in silence. So a small network with a known answer
runs before the first frame. It has each kind of convolution that a folded network has, and channels near the top of
their range, where an overflow shows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generator.compiler.folding import Array, Plan

_SIDE, _CHANNELS = 16, 32
Run = Callable[[Array], Array]  # guide (n, n, inputs) to answer (n, n, outputs)


def shortcoming(make: Callable[[Plan, int], Run], tolerance: float) -> str:
    """Why what `make` makes of a plan must not be used here; "" if it may.

    `tolerance`: how far the answer may lie from the known one, as a share of its largest number.
    """
    plan, guide = known_plan(), known_guide()
    try:
        found = make(plan, 1)(guide)
    except Exception as error:  # each library has errors of its own
        lines = str(error).strip().splitlines()
        return f"it does not run ({lines[-1].strip()[:120] if lines else type(error).__name__})"
    expected = known_answer(plan, guide)
    apart = float(np.abs(found - expected).max() / np.abs(expected).max())
    return "" if apart <= tolerance else f"it computes wrongly: a known answer comes out {100 * apart:.2g} % off"


def known_guide() -> Array:
    """(16, 16, 32), all that a guide may hold."""
    return np.random.default_rng(1).uniform(-1, 1, (_SIDE, _SIDE, _CHANNELS)).astype(np.float32)


def known_plan() -> Plan:
    """The network: convolutions of the guide, at half the size, of single places, and transposed."""
    draw = np.random.default_rng(0)
    plan = Plan(_CHANNELS, 3, _SIDE)

    def weight(kernel: int) -> Array:
        """Neighbouring inputs pull the same way, so that their products add up."""
        signs = np.where(draw.random((_CHANNELS, 1, 1, 1)) < 0.5, -1, 1)
        return (signs * draw.uniform(0.5, 1, (_CHANNELS, _CHANNELS, kernel, kernel))).astype(np.float32)

    def opened(x: str) -> str:
        """Half of the channels are open everywhere, high in their range; the others at every second place."""
        scale = np.where(np.arange(_CHANNELS) < _CHANNELS // 2, 0.05, 1).astype(np.float32)
        return plan.add("relu", plan.add("norm", x, arrays=(scale, 1 - scale)))

    first = plan.conv("guide", weight(3), None)
    half = plan.conv(opened(first), weight(4), None, stride=2)
    point = plan.conv(opened(half), weight(1), None)
    whole = plan.add("upconv", opened(point), arrays=(weight(4), np.zeros(_CHANNELS, np.float32)))
    # No norm behind them: it would take away the mean, in which an overflow shows most.
    small, large = plan.add("up", plan.add("add", half, point)), plan.add("add", first, whole)
    plan.conv(plan.add("add", small, large), draw.normal(size=(3, _CHANNELS, 1, 1)).astype(np.float32), None)
    return plan


def known_answer(plan: Plan, guide: Array) -> Array:
    """What `known_plan` answers, by plain sums in 64 bits: no library that a backend could share an error with."""
    values: dict[str, NDArray[Any]] = {"guide": guide.astype(np.float64)}
    for step in plan.steps:
        x = values[step.inputs[0]]
        match step.kind:
            case "conv":
                y = _convolved(x, step.arrays[0], step.stride) + step.arrays[1]
            case "upconv":  # zeros between the places, then the kernel turned round
                wide = np.zeros((2 * x.shape[0] + 1, 2 * x.shape[1] + 1, x.shape[2]))
                wide[1::2, 1::2] = x
                y = _convolved(wide, step.arrays[0].swapaxes(0, 1)[:, :, ::-1, ::-1], 1) + step.arrays[1]
            case "norm":
                apart = x - x.mean((0, 1))
                y = apart / np.sqrt((apart**2).mean((0, 1)) + 1e-5) * step.arrays[0] + step.arrays[1]
            case "relu":
                y = np.maximum(x, 0)
            case "up":
                y = x.repeat(2, 0).repeat(2, 1)
            case "add":
                y = x + values[step.inputs[1]]
            case _:
                raise ValueError(f"the known network has no {step.kind}")
        values[step.output] = y
    return np.asarray(values[plan.steps[-1].output], np.float32)


def _convolved(x: NDArray[Any], weight: NDArray[Any], stride: int) -> NDArray[Any]:
    """x: (h, w, I); weight: (O, I, k, k). Returns (h', w', O)."""
    around = (weight.shape[-1] - 1) // 2
    padded = np.pad(x, ((around, around), (around, around), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2:], (0, 1))[::stride, ::stride]
    return np.tensordot(windows, weight.astype(np.float64), ((2, 3, 4), (1, 2, 3)))
