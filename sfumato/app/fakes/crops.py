"""Face crops of the training split, in memory, for the autoencoder: few people, many small pieces of each.

In: clips.jsonl. Out: an endless stream of batches of pieces, HWC uint8 RGB, all of one size, the same for the same
seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from detector.data.fakes.forgery import Image
from sfumato.errors import MediaError
from sfumato.media.clips import ClipRow, clip_file

_PEOPLE, _BATCH = 300, 8
_SIDES, _PIECE = (
    (128, 192, 256),
    96,
)  # px: crops are cut at these sizes, pieces out of them; a decoder meets faces of all sizes


def crop_batches(clips: Path, rows: Sequence[ClipRow], seed: int) -> Iterator[list[Image]]:
    """Ends at once when no real clip of the training split shows a face. Files that cannot be read are passed over;
    raises MediaError, of the first of them, when that leaves no face.
    """
    from detector.inference.frames import SampledFrames
    from sfumato.media.faces import FaceDetector, crop_around

    rng = np.random.default_rng([seed, 9])
    people = {row.identity: row for row in rows if row.label == "real" and row.split == "train"}
    names = sorted(people)
    detector, crops = FaceDetector(), list[Image]()
    unreadable: MediaError | None = None
    for name in rng.permutation(names)[:_PEOPLE] if names else []:
        try:
            source = SampledFrames(clip_file(clips, people[str(name)]), 1)
            for frame in source:
                if faces := source.faces(frame, detector):
                    crop = crop_around(faces[0].box, (frame.image.shape[1], frame.image.shape[0]))
                    crops.append(crop.apply(frame.image, _SIDES[len(crops) % len(_SIDES)]))
                break
        except MediaError as error:
            unreadable = unreadable or error
    if unreadable is not None and not crops:
        raise unreadable
    while crops:
        yield [_piece(crops[int(rng.integers(len(crops)))], rng) for _ in range(_BATCH)]


def _piece(crop: Image, rng: np.random.Generator) -> Image:
    top, left = rng.integers(crop.shape[0] - _PIECE + 1, size=2)
    piece = crop[top : top + _PIECE, left : left + _PIECE]
    return np.ascontiguousarray(piece[:, ::-1] if rng.random() < 0.5 else piece)
