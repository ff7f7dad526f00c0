"""The studio: generator and seal joined. In: a job. Out: one sealed mp4, or an error and nothing.

What is costly is loaded once (checkpoint, landmark backend, face detector), and a person is learned once however many
motions they then follow. Frames are rendered, encoded and forgotten one by one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfumato.app.animation.config import FASTEST, AnimateConfig
from sfumato.app.animation.driver import Driver, count_poses, find_driver, poses, read_driver
from sfumato.app.animation.gallery import PortraitFile
from sfumato.app.animation.job import AnimationJob, resolve_job
from sfumato.app.animation.likeness import Likeness, read_likeness
from sfumato.app.animation.living_portrait import LivingPortrait
from sfumato.app.animation.subject import Subject, find_subject
from sfumato.errors import UsageError
from sfumato.progress import quietly

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from generator.motion.track import Motion, Pose
    from sfumato.media.video import Seal
    from sfumato.progress import Stage

_REMEMBERED = 16  # motions that were followed before: one person after the other does the same ones
_SLOWEST_MOTION = 0.1  # frames a second: a slow motion keeps its own rate, as far as a video can be written with it
_MOST_WORKERS = 4  # one thread encodes what they render, and cannot keep up with more


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
        from sfumato.media.faces import FaceDetector
        from sfumato.media.landmarks import load_backend

        loaded = load_checkpoint(checkpoint, device)
        loaded.require(landmarks or loaded.landmarks)
        self.path, self.stage = checkpoint, stage
        self.landmarks = load_backend(loaded.landmarks)
        self.detector = FaceDetector()
        self.animator = Animator(loaded, device, backend, workers or min(os.cpu_count() or 1, _MOST_WORKERS))
        self._seal = seal
        self._known: Likeness | None = None
        self._motions: dict[tuple[Any, ...], Motion] = {}

    def animate(
        self, portraits: Sequence[Path], motion: Path | Driver, output: Path, config: AnimateConfig | None = None,
        consent: str | None = None, *, overwrite: bool = False,
    ) -> LivingPortrait:  # fmt: skip
        """Lets the person of `portraits` (pictures, or one person file) follow `motion`, writes the sealed mp4
        `output`: `job` and `run` in one, whose errors it raises.
        """
        driver = motion if isinstance(motion, Driver) else find_driver(motion)
        files = [PortraitFile(path) for path in portraits]
        return self.run(self.job(files, driver, output, config, consent, overwrite=overwrite))

    def job(
        self, portraits: Sequence[PortraitFile], driver: Driver, output: Path, config: AnimateConfig | None = None,
        consent: str | None = None, *, overwrite: bool = False,
    ) -> AnimationJob:  # fmt: skip
        """Everything that can be refused without rendering: see `resolve_job`. Raises SealError without usable keys."""
        config = config or AnimateConfig()
        job = resolve_job(portraits, driver, output, config, consent, self.animator, self.path, overwrite=overwrite)
        self._ready_seal()
        return job

    def run(self, job: AnimationJob, stage: Stage | None = None) -> LivingPortrait:
        """Makes the video of `job`. The person of the last one is not learned again.

        Raises NoFaceError, MediaError, CheckpointError (landmarks that do not fit), UsageError, OutputError, SealError.
        Nothing is written then.
        """
        stage = stage or self.stage
        likeness = self._likeness(job.subject, job.config)
        motion = self._motion(job, stage)
        likeness.learn(self.animator, stage)
        return self._record(job, likeness, motion, stage)

    def learn(
        self,
        portraits: Sequence[PortraitFile],
        output: Path,
        config: AnimateConfig | None = None,
        consent: str | None = None,
    ) -> Likeness:
        """Learns the person of `portraits` as `config` says (faces, tuning, seed) and writes the person file `output`,
        signed.

        Raises what `animate` raises, and UsageError for a person file among the portraits.
        """
        from generator.networks.checkpoint import checkpoint_name
        from generator.person.person_file import STORED, pack_person, write_person
        from sfumato.app.animation.consent import with_record

        config = replace(config or AnimateConfig(), size=STORED, paste_back=False)
        checkpoint = self.animator.checkpoint
        subject = find_subject(portraits, consent, checkpoint)
        if subject.known is not None:
            raise UsageError(f"{subject.paths[0]} is a person who has been learned", "Give the pictures themselves.")
        likeness = self._likeness(subject, config)
        likeness.learn(self.animator, self.stage)
        facts = subject.record(checkpoint_name(self.path), self.animator, config)
        write_person(output, with_record(pack_person(likeness.person, likeness.portraits, checkpoint, facts)))
        return likeness

    def _ready_seal(self) -> Seal:
        """The seal of every video; the development keys are read, or made, when it is first wanted."""
        if self._seal is None:
            from provenance.signing.seal import C2paSeal, development_signer

            self._seal = C2paSeal(signer=development_signer())
        return self._seal

    def _likeness(self, subject: Subject, config: AnimateConfig) -> Likeness:
        """The pictures read; those of the last call, when nothing that matters has changed since."""
        if self._known is None or not self._known.serves(subject, config):
            self._known = None  # the old one's memory is free before the new one's is taken
            self._known = read_likeness(subject, config, self.detector, self.landmarks)
        return self._known

    def _motion(self, job: AnimationJob, stage: Stage) -> Motion:
        driver, config = job.driver, job.config
        key = (driver, job.facts.motion_digest, config.seconds, config.neutral, config.smooth)
        if key in self._motions and driver.path is not None:
            return self._motions[key]
        motion = read_driver(driver, self.landmarks, stage, config.seconds, config.neutral, config.smooth)
        if len(self._motions) >= _REMEMBERED:
            self._motions.pop(next(iter(self._motions)))
        self._motions[key] = motion
        return motion

    def _record(self, job: AnimationJob, likeness: Likeness, motion: Motion, stage: Stage) -> LivingPortrait:
        from generator.motion.retarget import Retargeter
        from sfumato.execution.overlap import in_order
        from sfumato.media.video import GeneratedVideoWriter

        config, facts = job.config, job.facts_of(motion)
        first = likeness.portraits[0]
        retargeter = Retargeter(first.landmarks, motion, config.mode, config.strength, first.depth)
        rate = config.fps or min(max(motion.rate, _SLOWEST_MOTION), FASTEST)
        width, height = likeness.frame_size
        total = count_poses(motion, config.fps, config.seconds)
        last = 0.0

        def paint(pose: tuple[float, Pose]) -> tuple[float, NDArray[np.float32], NDArray[np.uint8]]:
            landmarks = retargeter.apply(pose[1])
            image = self.animator.render(landmarks, likeness.size, retargeter.gaze(pose[1]))
            return pose[0], landmarks, likeness.framed(image, landmarks)

        painted = in_order(paint, poses(motion, config.fps, config.seconds), self.animator.threads)
        writer = GeneratedVideoWriter(
            job.output, width=width, height=height, rate=rate, seal=self._ready_seal(), facts=facts,
            audio_from=job.sound,
        )  # fmt: skip
        with stage("Painting frames", total) as advance, writer as video, closing(painted):
            for moment, landmarks, image in painted:  # painted ahead by other threads; encoded by this one
                video.write(image, moment, [likeness.face_box(landmarks)])
                last = moment
                advance(1)
        others = tuple(portrait.others for portrait in likeness.portraits)
        remarks = motion.remarks + retargeter.remarks()
        return LivingPortrait(
            job.output, total, last + 1 / rate, rate, others, facts, first.large, width, height, remarks
        )
