"""What a baseline learns from and looks at: crops of the largest face of evenly spaced frames.

In: a file, or a clips.jsonl and a split. Out: (N, S, S, 3) uint8 RGB, with labels and the clip of each. The crop is the
one our detector looks at. Crops of a list lie in a file on disk, never all in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.datasets.sample import Sample, clips_samples
from detector.inference.crops import judged_crop
from detector.inference.frames import SampledFrames
from sfumato.errors import MediaError, UsageError
from sfumato.media.clips import Split
from sfumato.media.faces import FaceDetector

Crops = NDArray[np.uint8]
FRAMES = 8  # of a video


@dataclass(frozen=True)
class Examples:
    """crops: (N, S, S, 3) uint8; labels: (N,) 1 = fake; clips: (N,) the number of the video each is of; left_out:
    videos without a face, or that cannot be read.
    """

    crops: Crops
    labels: NDArray[np.int64]
    clips: NDArray[np.int64]
    left_out: int = 0

    def by_clip(self, scores: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """(labels, mean scores) of the videos."""
        numbers, first, inverse = np.unique(self.clips, return_index=True, return_inverse=True)
        means = np.bincount(inverse, scores, numbers.size) / np.bincount(inverse, minlength=numbers.size)
        return self.labels[first], means


def face_crops(path: Path, frames: int, side: int, detector: FaceDetector) -> Crops:
    """(N, side, side, 3): the largest face of each of about `frames` evenly spaced frames that has one. Raises
    MediaError for a file that cannot be read.
    """
    source = SampledFrames(path, frames)
    found = []
    for frame in source:
        faces = source.faces(frame, detector)
        if faces:
            found.append(judged_crop(faces[0].box, frame.image).apply(frame.image, side))
    return np.stack(found) if found else np.zeros((0, side, side, 3), np.uint8)


def read_examples(
    clips: Path, split: Split, frames: int, side: int, store: Path, advance: Callable[[float], None]
) -> Examples:
    """The crops of a split of a clips.jsonl, kept in `store`, a file that must stay as long as they are used. `advance`
    gets 1 a video. Raises UsageError when the split has no reals or no fakes with a face.
    """
    labels, numbers = list[int](), list[int]()
    left_out = 0
    with store.open("wb") as file:
        for number, (sample, crops) in enumerate(_every(clips, split, frames, side)):
            file.write(crops.tobytes())
            labels += [int(sample.label == "fake")] * len(crops)
            numbers += [number] * len(crops)
            left_out += not len(crops)
            advance(1)
    if len(set(labels)) < 2:
        raise UsageError(
            f"The split {split} of {clips} has no {'reals' if 0 not in labels else 'fakes'} with a face",
            "A baseline learns from both, and from their splits train and validation.",
        )
    crops = np.memmap(store, np.uint8, "r", shape=(len(labels), side, side, 3))
    return Examples(crops, np.array(labels, np.int64), np.array(numbers, np.int64), left_out)


def count(clips: Path) -> int:
    """How many videos both splits have together."""
    return sum(sample.split in ("train", "validation") for sample in clips_samples(clips))


def _every(clips: Path, split: Split, frames: int, side: int) -> Iterator[tuple[Sample, Crops]]:
    detector = FaceDetector()
    for sample in clips_samples(clips):
        if sample.split != split:
            continue
        try:
            crops = face_crops(sample.path, frames, side, detector)
        except MediaError:
            crops = np.zeros((0, side, side, 3), np.uint8)
        yield sample, crops
