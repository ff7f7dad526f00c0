"""The studio: generator and seal joined. In: pictures of one person, or a person file, and a motion. Out: one sealed
mp4, or an error and nothing.

What is costly is loaded once (checkpoint, landmark backend, face detector), and a person is learned once however many
motions they then follow. Frames are rendered, encoded and forgotten one by one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sfumato.app.animation.driver import Driver, find_driver, motion_digest, poses, read_driver, require_sound
from sfumato.app.animation.subject import Sitter, Sitting, find_sitter, sit
from sfumato.atomic import require_free
from sfumato.errors import OutputError, UsageError
from sfumato.media.frame_size import LARGEST, LARGEST_WHOLE, require_frame_size

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from generator.motion.track import Motion
    from sfumato.media.video import GeneratedFacts, Seal

Advance = Callable[[float], None]
Stage = Callable[[str, float | None], AbstractContextManager[Advance]]  # (what is being done, how much of it)
DEFAULT_CHECKPOINT = "portrait-256"
SLOWEST, FASTEST = 1.0, 120.0  # frames a second
_REMEMBERED = 16  # motions that were followed before: one person after the other does the same ones
_MOST_WORKERS = 4  # one thread encodes what they render, and cannot keep up with more


@contextmanager
def quietly(description: str, total: float | None) -> Iterator[Advance]:
    """The stage of a caller who does not want to see progress."""
    yield lambda amount: None


@dataclass(frozen=True)
class AnimateConfig:
    """How a portrait is animated."""

    size: int | None = (
        # pixels of the square video (None: 256, the paper's); of the longer side with paste_back (None: the picture's)
        None
    )
    fps: float | None = None  # None: the motion's own frames and times
    seconds: float | None = None  # None: the whole motion
    faces: tuple[
        int, ...
    ] = ()  # which face, counted from the largest: none (the largest), one for all portraits, or one for each
    mode: Literal["relative", "absolute"] = "relative"  # relative keeps the portrait's own pose
    strength: float = 1.0  # of the expression; 0 leaves only head motion
    neutral: float | None = None  # seconds into the motion at which its face is calm; None: such a frame is looked for
    smooth: float = 1.0  # how much of the jitter is taken out of a video's or camera's motion; 0: nothing
    paste_back: bool = False  # the face goes back into its whole picture
    tune_seconds: float = 0.0  # fine-tuning on the portraits; the shipped checkpoint gives a good likeness without
    tune_iterations: int = 0  # the same, counted; whichever ends first
    seed: int = 0
    sound: bool = False  # copy the sound of the motion's video
    sound_from: Path | None = None  # or of another file

    def __post_init__(self) -> None:
        if self.size is not None:
            require_frame_size(self.size, LARGEST_WHOLE if self.paste_back else LARGEST)
        if self.fps is not None and not SLOWEST <= self.fps <= FASTEST:
            raise UsageError(f"The rate is {self.fps:g} frames a second", f"Choose {SLOWEST:g} to {FASTEST:g}.")
        if self.seconds is not None and not self.seconds > 0:
            raise UsageError(f"The length is {self.seconds:g} seconds", "Choose more than 0.")
        if not 0 <= self.strength <= 3 or not 0 <= self.tune_seconds <= 86_400:
            raise UsageError(
                f"Strength {self.strength:g} or fine-tuning of {self.tune_seconds:g} s is out of range",
                "Choose 0 to 3, and 0 to 86400 s.",
            )
        if (
            not 0 <= self.smooth <= 3
            or self.tune_iterations < 0
            or (self.neutral is not None and not self.neutral >= 0)
        ):
            raise UsageError(
                "smooth, neutral or tune_iterations is out of range",
                "Choose 0 to 3 for smooth, 0 or more for the others.",
            )
        if self.sound and self.sound_from is not None:
            raise UsageError("The sound can come from one place only", "Leave --sound or --sound-from out.")


@dataclass(frozen=True)
class LivingPortrait:
    """What was made. `others`: for each portrait, how many faces in it were not taken; `source`: the first one as the
    video frames it.
    """

    path: Path
    frames: int
    seconds: float
    rate: float
    others: tuple[int, ...]
    facts: GeneratedFacts
    source: NDArray[np.uint8]  # (side, side, 3) RGB
    width: int
    height: int


def checkpoint_path(name: str | Path = DEFAULT_CHECKPOINT) -> Path:
    """A path as given, or a shipped checkpoint by its name. Raises CheckpointError when it is neither."""
    from generator.networks import checkpoint

    return checkpoint.checkpoint_path(name)


class Studio:
    """One checkpoint on one device, and the seal that every video gets."""

    def __init__(
        self, checkpoint: Path, landmarks: str | None = None, device: Any = "cpu", seal: Seal | None = None,
        stage: Stage = quietly,
        backend: str = "auto", workers: int | None = None,
    ) -> None:  # fmt: skip
        """`landmarks` defaults to the backend the checkpoint was trained with, `seal` to the development keys of this
        machine.

        `backend` runs the network (generator/compiler/backends.py); `workers` frames are rendered at once, by default
        one on each core. Raises UsageError or MissingPartError for a backend that is not there, CheckpointError when
        the checkpoint is missing, damaged, or was trained with other landmarks or another crop.
        """
        from generator.networks.checkpoint import load_checkpoint
        from generator.rendering.animator import Animator
        from provenance.signing.seal import C2paSeal
        from sfumato.media.faces import FaceDetector
        from sfumato.media.landmarks import load_backend

        loaded = load_checkpoint(checkpoint, device)
        loaded.require(landmarks or loaded.landmarks)
        self.path, self.stage, self.seal = checkpoint, stage, seal or C2paSeal()
        self.landmarks = load_backend(loaded.landmarks)
        self.detector = FaceDetector()
        self.animator = Animator(loaded, device, backend, workers or min(os.cpu_count() or 1, _MOST_WORKERS))
        self._sitting: Sitting | None = None
        self._motions: dict[tuple[Any, ...], Motion] = {}

    @property
    def model_name(self) -> str:
        from generator.networks.checkpoint import checkpoint_name

        return f"{checkpoint_name(self.path)} ({self.animator.checkpoint.config.family})"

    def animate(
        self, portraits: Sequence[Path], motion: Path | Driver, output: Path, config: AnimateConfig | None = None,
        consent: str | None = None, *, overwrite: bool = False,
    ) -> LivingPortrait:  # fmt: skip
        """Lets the person of `portraits` (pictures, or one person file) follow `motion`, writes the sealed mp4
        `output`.

        Called again for the same person, who is then not learned again. Raises UsageError (no consent, contradictions),
        NoFaceError, MediaError, CheckpointError (landmarks or a person file that do not fit), OutputError (also where
        `output` exists, unless it is to be overwritten), SealError. Nothing is written then.
        """
        config = config or AnimateConfig()
        driver = motion if isinstance(motion, Driver) else find_driver(motion)
        sitter = find_sitter(portraits, consent, self.animator.checkpoint)
        facts = self.facts(sitter, driver, config)
        sound = require_sound(driver) if config.sound else config.sound_from
        self._refuse_bad_output(output, sitter, driver, facts, sound, overwrite)
        sitting = self._sit(sitter, config)
        track = self._follow(driver, config)
        sitting.learn(self.animator, config, self.stage)
        facts = replace(facts, motion_digest=motion_digest(driver, track))
        return self._record(sitting, track, output, facts, config, sound)

    def learn(
        self, portraits: Sequence[Path], output: Path, config: AnimateConfig | None = None, consent: str | None = None
    ) -> Sitting:
        """Learns the person of `portraits` as `config` says (faces, tuning, seed) and writes the person file `output`,
        signed.

        Raises what `animate` raises, and UsageError for a person file among the portraits.
        """
        from generator.networks.checkpoint import checkpoint_name
        from generator.person.person_file import STORED, pack_person, write_person
        from sfumato.app.animation.consent import with_record

        config = replace(config or AnimateConfig(), size=STORED, paste_back=False)
        checkpoint = self.animator.checkpoint
        sitter = find_sitter(portraits, consent, checkpoint)
        if sitter.known is not None:
            raise UsageError(f"{portraits[0]} is a person who has been learned", "Give the pictures themselves.")
        sitting = self._sit(sitter, config)
        sitting.learn(self.animator, config, self.stage)
        facts = sitter.record(checkpoint_name(self.path), self.animator, config)
        write_person(output, with_record(pack_person(sitting.person, sitting.portraits, checkpoint, facts)))
        return sitting

    def facts(self, sitter: Sitter, driver: Driver, config: AnimateConfig) -> GeneratedFacts:
        """What the seal will say of a video of `sitter` following `driver`. Raises UsageError for contradictions."""
        from sfumato.media.video import GeneratedFacts

        sitter.require(config)
        title = ", ".join(["Living portrait", *sitter.shipped, *([driver.template] if driver.template else [])])
        parameters: dict[str, str | int | float | bool] = {
            "family": self.animator.checkpoint.config.family,
            "network_size": self.animator.size,
            "mode": config.mode,
            "strength": config.strength,
            "tune_seconds": config.tune_seconds,
            "landmarks": self.landmarks.name,
            "backend": self.animator.backend,
            "motion": driver.kind,
            "consent": sitter.right,
        }
        asked = {
            "size": config.size if config.paste_back else config.size or 256, "fps": config.fps,
            "seconds": config.seconds,
            "neutral": config.neutral, "tune_iterations": config.tune_iterations or None,
            "paste_back": config.paste_back or None,
            "smooth": config.smooth if config.smooth != 1 else None, "faces": " ".join(map(str, config.faces)) or None,
            "person": sitter.digest or None,
        }  # fmt: skip
        parameters |= {name: value for name, value in asked.items() if value is not None}
        pictures = () if sitter.known else sitter.paths
        digests = sitter.known.facts.portraits if sitter.known else ()
        digest, checkpoint = motion_digest(driver), self.animator.checkpoint.digest
        return GeneratedFacts(title, self.model_name, checkpoint, config.seed, pictures, digest, parameters, digests)

    def _refuse_bad_output(
        self, output: Path, sitter: Sitter, driver: Driver, facts: GeneratedFacts, sound: Path | None, overwrite: bool
    ) -> None:
        """Now rather than after minutes of work."""
        for source in (*sitter.paths, self.path, *([driver.path] if driver.path else [])):
            if output.exists() and source.exists() and output.samefile(source):
                raise OutputError(
                    f"{output} is also a source", "Choose another name for the output; a source is never overwritten."
                )
        self._writer(
            output, 25.0, facts, (64, 64), sound
        )  # its constructor writes nothing and refuses what cannot be written
        require_free(output, overwrite)

    def _writer(
        self, output: Path, rate: float, facts: GeneratedFacts, size: tuple[int, int], sound: Path | None
    ) -> Any:
        from sfumato.media.video import GeneratedVideoWriter

        width, height = size
        return GeneratedVideoWriter(
            output, width=width, height=height, rate=rate, seal=self.seal, facts=facts, audio_from=sound
        )

    def _sit(self, sitter: Sitter, config: AnimateConfig) -> Sitting:
        """The pictures read; those of the last call, when nothing that matters has changed since."""
        if self._sitting is None or not self._sitting.serves(sitter, config):
            self._sitting = None  # the old one's memory is free before the new one's is taken
            self._sitting = sit(sitter, config, self.detector, self.landmarks)
        return self._sitting

    def _follow(self, driver: Driver, config: AnimateConfig) -> Motion:
        key = (driver, motion_digest(driver), config.seconds, config.neutral, config.smooth)
        if key in self._motions and driver.path is not None:
            return self._motions[key]
        motion = read_driver(driver, self.landmarks, self.stage, config.seconds, config.neutral, config.smooth)
        if len(self._motions) >= _REMEMBERED:
            self._motions.pop(next(iter(self._motions)))
        self._motions[key] = motion
        return motion

    def _record(
        self,
        sitting: Sitting,
        motion: Motion,
        output: Path,
        facts: GeneratedFacts,
        config: AnimateConfig,
        sound: Path | None,
    ) -> LivingPortrait:
        from generator.motion.retarget import Retargeter
        from sfumato.execution.overlap import in_order

        retargeter = Retargeter(sitting.portraits[0].landmarks, motion, config.mode, config.strength)
        rate = config.fps or min(max(motion.rate, SLOWEST), FASTEST)
        total = sum(1 for _ in poses(motion, config.fps, config.seconds))
        last = 0.0

        def paint(pose: tuple[float, NDArray[np.float32]]) -> tuple[float, NDArray[np.float32], NDArray[np.uint8]]:
            landmarks = retargeter.apply(pose[1])
            return pose[0], landmarks, sitting.framed(self.animator.render(landmarks, sitting.size), landmarks)

        painted = in_order(paint, poses(motion, config.fps, config.seconds), self.animator.threads)
        with (
            self.stage("Painting frames", total) as advance,
            self._writer(output, rate, facts, sitting.frame_size, sound) as video,
            closing(painted),
        ):
            for moment, landmarks, image in painted:  # painted ahead by other threads; encoded by this one
                video.write(image, moment, [sitting.face_box(landmarks)])
                last = moment
                advance(1)
        others = tuple(portrait.others for portrait in sitting.portraits)
        return LivingPortrait(
            output, total, last + 1 / rate, rate, others, facts, sitting.portraits[0].large, *sitting.frame_size
        )
