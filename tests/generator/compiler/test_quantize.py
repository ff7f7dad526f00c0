"""A plan in 8 bits: the same algebra, marked where it may round; rounded it is near, and frames of trained weights look
the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from generator.compiler.backends import OnnxRuntimeBackend
from generator.compiler.folding import Plan, as_torch, fold
from generator.compiler.quantize import narrow
from generator.motion.retarget import Retargeter
from generator.motion.track import motion_path, read_motion
from generator.networks.checkpoint import SHIPPED, checkpoint_path, load_checkpoint
from generator.person.portrait import read_portrait
from generator.rendering.animator import Animator
from sfumato.media.faces import FaceDetector
from sfumato.media.landmarks import load_backend
from tests.generator_fixtures import PLAIN, WARP, checkpoint, portrait

CASES: list[tuple[str, dict[str, Any]]] = [
    (WARP, {"stem": 2}),
    (PLAIN, {"encoder_attention": 16, "decoder_attention": 16}),
]


def folded(family: str, changes: dict[str, Any], known: bool = True) -> Plan:
    made = checkpoint(family, **changes)
    network = made.generator.network
    psi = 0.3 * torch.randn(1, network.coefficients, generator=torch.Generator().manual_seed(0))
    return fold(network, psi if known else None, made.config.size // network.stem, lambda w: w, lambda w, b: (w, b))


@pytest.mark.parametrize(("family", "changes"), CASES)
def test_without_rounding_nothing_changes(family: str, changes: dict[str, Any]) -> None:
    plan = folded(family, changes)
    guide = torch.rand(1, plan.inputs, plan.side, plan.side) * 2 - 1
    expected, found = as_torch(plan, "cpu")(guide), as_torch(narrow(plan), "cpu")(guide)
    assert float((found - expected).abs().max()) < 1e-5 * max(1.0, float(expected.abs().max()))


@pytest.mark.parametrize(("family", "changes"), CASES)
def test_rounded_it_is_near_and_not_the_same(family: str, changes: dict[str, Any]) -> None:
    plan = folded(family, changes)
    guide = np.random.default_rng(0).uniform(-1, 1, (plan.side, plan.side, plan.inputs)).astype(np.float32)
    expected, found = OnnxRuntimeBackend(plan)(guide), OnnxRuntimeBackend(narrow(plan))(guide)
    error = float(np.sqrt(np.mean((found - expected) ** 2)) / expected.std())
    assert 1e-4 < error < 0.2  # noise through random weights; trained ones are below


def test_what_is_read_has_a_range_or_stays_as_it_is() -> None:
    plan = narrow(folded(WARP, {}))
    kinds = {step.output: step.kind for step in plan.steps} | {"guide": "guide"}
    convolutions = [step for step in plan.steps if step.kind in ("conv", "upconv")]
    reaches = {(kinds[step.inputs[0]], step.reach) for step in convolutions[:-1]}
    assert reaches == {("guide", (-1.5, 1.5)), ("relu", (0.0, 1.0)), ("add", None), ("pool", None)}
    assert convolutions[-1].reach is None


def test_behind_the_norms_of_nobody_in_particular_no_range_is_known() -> None:
    plan = narrow(folded(WARP, {}, known=False))
    made = {step.output: step for step in plan.steps}
    sources = [step.inputs[0] for step in plan.steps if step.reach is not None]
    assert "guide" in sources
    assert all(made[made[source].inputs[0]].place is None for source in sources if source != "guide")


@pytest.mark.parametrize("name", SHIPPED)
def test_frames_of_trained_weights_cannot_be_told_apart(name: str) -> None:
    pytest.importorskip("openvino")
    made, motion = load_checkpoint(checkpoint_path(name)), read_motion(motion_path("cheerful"))
    sitter = read_portrait(portrait("la-velata"), FaceDetector(), load_backend(made.landmarks), made.config.size)
    retargeter = Retargeter(sitter.landmarks, motion)
    poses = [retargeter.frame(index) for index in range(0, len(motion), len(motion) // 5)]
    frames = []
    for backend in ("openvino", "openvino-int8"):
        animator = Animator(made, backend=backend)
        animator.set_identity([sitter])
        frames.append(np.stack([animator.render(pose) for pose in poses]).astype(np.float64))
    apart = np.abs(frames[1] - frames[0])
    assert 0 < apart.mean() < 0.25
    assert 10 * np.log10(255**2 / (apart**2).mean(axis=(1, 2, 3))).min() > 50  # dB; 54 and more were measured
