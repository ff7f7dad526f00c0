"""Negative controls: what is done to reals that must not make a detector take them for fakes. A real clip in, a copy of
it out.

match-blur and match-upscale bring a real's face to the sharpness of the fakes, because softness alone tells most fakes
from reals; writer and portrait-crop send it through the program's own writer, and through the crop a generator sees,
because a detector could know those instead of the synthesis. Nothing here is generated; the copies are sealed and then
removed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.attacks import distortions as d
from benchmarks.detector.grid import Step, first_frame, frames_of, treat
from detector.inference.crops import judged_crop
from detector.inference.quality_norm import sharpness
from sfumato.errors import MediaError
from sfumato.media.faces import FaceDetector, crop_around

Image = NDArray[np.uint8]
NEEDS_GOAL = ("match-blur", "match-upscale")
WRITER_CRF = 22  # the middle of what `sfumato fakes` draws from
PORTRAIT_SIDE = 256  # px, of the shipped generator's portraits
_LOOKS = 3  # frames on which the strength is fitted
_HALVINGS = 7  # of the range of strengths
_STRONGEST = {"match-blur": 8.0, "match-upscale": 1 / 16}  # sigma in px of the face's crop; share of the sides


@dataclass
class Control:
    """Applies one control. `size`: pixels of the crop that is judged; `goal`: the fakes' median sharpness."""

    name: str
    faces: FaceDetector
    size: int
    goal: float | None = None

    def apply(self, source: Path, folder: Path) -> Path:
        """The copy lies in `folder`. Raises MediaError for a source that cannot be read or shows no face."""
        if self.name in NEEDS_GOAL:
            return treat((Step(d.each(self._fitted(source))),), source, folder)
        return self._written(source, folder)

    def _fitted(self, source: Path) -> Callable[[Image], Image]:
        """The weakest blur, or the least reduction, after which the faces are as soft as the goal; none if they already
        are.
        """
        if self.goal is None:
            raise MediaError(f"{self.name} needs fakes to match", "Measure with fakes.")
        looks = [
            (image, faces[0].box)
            for image, _ in islice(d.even(frames_of(source)[0]), _LOOKS)
            if (faces := self.faces.detect(image))
        ]
        if not looks:
            raise MediaError(f"{source} shows no face", "Leave it out.")
        pixels = judged_crop(looks[0][1], looks[0][0]).side / self.size  # of the frame, for each of the crop

        def changing(strength: float) -> Callable[[Image], Image]:
            if self.name == "match-blur":
                return d.blurred(max(strength * _STRONGEST["match-blur"] * pixels, 1e-3))
            return d.scaled(_STRONGEST["match-upscale"] ** strength)

        def after(change: Callable[[Image], Image]) -> float:
            return float(
                np.median([sharpness(judged_crop(box, image).apply(change(image), self.size)) for image, box in looks])
            )

        if after(lambda image: image) <= self.goal:
            return lambda image: image
        low, high = 0.0, 1.0
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if after(changing(middle)) > self.goal else (low, middle)
        return changing(high)

    def _written(self, source: Path, folder: Path) -> Path:
        """Through the writer that generated videos leave by, sealed with keys of its own, without a watermark."""
        from provenance.signing.seal import C2paSeal
        from sfumato.execution.find_files import is_picture
        from sfumato.media.clips import file_digest
        from sfumato.media.video import GeneratedFacts, GeneratedVideoWriter

        frames, rate = frames_of(source)
        frames = self._portraits(frames, source) if self.name == "portrait-crop" else d.even(frames)
        digest = file_digest(source) if source.is_file() else "0" * 64
        facts = GeneratedFacts("control: nothing is generated", "none", "0" * 64, 0, (), digest)
        stream = iter(frames)
        first = next(stream, None)
        if first is None:
            raise MediaError(f"{source} has no frame", "Take another copy.")
        path, seal = folder / "written.mp4", C2paSeal(folder / "keys", mark=False)
        height, width = first[0].shape[:2]
        with GeneratedVideoWriter(
            path, width=width, height=height, rate=rate, seal=seal, facts=facts, crf=WRITER_CRF
        ) as video:
            for image, time in chain([first], stream):
                video.write(np.ascontiguousarray(image), time)
        return first_frame(path, folder / "written.png") if is_picture(source) else path

    def _portraits(self, frames: Iterable[tuple[Image, float]], source: Path) -> Any:
        """The square around the first face, as `read_portrait` cuts it, of every frame; it stays where it is, as a
        generated one does.
        """
        crop = None
        for image, time in frames:
            if crop is None:
                faces = self.faces.detect(image)
                if not faces:
                    continue
                crop = crop_around(faces[0].box, (image.shape[1], image.shape[0]))
            yield crop.apply(image, PORTRAIT_SIDE), time
        if crop is None:
            raise MediaError(f"{source} shows no face", "Leave it out.")
