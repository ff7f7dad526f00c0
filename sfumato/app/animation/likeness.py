"""How a subject looks: its pictures read, the person learned. In: a `Subject` and settings. Out: a `Likeness`, which
says how frames of the person are framed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sfumato.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from generator.person.fine_tune import Person
    from generator.person.portrait import Portrait
    from generator.rendering.animator import Animator
    from generator.rendering.paste_back import PasteBack
    from sfumato.app.animation.config import AnimateConfig
    from sfumato.app.animation.subject import Subject
    from sfumato.media.faces import FaceDetector
    from sfumato.media.landmarks import LandmarkBackend
    from sfumato.progress import Advance, Stage

_NOTHING_ALIKE = (
    0.3  # cosine of SFace embeddings: on 32 known faces the same person .706 and more, two people .291 and less
)
_SQUARE = 256  # px, unless asked otherwise; the paper's size, and about what a portrait's face holds


@dataclass
class Likeness:
    """The subject's pictures as they were read with `config`, and the person once `learn` was called."""

    subject: Subject
    config: AnimateConfig
    portraits: list[Portrait]
    size: int  # px of the rendered square
    paste: PasteBack | None = None
    _person: Person | None = field(default=None, repr=False)

    @property
    def person(self) -> Person:
        """Raises ValueError before `learn`."""
        if self._person is None:
            raise ValueError("call learn first")
        return self._person

    @property
    def frame_size(self) -> tuple[int, int]:
        """(width, height) of the video."""
        return (self.paste.frame.shape[1], self.paste.frame.shape[0]) if self.paste else (self.size, self.size)

    def serves(self, subject: Subject, config: AnimateConfig) -> bool:
        """Whether `subject` with `config` would be read and learned just so."""
        mine, theirs = (
            (s.digests, c.size, c.faces, c.paste_back, c.tune_seconds, c.tune_iterations, c.seed)
            for s, c in ((self.subject, self.config), (subject, config))
        )
        return mine == theirs

    def learn(self, animator: Animator, stage: Stage) -> None:
        """Makes `animator` render this person, learned at the first call. Raises CheckpointError for a person file that
        does not fit.
        """
        from generator.rendering.animator import tune_config
        from sfumato.training.device import seed_everything

        if self._person is not None:
            if animator.person is not self._person:
                animator.set_person(self._person, self.portraits)
            return
        known, config = self.subject.known, self.config
        seed_everything(config.seed)
        if known is not None:
            animator.set_person(known.person(animator.checkpoint, *animator.frames(self.portraits)), self.portraits)
            self._person = animator.person
        elif config.tune_seconds == 0 and config.tune_iterations == 0:
            self._person = animator.set_identity(self.portraits)
        else:
            budget = {"iterations": config.tune_iterations} if config.tune_iterations else {}
            tune = tune_config(animator.checkpoint, config.tune_seconds, seed=config.seed, **budget)
            if config.tune_seconds:
                with stage("Learning the person, seconds", config.tune_seconds) as advance:
                    self._person = animator.set_identity(self.portraits, tune, _in_seconds(advance))
            else:
                with stage("Learning the person", tune.iterations) as advance:
                    self._person = animator.set_identity(self.portraits, tune, advance)

    def framed(self, square: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> NDArray[np.uint8]:
        """The frame of the video for a rendered square (size, size, 3), whose head is at `landmarks` (68, 2) in [-1,
        1].
        """
        return self.paste.apply(square, landmarks) if self.paste else square

    def face_box(self, landmarks: NDArray[np.float32]) -> tuple[float, float, float, float]:
        """The box around `landmarks` (68, 2) in [-1, 1] in pixels of the video's frame."""
        import numpy as np

        from sfumato.media.faces import face_box

        return face_box(self.paste.to_frame(landmarks) if self.paste else (landmarks + 1) * np.float32(self.size / 2))


def read_likeness(
    subject: Subject, config: AnimateConfig, detector: FaceDetector, landmarks: LandmarkBackend
) -> Likeness:
    """Reads the pictures and finds their faces. Raises NoFaceError, MediaError, UsageError (see `Subject.require`)."""
    from generator.person.portrait import read_portrait, with_depth
    from generator.rendering.paste_back import LARGEST, PasteBack
    from sfumato.media.images import WORKING_PIXELS, read_image

    subject.require(config)
    size = config.size or _SQUARE
    if subject.known is not None:
        kept = [with_depth(portrait, landmarks) for portrait in subject.known.portraits(size)]
        return Likeness(subject, config, kept, size)
    faces = (
        config.faces * len(subject.paths) if len(config.faces) == 1 else config.faces or (None,) * len(subject.paths)
    )
    paste: PasteBack | None = None
    portraits = []
    for path, which in zip(subject.paths, faces, strict=True):
        image = read_image(path, max_pixels=WORKING_PIXELS)
        if config.paste_back and paste is None:
            found = read_portrait(image, detector, landmarks, _SQUARE, path.name, which)
            paste = PasteBack(image, found.crop, found.landmarks, config.size or LARGEST)
            size = paste.size
        portraits.append(read_portrait(image, detector, landmarks, size, path.name, which))
    _refuse_two_people(subject.paths, portraits)
    return Likeness(subject, config, portraits, size, paste)


def _refuse_two_people(paths: Sequence[Path], portraits: Sequence[Portrait]) -> None:
    """Raises UsageError when a portrait's face is nothing like the first one's."""
    from sfumato.media.identity import embed_image

    if len(portraits) < 2:
        return
    first, *others = (embed_image(p.large, ((p.landmarks + 1) * p.large.shape[0] - 1) / 2) for p in portraits)
    for path, other in zip(paths[1:], others, strict=True):
        if float(first @ other) < _NOTHING_ALIKE:
            advice = (
                "Several pictures must show the same person; --each makes a video of each, --face N takes another face."
            )
            raise UsageError(f"{paths[0].name} and {path.name} show different people", advice)


def _in_seconds(advance: Advance) -> Advance:
    """Passes on the time since the last call instead of the amount: what is limited by time is shown in time."""
    last = time.monotonic()

    def tick(amount: float) -> None:
        nonlocal last
        now = time.monotonic()
        advance(round(now - last, 1))
        last = now

    return tick
