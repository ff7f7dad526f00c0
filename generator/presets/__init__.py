"""Presets of `sfumato train generator`: TOML files of TrainConfig that come with the program, each with its reasons
inside.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

PRESETS = {
    "paper-v2": "the paper's second version, 256 px, with VGG19 and VGGFace from your files",
    "paper-v1": "its first version: other weights of the losses",
    "gpu-256": "the warp family at 256 px on one or more GPUs",
    "cpu-small": "the warp family at 128 px, half an hour on a CPU",
}


def preset_path(name: str) -> Path:
    """The TOML file of a preset in PRESETS."""
    return Path(str(files("generator.presets") / f"{name}.toml"))
