"""Who sits for a portrait: pictures of one person, or a person file, in; the person, learned, and how frames of them
are framed out.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sfumato.app.animation.consent import right_to_person, stated_right
from sfumato.app.animation.gallery import identify
from sfumato.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from generator.networks.checkpoint import Checkpoint
    from generator.person.fine_tune import Person
    from generator.person.person_file import PersonFacts, PersonFile
    from generator.rendering.animator import Animator, Portrait
    from generator.rendering.paste_back import PasteBack
    from sfumato.app.animation.studio import Advance, AnimateConfig, Stage
    from sfumato.media.faces import FaceDetector
    from sfumato.media.landmarks import LandmarkBackend

_NOTHING_ALIKE = (
    0.3  # cosine of SFace embeddings: on 32 known faces the same person .706 and more, two people .291 and less
)
_SQUARE = 256  # px, unless asked otherwise; the paper's size, and about what a portrait's face holds


@dataclass(frozen=True)
class Sitter:
    """Whose likeness it is, and by what right. `digests`: SHA-256 of the files at `paths`; `known`: the content of a
    person file.
    """

    paths: tuple[Path, ...]
    right: str
    digests: tuple[str, ...]
    shipped: tuple[str, ...]  # names of shipped paintings among them
    known: PersonFile | None = None

    @property
    def digest(self) -> str:
        """Of the person file; empty for pictures."""
        return self.digests[0] if self.known else ""

    def require(self, config: AnimateConfig) -> None:
        """Raises UsageError for settings that contradict what sits."""
        if self.known is not None:
            if config.faces or config.paste_back or config.tune_seconds or config.tune_iterations:
                cause = (
                    f"{self.paths[0]} is a person who has been learned: --face, --paste-back and tuning want "
                    "the pictures themselves"
                )
                raise UsageError(cause, "Give the pictures, or leave those options out.")
        elif len(config.faces) not in (0, 1, len(self.paths)):
            cause = f"{len(config.faces)} faces for {len(self.paths)} portraits"
            raise UsageError(cause, "Choose one face for all of them, or one for each.")

    def record(self, base_name: str, animator: Animator, config: AnimateConfig) -> PersonFacts:
        """The facts of a person file of this sitter, whom `animator` has just learned."""
        from generator.person.person_file import PersonFacts

        checkpoint, person = animator.checkpoint, animator.person
        made, kept = (person.iterations, person.kept) if person else (0, 0)
        return PersonFacts(
            checkpoint.digest,
            base_name,
            checkpoint.landmarks,
            checkpoint.crop,
            self.digests,
            self.right,
            config.seed,
            made,
            kept,
        )


def find_sitter(paths: Sequence[Path], consent: str | None, checkpoint: Checkpoint) -> Sitter:
    """Looks at the files, and at the right to use them.

    Raises UsageError without a portrait or a right, for a person file among others; MediaError for a file that cannot
    be read; CheckpointError for a person file of another checkpoint.
    """
    from generator.person.person_file import SUFFIX, read_person
    from sfumato.media.clips import file_digest

    if not paths:
        raise UsageError("No portrait was given", "Name at least one picture.")
    learned = [path for path in paths if path.suffix == SUFFIX]
    if not learned:
        right = stated_right(paths, consent)
        shipped = dict.fromkeys(known.name for path in paths if (known := identify(path)) is not None)
        return Sitter(tuple(paths), right, tuple(file_digest(path) for path in paths), tuple(shipped))
    if len(paths) > 1:
        raise UsageError(f"{learned[0]} is a whole person, and stands alone", "Give one person file, or pictures.")
    known_person = read_person(learned[0])
    right = right_to_person(learned[0], known_person, consent)
    known_person.require(checkpoint)
    return Sitter((learned[0],), right, (file_digest(learned[0]),), (), known_person)


@dataclass
class Sitting:
    """The sitter's pictures as they were read with `config`, and the person once `learn` was called."""

    sitter: Sitter
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

    def serves(self, sitter: Sitter, config: AnimateConfig) -> bool:
        """Whether `sitter` with `config` would be read and learned just so."""
        mine, theirs = (
            (s.digests, c.size, c.faces, c.paste_back, c.tune_seconds, c.tune_iterations, c.seed)
            for s, c in ((self.sitter, self.config), (sitter, config))
        )
        return mine == theirs

    def learn(self, animator: Animator, config: AnimateConfig, stage: Stage) -> None:
        """Makes `animator` render this person, learned at the first call. Raises CheckpointError for a person file that
        does not fit.
        """
        from generator.rendering.animator import tune_config
        from sfumato.run import seed_everything

        if self._person is not None:
            if animator.person is not self._person:
                animator.set_person(self._person, self.portraits)
            return
        known = self.sitter.known
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


def sit(sitter: Sitter, config: AnimateConfig, detector: FaceDetector, landmarks: LandmarkBackend) -> Sitting:
    """Reads the pictures and finds their faces. Raises NoFaceError, MediaError, UsageError (see `Sitter.require`)."""
    from generator.rendering.animator import read_portrait
    from generator.rendering.paste_back import LARGEST, PasteBack
    from sfumato.media.images import read_image

    sitter.require(config)
    size = config.size or _SQUARE
    if sitter.known is not None:
        return Sitting(sitter, config, sitter.known.portraits(size), size)
    faces = config.faces * len(sitter.paths) if len(config.faces) == 1 else config.faces or (None,) * len(sitter.paths)
    paste: PasteBack | None = None
    portraits = []
    for path, which in zip(sitter.paths, faces, strict=True):
        image = read_image(path, max_side=4096)
        if config.paste_back and paste is None:
            found = read_portrait(image, detector, landmarks, _SQUARE, path.name, which)
            paste = PasteBack(image, found.crop, found.landmarks, config.size or LARGEST)
            size = paste.size
        portraits.append(read_portrait(image, detector, landmarks, size, path.name, which))
    _refuse_two_people(sitter.paths, portraits)
    return Sitting(sitter, config, portraits, size, paste)


def _refuse_two_people(paths: Sequence[Path], portraits: Sequence[Portrait]) -> None:
    """Raises UsageError when a portrait's face is nothing like the first one's."""
    from sfumato.media.identity import embed_image

    if len(portraits) < 2:
        return
    first, *others = (embed_image(p.large, ((p.landmarks + 1) * p.large.shape[0] - 1) / 2) for p in portraits)
    for path, other in zip(paths[1:], others, strict=True):
        if float(first @ other) < _NOTHING_ALIKE:
            advice = (
                "Several pictures must show the same person; --out-folder OUT makes a video of each, "
                "--face N takes another face."
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
