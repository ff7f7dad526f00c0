"""From a job to two lists of frames: what the fake shows and what its real twin shows, of the same moments, crop and
size.

In: a `Job`. Out: a `Take`. A photograph is read once, a driver tracked once, the landmarks of a candidate for a swap
found once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from detector.data.fakes.forgery import Image, Points
from sfumato.app.fakes.footage import FEWEST, Footage, following_views, read_footage, shoot, views
from sfumato.app.fakes.plan import DrivingMotion, FakesConfig, Job, Kind
from sfumato.errors import MediaError, NoFaceError, UsageError
from sfumato.media.clips import ClipRow, Family, clip_file

if TYPE_CHECKING:
    from detector.data.fakes.autoencoder import Autoencoder
    from generator.motion.track import Motion
    from generator.networks.checkpoint import Checkpoint
    from generator.person.portrait import Portrait
    from generator.rendering.animator import Animator

_LANDMARKS = "mesh"
# of `expression`: of 62 clips two lie below, both of somebody who only stands there; the calmest speaker has .03
STILLEST = 0.016
_DECODED = (
    256  # px: no face is reconstructed smaller; smaller fakes are scaled down afterwards, as a swapping program's are
)


@dataclass(frozen=True)
class Take:
    """real, fake: equally many frames (size, size, 3) uint8 RGB. The rest goes into the rows and the credentials.

    made_by: the model's name and digest, empty without one. motion_digest: of the motion's file, empty without one.
    """

    real: list[Image]
    fake: list[Image]
    method: str
    family: Family
    made_by: tuple[str, str] = ("", "")
    driver_id: str | None = None
    motion_digest: str = ""
    source_ids: tuple[str, ...] = ()
    parts: tuple[Path, ...] = ()  # files other than the person's that are in the picture
    parameters: dict[str, str | int | float | bool] = field(default_factory=dict)


class TakeMaker:
    """Makes takes. `checkpoints` and `autoencoders` are used in turn, one a fake. refused: {a person's clip: why no
    fake came of it}.
    """

    def __init__(
        self,
        clips: Path,
        config: FakesConfig,
        checkpoints: Sequence[Checkpoint] = (),
        autoencoders: Sequence[Autoencoder] = (),
    ) -> None:
        """Raises UsageError when the checkpoints were trained with different landmarks."""
        from sfumato.media.faces import FaceDetector
        from sfumato.media.landmarks import load_backend

        kinds = {checkpoint.landmarks for checkpoint in checkpoints}
        if len(kinds) > 1:
            raise UsageError(
                "The checkpoints were trained with different landmarks", "Give all of one landmark backend."
            )
        self.clips, self.config = clips, config
        self.checkpoints, self.autoencoders = list(checkpoints), list(autoencoders)
        self.detector, self.landmarks = FaceDetector(), load_backend(kinds.pop() if kinds else _LANDMARKS)
        self._motion = lru_cache(maxsize=None)(self.track)
        self._shapes: dict[str, Points | None] = {}
        self.refused: dict[str, str] = {}

    def require(self, kind: Kind) -> None:
        """Raises UsageError when what this kind is made with was not given."""
        if kind in ("animated", "composite") and not self.checkpoints:
            raise UsageError(f"Checkpoints must be given for {kind} fakes", "Use --checkpoint; it may be repeated.")
        if kind == "autoencoder" and not self.autoencoders:
            raise UsageError(
                "An autoencoder must be given", "Make one with `sfumato train autoencoder`, and use --autoencoder."
            )

    def take(self, job: Job, size: int, rng: np.random.Generator) -> Take:
        """`size`: px of the frames. Raises MediaError where the person, or who drives them, shows no usable face."""
        makers: dict[Kind, Callable[[Job, int, np.random.Generator], Take]] = {
            "animated": self._animated, "swap": self._swap, "composite": self._composite,
            "autoencoder": self._autoencoder,
        }  # fmt: skip
        return makers[job.kind](job, size, rng)

    def _animated(self, job: Job, size: int, rng: np.random.Generator) -> Take:
        from generator.motion.head import RIGID
        from generator.motion.retarget import Retargeter
        from generator.motion.track import motion_path
        from generator.networks.checkpoint import TRAINING_FREE
        from generator.rendering.animator import Animator, tune_config
        from sfumato.media.clips import file_digest

        assert job.driver is not None  # noqa: S101 (plan gives every animated fake one)
        config, checkpoint = self.config, self.checkpoints[job.number % len(self.checkpoints)]
        motion = self._motion(job.driver)
        if expression(motion.landmarks) < STILLEST:  # what it drives is the portrait, slid
            raise NoFaceError(f"The driver {getattr(job.driver, 'path', job.driver)} shows a face that does not move")
        portraits = self.portraits(job.whom, size, rng)
        animator = Animator(checkpoint)
        tuned = bool(rng.random() < config.tuned) and checkpoint.config.family != TRAINING_FREE
        animator.set_identity(
            portraits, tune_config(checkpoint, config.tune_seconds, seed=config.seed) if tuned else None
        )
        span = min(len(motion), config.frames * config.stride)
        start = int(rng.integers(len(motion) - span + 1))
        retargeter = Retargeter(portraits[0].landmarks, motion, depth=portraits[0].depth)
        moved = [retargeter.frame(index) for index in range(start, start + span, config.stride)]
        footage = self.footage(
            job.whom, size, rng, len(moved), float(motion.times[start]) if job.driver == job.whom else None
        )
        chosen = following_views(footage, moved, RIGID) if footage.still else views(footage, len(moved), size, rng)
        template = isinstance(job.driver, str)
        return Take(
            shoot(footage.pictures, chosen, size), [animator.render(points, size) for points in moved[: len(chosen)]],
            checkpoint.config.family + ("-tuned" if tuned else ""), "reenact",
            (checkpoint.config.family, checkpoint.digest),
            f"motion:{job.driver}" if isinstance(job.driver, str) else job.driver.identity,
            file_digest(motion_path(str(job.driver))) if template else job.driver.sha256,  # type: ignore[union-attr]
            parameters={"sources": len(portraits), "tuned": tuned},
        )  # fmt: skip

    def _swap(self, job: Job, size: int, rng: np.random.Generator) -> Take:
        from detector.data.fakes.swap import METHODS, swap_face

        footage = self.footage(job.whom, round(size * rng.uniform(1.0, 1.6)), rng)
        other = self._most_alike(footage.inside(), job.others)
        face, points = self._face(other)
        method = METHODS[job.number % len(METHODS)]
        recipe = int(
            rng.integers(2**31)
        )  # the same draws on every frame: one mask, one colour, one seam through the whole fake
        forged = [
            swap_face(picture, own, face, points, np.random.default_rng(recipe), method).fake
            for picture, own in zip(footage.pictures, footage.points, strict=True)
        ]
        return self._forged(
            footage,
            forged,
            size,
            rng,
            f"swap-{method}",
            "blend",
            source_ids=(other.identity,),
            parts=(self._file(other),),
        )

    def _composite(self, job: Job, size: int, rng: np.random.Generator) -> Take:
        """The generator's own idea of the person, of the same pose, or of a photograph with another expression, pasted
        in.
        """
        from detector.data.fakes.composite import composite
        from generator.rendering.animator import Animator

        checkpoint = self.checkpoints[job.number % len(self.checkpoints)]
        portraits = self.portraits(job.whom, size, rng)
        animator: Animator = Animator(checkpoint)
        animator.set_identity(portraits)
        footage = self.footage(job.whom, size, rng)
        recipe, forged = int(rng.integers(2**31)), list[Image]()
        for index, (picture, points) in enumerate(zip(footage.pictures, footage.points, strict=True)):
            wanted = footage.inside(index)
            if footage.still:  # at its own landmarks the generator would give the photograph back
                wanted = another_expression(wanted, rng)
            generated = picture.copy()
            rows = slice(footage.rim, footage.rim + footage.inner)
            generated[rows, rows] = animator.render(wanted, footage.inner)
            forged.append(composite(picture, generated, points, np.random.default_rng(recipe)).fake)
        made_by = (checkpoint.config.family, checkpoint.digest)
        return self._forged(footage, forged, size, rng, "composite", "composite", made_by=made_by)

    def _autoencoder(self, job: Job, size: int, rng: np.random.Generator) -> Take:
        autoencoder = self.autoencoders[job.number % len(self.autoencoders)]
        footage = self.footage(job.whom, max(size, _DECODED), rng)
        forged = [autoencoder.reconstruct([picture])[0] for picture in footage.pictures]
        made_by = (f"autoencoder-{autoencoder.config.upsampling}", autoencoder.digest)
        return self._forged(footage, forged, size, rng, "autoencoder", "synthesis", made_by=made_by)

    def _forged(
        self,
        footage: Footage,
        forged: list[Image],
        size: int,
        rng: np.random.Generator,
        method: str,
        family: Family,
        **facts: Any,
    ) -> Take:
        chosen = views(footage, self.config.frames, size, rng)
        return Take(shoot(footage.pictures, chosen, size), shoot(forged, chosen, size), method, family, **facts)

    def footage(
        self, row: ClipRow, inner: int, rng: np.random.Generator, frames: int | None = None, start: float | None = None
    ) -> Footage:
        """The person's real frames. Raises MediaError."""
        config = self.config
        count = config.frames if frames is None else frames
        place = float(rng.random())
        return read_footage(self._file(row), inner, count, config.stride, self.detector, self.landmarks, place, start)

    def portraits(self, row: ClipRow, size: int, rng: np.random.Generator) -> list[Portrait]:
        """One picture, or up to `sources` frames of a video, evenly spaced. Raises MediaError."""
        from detector.inference.frames import SampledFrames
        from generator.person.portrait import read_portrait

        wanted = 1 if rng.random() < 0.5 else self.config.sources
        source = SampledFrames(self._file(row), wanted)
        return [read_portrait(frame.image, self.detector, self.landmarks, size, row.path) for frame in source][:wanted]

    def track(self, driver: DrivingMotion) -> Motion:
        """Raises MediaError; NoFaceError for a motion too short for a fake."""
        from generator.motion.track import motion_path, read_motion, track_video

        if isinstance(driver, str):
            motion, said = read_motion(motion_path(driver)), f"The motion {driver} is too short"
        else:
            motion = track_video(self._file(driver), self.landmarks, self.config.seconds)
            said = f"{driver.path} shows a face too shortly"
        if len(motion) < (FEWEST - 1) * self.config.stride + 1:
            raise NoFaceError(f"{said}: {len(motion)} frames, and {FEWEST} are needed, {self.config.stride} apart")
        return motion

    def _most_alike(self, points: Points, others: Sequence[ClipRow]) -> ClipRow:
        """Of `others`, whose face and pose are nearest to those of `points`, (68, 2)."""
        own, best, nearest = normalised(points), None, np.inf
        for other in others:
            shape = self._shape(other)
            distance = np.inf if shape is None else float(np.linalg.norm(shape - own, axis=1).mean())
            if distance < nearest:
                best, nearest = other, distance
        if best is None:
            raise NoFaceError("Nobody else in the split shows a face to swap in")
        return best

    def _shape(self, row: ClipRow) -> Points | None:
        if row.path not in self._shapes:
            try:
                self._shapes[row.path] = normalised(self._face(row)[1])
            except MediaError:  # no face, or a file that cannot be read: there are other faces
                self._shapes[row.path] = None
        return self._shapes[row.path]

    def _face(self, row: ClipRow) -> tuple[Image, Points]:
        """The first picture that shows the face, (H, W, 3), and its landmarks (68, 2) px."""
        from detector.inference.frames import SampledFrames

        source = SampledFrames(self._file(row), 1)
        for frame in source:
            if faces := source.faces(frame, self.detector):
                return frame.image, self.landmarks.detect(frame.image, faces[0].box)
        raise NoFaceError(f"No face was found in {row.path}")

    def _file(self, row: ClipRow) -> Path:
        return clip_file(self.clips, row)


def normalised(points: Points) -> Points:
    """Landmarks (68, 2) without place, size and tilt: what is left is the face and its pose."""
    across = points[42:48].mean(0) - points[36:42].mean(0)
    turn = np.array([[across[0], -across[1]], [across[1], across[0]]], np.float64) / max(float(across @ across), 1e-9)
    return np.asarray((points - points.mean(0)) @ turn, np.float32)


def expression(points: NDArray[np.float32]) -> float:
    """points: (F, 68, 2). How much the mouth opens and closes: the deviation of its opening, in distances between the
    eyes.
    """
    shapes = np.array([normalised(frame) for frame in points])  # (F, 68, 2)
    return float((shapes[:, 66] - shapes[:, 62])[:, 1].std())


def another_expression(points: Points, rng: np.random.Generator) -> Points:
    """Landmarks (68, 2) with the mouth opened or drawn wide, and the brows moved, by drawn shares of the distance
    between the eyes.
    """
    moved = points.astype(np.float64)
    across = moved[42:48].mean(0) - moved[36:42].mean(0)
    down = moved[8] - moved[27]
    down = down / max(float(np.linalg.norm(down)), 1e-9) * float(np.linalg.norm(across))
    opened, wide, raised = rng.uniform(0.1, 0.3), rng.uniform(-0.06, 0.12), rng.uniform(-0.08, 0.12)
    lower: NDArray[np.float64] = np.zeros(68)
    lower[[*range(55, 60), 65, 66, 67]], lower[6:11] = 1.0, 0.8
    side: NDArray[np.float64] = np.zeros(68)
    side[[48, 60, 49, 59]], side[[54, 64, 53, 55]] = -1.0, 1.0
    brows: NDArray[np.float64] = np.zeros(68)
    brows[17:27] = 1.0
    moved += (opened * lower - raised * brows)[:, None] * down + (wide * side)[:, None] * across
    return np.asarray(moved, np.float32)
