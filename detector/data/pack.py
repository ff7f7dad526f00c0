"""Crops that travel: those of a clips.jsonl that teach the net, small, in one file; and that file in place of a cache.

In: rows and their crops. Out: a pack (see `sfumato.training.pack`) of the splits train and validation, which is all
that the training itself reads. Calibration, test and further heads want the clips, and come where those are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.config import SampleConfig
from detector.data.cache import CropCache, StoredCrop
from sfumato.errors import MediaError, UsageError
from sfumato.media.clips import ClipRow, row_of, values_of
from sfumato.media.faces import CROP_VERSION
from sfumato.training.pack import PackedClip, as_webp, read_pack, side_of, write_pack

PACK = "detector"  # the kind of pack
SPLITS = ("train", "validation")


def pack_crops(
    rows: Sequence[ClipRow], cache: CropCache, path: Path, size: int, frames: int, quality: int,
    advance: Callable[[float], None] = lambda amount: None,
) -> int:  # fmt: skip
    """Writes the crops of `rows`, which have some (`CropCache.prepare`), as one file: of each clip `frames` at most,
    evenly over it, none larger than `size` px, WebP of this quality. Returns how many there are; `advance` gets 1 for
    each row. Raises OutputError, and UsageError where the splits train and validation are empty.
    """
    packed = []
    for row in rows:
        if row.split in SPLITS:
            count = cache.count(row)
            chosen = np.linspace(0, count - 1, min(frames, count)).round().astype(int)
            crops = [_smaller(cache.crop(row, int(index)), size) for index in chosen]
            pictures = tuple(as_webp(crop.image, quality) for crop in crops)
            points, places = np.stack([crop.points for crop in crops]), np.array([crop.place for crop in crops])
            still = np.array([cache.still(row)], np.float32)
            packed.append(PackedClip(values_of(row), pictures, points, places, still))
        advance(1)
    if not packed:
        raise UsageError("No clip to pack", "clips.jsonl needs the splits train and validation.")
    about = {"crop": CROP_VERSION, "size": size, "frames": frames, "quality": quality}
    write_pack(path, PACK, about, packed)
    return sum(len(clip.pictures) for clip in packed)


class PackedCrops(CropCache):
    """The crops of a pack; `rows` are its clips. Nothing is cut: what it does not hold is not there."""

    def __init__(self, path: Path, config: SampleConfig) -> None:
        """Raises MediaError for a damaged pack, UsageError for one of another crop."""
        super().__init__(path, path.parent, config)
        pack = read_pack(path, PACK)
        if pack.about.get("crop") != CROP_VERSION:
            raise UsageError(f"{path} was packed with another crop", "Make it anew: sfumato pack detector.")
        try:
            self.rows = [row_of(clip.facts) for clip in pack.clips]
            self._still = {
                row.path: bool(clip.features.reshape(1)[0]) for row, clip in zip(self.rows, pack.clips, strict=True)
            }
        except (TypeError, ValueError) as error:
            raise MediaError(
                f"Cannot read {path} as a pack: {error}", "Make it anew: sfumato pack detector."
            ) from error
        self._stored = {row.path: _arrays(clip) for row, clip in zip(self.rows, pack.clips, strict=True)}
        if len(self._stored) < len(self.rows):
            raise MediaError(f"Cannot read {path} as a pack: a clip is there twice", "Make it anew.")

    def prepare(
        self, rows: Sequence[ClipRow], advance: Callable[[float], None] = lambda amount: None, workers: int = 1
    ) -> list[ClipRow]:
        """Those of `rows` that are in the pack."""
        advance(float(len(rows)))
        return [row for row in rows if row.path in self._stored]

    def still(self, row: ClipRow) -> bool:
        """Whether the clip was a picture."""
        return self._still[row.path]

    def side(self, row: ClipRow) -> int:
        """px, of the clip's first crop."""
        arrays = self._arrays(row)
        return side_of(arrays["png"][: arrays["start"][1]].tobytes())

    def _arrays(self, row: ClipRow) -> dict[str, Any]:
        return self._stored[row.path]


def _arrays(clip: PackedClip) -> dict[str, Any]:
    """As a cache keeps a clip; what it calls png is decoded by its content."""
    return {
        "png": np.frombuffer(b"".join(clip.pictures), np.uint8),
        "start": np.cumsum([0, *(len(picture) for picture in clip.pictures)]),
        "points": clip.points,
        "place": clip.places,
        "motion": np.zeros(0),
    }


def _smaller(crop: StoredCrop, size: int) -> StoredCrop:
    side = len(crop.image)
    if side <= size:
        return crop
    image = cv2.resize(crop.image, (size, size), interpolation=cv2.INTER_AREA)
    points: NDArray[np.float32] = crop.points  # zeros say that there are none
    if points.any():
        points = ((points + 0.5) * (size / side) - 0.5).astype(np.float32)
    return StoredCrop(np.asarray(image, np.uint8), points, crop.place)
