"""What FID looks through (Heusel et al. 2017): Inception-v3 as TensorFlow released it in 2015. A picture in; the 2048
numbers of its last pooling out.

Its weights are the user's own file, which is read as tensors alone and held to its sha256: the same distance on other
weights is no FID. The network is torch-fidelity's, with TensorFlow's way of resizing to 299 px; `pip install
sfumato[fid]`. Nothing is fetched.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sfumato.errors import MissingPartError, UsageError, install_extra
from sfumato.limits import MEGABYTE
from sfumato.regular_file import open_regular

WEIGHTS = "pt_inception-2015-12-05-6726825d.pth"
WEIGHTS_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
_LARGEST = 128 * MEGABYTE  # the file has 91
_FEATURES = "2048"  # the library's name of them
_ADVICE = f"Name the file that pytorch-fid and torch-fidelity fetch, {WEIGHTS}; sfumato fetches none."


class Inception:
    """weights: the file. Raises MissingPartError where it or the package is not there, UsageError for another file."""

    def __init__(self, weights: Path) -> None:
        state, self.digest = _tensors(weights)
        if find_spec("torch_fidelity") is None:
            raise MissingPartError("FID needs the package torch-fidelity", install_extra("fid"))
        self._network = _network(state, weights)

    @torch.no_grad()
    def features(self, image: NDArray[np.uint8]) -> Tensor:
        """image: (H, W, 3) uint8 RGB. Returns (1, 2048)."""
        found: Tensor = self._network(torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None])[0]
        return found


def _tensors(path: Path) -> tuple[dict[str, Tensor], str]:
    """The file's tensors by name, and its sha256; what is hashed is what is read."""
    try:
        with open_regular(path) as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise MissingPartError(f"Inception's weights cannot be read from {path}: {error.strerror}", _ADVICE) from error
    if len(data) > _LARGEST:
        raise UsageError(f"{path} is larger than Inception-v3's weights are", _ADVICE)
    digest = hashlib.sha256(data).hexdigest()
    if digest != WEIGHTS_SHA256:
        raise UsageError(
            f"{path} is not Inception-v3 of 2015: its sha256 begins with {digest[:8]}, not {WEIGHTS_SHA256[:8]}; "
            "a distance on other weights is no FID",
            _ADVICE,
        )
    try:  # weights_only: tensors, never code
        found = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise _unfit(path, error) from error
    if not isinstance(found, dict) or not all(isinstance(part, Tensor) for part in found.values()):
        raise _unfit(path, "it holds more than tensors by name")
    return dict(found), digest


def _network(state: dict[str, Tensor], path: Path) -> nn.Module:
    """The library fetches weights where it is given none, and unpickles what it is given, code and all: it is given
    these tensors, written anew in memory.
    """
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    written = io.BytesIO()
    torch.save(state, written)
    written.seek(0)
    with torch.random.fork_rng(devices=[]):  # it is filled with random numbers first, and the bench's are its own
        try:
            network: nn.Module = FeatureExtractorInceptionV3(
                "inception-v3", [_FEATURES], feature_extractor_weights_path=written
            )
        except RuntimeError as error:
            raise _unfit(path, error) from error
    return network


def _unfit(path: Path, why: object) -> UsageError:
    return UsageError(f"{path} does not hold the weights of Inception-v3: {str(why)[:120]}", _ADVICE)
