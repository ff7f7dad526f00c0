"""Tiny trees of the shape of public data sets: `tree(root, {"a/b.mp4": "", "list.json": [...]})`. The videos are empty
files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from detector.datasets import REGISTRY
from detector.datasets.sample import Sample
from sfumato.media.images import write_image


def tree(root: Path, files: Mapping[str, Any]) -> Path:
    """Text is written as it is, pictures (.png) are 8 px of grey, anything but text as JSON."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".png":
            write_image(path, np.full((8, 8, 3), 128, np.uint8))
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return root


def by_id(name: str, root: Path) -> dict[str, Sample]:
    """The samples of the adapter `name`, by method and video."""
    return {f"{sample.method}/{sample.video_id}": sample for sample in REGISTRY.load(name)().listed(root)}
