"""A folded network in 8 bits. A plan in, a plan out, whose convolutions say in which range their input lies.

No pictures are needed to find the ranges. What a convolution reads has been through an instance norm whose scale and
shift are constants once the person is known: a channel hardly leaves shift +- 12 scale. Each channel is divided by that
in the norm and multiplied by it in the weights behind it, which is exact algebra and gives every channel its own 8
bits. Of the guide pictures lie in [-1, 1]. The last convolution, from which flows and gates come, and those of the
skips, which read sums without a bound, stay in float32; they are cheap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from generator.compiler.folding import Array, Plan, Step

# PSNR to float32, Mona Lisa by portrait-256, ten frames of a shipped motion: 58.0 dB with 8, 60.1 with 10, 60.6 with
# 12, 60.5 with 14.
_DEVIATIONS = 12
_GUIDE = 1.5  # pictures reach 1, motion .75 in the shipped motions: room for drivers that turn twice as far
_LEAST = 1e-3  # of a channel that is never open


def narrow(plan: Plan) -> Plan:
    """The plan with 8-bit convolutions marked by `Step.reach`. Run in float32 it gives what `plan` gives.

    In a plan folded without psi, what reads AdaIN's norms has no known range and stays as it is.
    """
    reaches = _reaches(plan.steps)
    last = [step for step in plan.steps if step.kind == "conv"][-1]
    return replace(plan, steps=[_narrowed(step, reaches, wide=step is last) for step in plan.steps])


def _reaches(steps: Sequence[Step]) -> dict[str, Array]:
    """Where a norm and a relu stand between others and convolutions: for both names what each channel hardly exceeds,
    (C,).
    """
    readers: dict[str, list[Step]] = {}
    for step in steps:
        for name in step.inputs:
            readers.setdefault(name, []).append(step)
    reaches = dict[str, Array]()
    for step in steps:
        behind = readers.get(step.output, [])
        if step.kind != "norm" or not step.arrays or [reader.kind for reader in behind] != ["relu"]:
            continue
        if all(reader.kind in ("conv", "upconv") for reader in readers[behind[0].output]):
            scale, shift = step.arrays
            reaches[step.output] = reaches[behind[0].output] = np.maximum(
                shift + _DEVIATIONS * np.abs(scale), np.float32(_LEAST)
            )
    return reaches


def _narrowed(step: Step, reaches: dict[str, Array], wide: bool) -> Step:
    if step.kind == "norm" and step.output in reaches:
        return replace(step, arrays=tuple(array / reaches[step.output] for array in step.arrays))
    if step.kind not in ("conv", "upconv"):
        return step
    source, (weight, bias) = step.inputs[0], step.arrays
    if source == "guide":
        return replace(step, reach=None if wide else (-_GUIDE, _GUIDE))
    if source not in reaches:
        return step
    shape = (1, -1, 1, 1) if step.kind == "conv" else (-1, 1, 1, 1)  # a transposed convolution has its inputs first
    scaled = np.ascontiguousarray(weight * reaches[source].reshape(shape))
    return replace(step, arrays=(scaled, bias), reach=None if wide else (0.0, 1.0))
