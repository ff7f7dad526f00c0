"""The proof: its known answer is right, what computes wrongly is refused with a reason, on whatever processor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

from generator.compiler import backends, graph
from generator.compiler.backends import (
    REGISTRY,
    OpenVinoByteBackend,
    TorchBackend,
    UnfitBackendError,
    fastest,
    load_backend,
    require_backend,
)
from generator.compiler.folding import Array, Plan, as_torch
from generator.compiler.proof import known_answer, known_guide, known_plan, shortcoming
from generator.compiler.quantize import narrow


def test_the_known_answer_is_what_torch_gives() -> None:
    plan, guide = known_plan(), known_guide()
    found = as_torch(plan, "cpu")(torch.from_numpy(guide)[None].permute(0, 3, 1, 2))[0].permute(1, 2, 0).numpy()
    expected = known_answer(plan, guide)
    assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()


def test_each_kind_of_convolution_is_rounded_in_it() -> None:
    rounded = {(step.kind, step.stride, step.arrays[0].shape[-1]) for step in narrow(known_plan()).steps if step.reach}
    assert rounded == {("conv", 1, 3), ("conv", 2, 4), ("conv", 1, 1), ("upconv", 1, 4)}


class Overflowing(TorchBackend):
    """Sums stop at 16 bits, as those of products of 8 bits do without VNNI."""

    name, tolerance = "overflowing", 0.03

    def __init__(self, plan: Plan, threads: int = 1) -> None:
        super().__init__(plan, threads)
        self.most = np.float32(0.9 * np.abs(known_answer(known_plan(), known_guide())).max())

    def __call__(self, guide: Array) -> Array:
        return np.clip(super().__call__(guide), -self.most, self.most)


class Broken(TorchBackend):
    """Cannot even be made."""

    def __init__(self, plan: Plan, threads: int = 1) -> None:
        raise RuntimeError("Exception from a.cpp:1:\nbad combination\n\n")


@pytest.mark.parametrize(("kind", "reason"), [(Overflowing, "computes wrongly"), (Broken, "not run .bad combination.")])
def test_what_does_not_compute_right_is_refused_with_what_to_use(
    kind: Any, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "OnnxRuntimeBackend", kind)
    for refuse in (require_backend, lambda name: load_backend(name, known_plan())):
        with pytest.raises(UnfitBackendError, match=rf"'onnxruntime'.*{reason}") as refused:
            refuse("onnxruntime")
        assert refused.value.advice == f"Use --backend {fastest()}, which was tried here too."


def test_auto_passes_over_what_does_not_compute_right(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OpenVinoBackend", "OnnxRuntimeBackend"):
        monkeypatch.setattr(backends, name, Broken)
    assert fastest() == require_backend("auto") == "torch"


def test_a_proof_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Plan] = []

    class Counted(TorchBackend):
        def __init__(self, plan: Plan, threads: int = 1) -> None:
            made.append(plan)
            super().__init__(plan, threads)

    monkeypatch.setattr(backends, "TorchBackend", Counted)
    assert [require_backend("torch"), require_backend("torch")] == ["torch", "torch"]
    assert len(made) == 1


# What each backend is found to be where the processor has no more than the named instructions.
_TRIAL = """
import json, sys
import numpy as np
from generator.compiler import graph
from generator.compiler.backends import REGISTRY, OpenVinoByteBackend, fastest
from generator.compiler.proof import shortcoming
found = {name: shortcoming(REGISTRY.load(name), REGISTRY.load(name).tolerance) for name in REGISTRY.names()}
graph._WEIGHT_LEVELS = 127
wide = shortcoming(OpenVinoByteBackend, OpenVinoByteBackend.tolerance)
print(json.dumps({"found": found, "wide": wide, "auto": fastest()}))
"""


def trial(instructions: str) -> dict[str, Any]:
    pytest.importorskip("openvino")
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": instructions}
    done = subprocess.run([sys.executable, "-c", _TRIAL], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_without_vnni_integers_are_right_and_would_not_be_with_one_bit_more() -> None:
    found = trial("AVX2")
    unfit = {name: reason for name, reason in found["found"].items() if reason}
    assert set(unfit) <= {"openvino-bf16"} and all("does not run" in reason for reason in unfit.values())
    assert found["auto"] == "openvino"
    assert "computes wrongly" in found["wide"]


def test_where_openvino_cannot_compile_auto_takes_another() -> None:
    found = trial("SSE41")
    assert "does not run" in found["found"]["openvino"]
    assert found["found"][found["auto"]] == "" and found["auto"] == "onnxruntime"


def test_rounded_weights_cannot_overflow_16_bits() -> None:
    assert 2 * np.iinfo(np.uint8).max * graph._WEIGHT_LEVELS <= np.iinfo(np.int16).max


@pytest.mark.parametrize("name", REGISTRY.names())
def test_every_backend_that_is_installed_proves_itself_here(name: str) -> None:
    kind = REGISTRY.load(name)
    if not backends._installed(kind):
        pytest.skip(f"needs {kind.package}")
    assert shortcoming(kind, kind.tolerance) == ""


def test_the_rounding_of_integers_shows_and_is_far_from_what_is_allowed() -> None:
    pytest.importorskip("openvino")
    assert shortcoming(OpenVinoByteBackend, OpenVinoByteBackend.tolerance / 4) == ""
    assert "wrongly" in shortcoming(OpenVinoByteBackend, 1e-4)
