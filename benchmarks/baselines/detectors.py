"""The baselines as `sfumato evaluate --detector` takes them: a class that is made without arguments, and called with a
path.

In: the file of weights that `sfumato bench baseline` wrote, named by SFUMATO_MESO4 or SFUMATO_PROBE. Out: the mean over
frames, in [0, 1], or None for a file without a face. `version` is the digest of the weights, so that scores of others
are not taken for theirs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from benchmarks.baselines import imagenet_probe, meso4
from benchmarks.baselines.examples import FRAMES, face_crops
from benchmarks.baselines.imagenet_probe import Probe
from benchmarks.baselines.meso4 import Meso4Net
from sfumato.atomic import atomic_path
from sfumato.errors import CheckpointError, UsageError
from sfumato.media.clips import file_digest
from sfumato.media.faces import FaceDetector
from sfumato.structure.tensors import read_tensors

_FORMAT = "sfumato-baseline-1"
MESO4, PROBE = "SFUMATO_MESO4", "SFUMATO_PROBE"  # variables of the environment


class Meso4:
    """Meso4 by the weights that SFUMATO_MESO4 names. Raises UsageError without it, CheckpointError for another file."""

    def __init__(self) -> None:
        path = _named(MESO4, "meso4")
        tensors = read_baseline(path, "meso4")
        self.version = file_digest(path)
        self._net = Meso4Net()
        try:
            self._net.load_state_dict(tensors)
        except RuntimeError as error:
            raise CheckpointError(f"{path} does not hold the weights of meso4", "Train it anew.") from error
        self._faces = FaceDetector()

    def __call__(self, path: Path) -> float | None:
        crops = face_crops(path, FRAMES, meso4.SIDE, self._faces)
        return float(meso4.scores(self._net, crops).mean()) if len(crops) else None


class ImageNetProbe:
    """The probe by the weights that SFUMATO_PROBE names. Raises what Meso4 does, and MissingPartError."""

    def __init__(self) -> None:
        path = _named(PROBE, "imagenet")
        tensors = read_baseline(path, "imagenet")
        self.version = file_digest(path)
        self._backbone = imagenet_probe.imagenet_backbone()
        try:
            parts = {name: tensors[name].double().numpy() for name in ("mean", "deviation", "weight")}
            if any(part.shape != (self._backbone.width,) for part in parts.values()):
                raise ValueError("another number of features")
            self._probe = Probe(**parts, bias=float(tensors["bias"].item()))
        except (KeyError, ValueError, RuntimeError) as error:
            raise CheckpointError(f"{path} does not hold the weights of imagenet", "Train it anew.") from error
        self._faces = FaceDetector()

    def __call__(self, path: Path) -> float | None:
        crops = face_crops(path, FRAMES, imagenet_probe.SIDE, self._faces)
        if not len(crops):
            return None
        return float(self._probe.scores(imagenet_probe.features_of(self._backbone, crops)).mean())


def write_baseline(path: Path, name: str, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """A file of weights, whole or not at all. name: "meso4" or "imagenet"; about: what is known of its training."""
    state = {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}
    record = json.dumps({"format": _FORMAT, "baseline": name, **about})
    with atomic_path(path) as temporary:
        save_file(state, temporary, metadata={"record": record})


def probe_tensors(probe: Probe) -> dict[str, Tensor]:
    """What `write_baseline` keeps of a probe."""
    values = {"mean": probe.mean, "deviation": probe.deviation, "weight": probe.weight, "bias": np.array([probe.bias])}
    return {name: torch.from_numpy(np.asarray(value, np.float64)) for name, value in values.items()}


def read_baseline(path: Path, name: str) -> dict[str, Tensor]:
    """The tensors of a file that `write_baseline` wrote. Raises CheckpointError for any other."""
    try:
        header, tensors = read_tensors(path, CheckpointError)
        record = json.loads(header.get("record", "{}"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"Cannot read {path}: {error}", f"Train it: sfumato bench baseline {name}.") from error
    if not isinstance(record, dict) or (record.get("format"), record.get("baseline")) != (_FORMAT, name):
        raise CheckpointError(f"{path} is no baseline {name}", f"Train it: sfumato bench baseline {name}.")
    return tensors


def _named(variable: str, name: str) -> Path:
    value = os.environ.get(variable)
    if not value:
        raise UsageError(
            f"{variable} does not say where the weights are",
            f"Train them: sfumato bench baseline {name} CLIPS -o FILE.",
        )
    return Path(value)
