"""Backends on the shipped, trained weights: each gives what plain torch gives, within a tolerance that is stated
here.
"""

from __future__ import annotations

import importlib.util
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from generator.compiler.backends import REGISTRY, fastest, load_backend, require_backend
from generator.compiler.folding import fold
from generator.networks.checkpoint import SHIPPED, checkpoint_path, load_checkpoint
from generator.networks.mouth import SIDE
from sfumato.errors import MissingPartError, UsageError

# Of the largest number of the answer.
TOLERANCE = {"torch": 1e-5, "onnxruntime": 1e-5, "openvino": 1e-4, "openvino-bf16": 0.05, "openvino-int8": 0.1}


PAINTER = "the painter of mouths"


@pytest.fixture(scope="module", params=[*SHIPPED, PAINTER])
def shipped(request):
    """(plan, guide, what torch answers) of a network that ships; the guide is noise."""
    made = load_checkpoint(checkpoint_path(SHIPPED[0] if request.param == PAINTER else request.param))
    network = made.generator.mouth.network if request.param == PAINTER else made.generator.network
    random = torch.Generator().manual_seed(1)
    psi = network.project(torch.rand(1, made.config.max_width, generator=random)).detach()
    inputs = network.encoder[0].conv1.in_channels
    side = (SIDE if request.param == PAINTER else made.config.size) // network.stem
    guide = torch.rand(1, inputs, side, side, generator=random) * 2 - 1
    with torch.inference_mode():
        answer = network(torch.nn.functional.pixel_shuffle(guide, network.stem), psi)
    expected = torch.nn.functional.pixel_unshuffle(answer, network.stem)[0].permute(1, 2, 0).numpy()
    plan = fold(network, psi, side, lambda w: w, lambda w, b: (w, b))
    return plan, np.ascontiguousarray(guide[0].permute(1, 2, 0).numpy()), expected


def installed(name: str) -> str:
    try:
        return require_backend(name)
    except MissingPartError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", sorted(TOLERANCE))
def test_a_backend_gives_what_torch_gives(shipped, name: str) -> None:
    plan, guide, expected = shipped
    found = load_backend(installed(name), plan)(guide)
    assert np.abs(found - expected).max() <= TOLERANCE[name] * max(1.0, np.abs(expected).max())


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_threads_do_not_mix(shipped, name: str) -> None:
    plan, guide, _ = shipped
    backend = load_backend(installed(name), plan, threads=2)
    guides = [guide * np.float32(share) for share in (1, 0.5, 0.25, 0)]
    alone = [backend(g).copy() for g in guides]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda g: backend(g).copy(), guides))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_every_backend_has_a_tolerance() -> None:
    assert set(TOLERANCE) == set(REGISTRY.names())


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(UsageError, match="onnxruntime"):
        require_backend("abacus")


def test_auto_does_without_what_is_not_installed(monkeypatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "openvino" else find(name))
    assert fastest() == require_backend("auto") == "onnxruntime"
    with pytest.raises(MissingPartError, match="fast"):
        require_backend("openvino")
