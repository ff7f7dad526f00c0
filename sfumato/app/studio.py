"""The studio: generator and seal joined. In: pictures of one person and a motion. Out: one sealed mp4, or an error and nothing.

What is costly is loaded once (checkpoint, landmark backend, face detector); `Studio.animate` may then be called for any number of
portraits and motions. Frames are rendered, encoded and forgotten one by one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from importlib.resources import files
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sfumato.app.consent import stated_right
from sfumato.app.gallery import identify
from sfumato.errors import CheckpointError, OutputError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from generator.animate import Portrait
    from generator.motion import Motion
    from sfumato.media.video import GeneratedFacts, Seal

Advance = Callable[[float], None]
Stage = Callable[[str, float | None], AbstractContextManager[Advance]]  # (what is being done, how much of it)
DEFAULT_CHECKPOINT = "portrait-128"
SLOWEST, FASTEST = 1.0, 120.0  # frames a second
_MOST_WORKERS = 4  # one thread encodes what they render, and cannot keep up with more


@contextmanager
def quietly(description: str, total: float | None) -> Iterator[Advance]:
    """The stage of a caller who does not want to see progress."""
    yield lambda amount: None


@dataclass(frozen=True)
class AnimateConfig:
    """How a portrait is animated."""

    size: int = 256  # pixels of the square video; the paper's size, and about what a portrait's face holds
    fps: float | None = None  # None: the motion's own frames and times
    seconds: float | None = None  # None: the whole motion
    faces: tuple[int, ...] = ()  # which face, counted from the largest: none (the largest), one for all portraits, or one for each
    mode: Literal["relative", "absolute"] = "relative"  # relative keeps the portrait's own pose
    strength: float = 1.0  # of the expression; 0 leaves only head motion
    tune_seconds: float = 0.0  # fine-tuning on the portraits; the shipped checkpoint gives a good likeness without
    seed: int = 0
    sound: bool = False  # copy the sound of the motion's video

    def __post_init__(self) -> None:
        if not 64 <= self.size <= 1024 or self.size % 2:
            raise UsageError(f"The size is {self.size}", "Choose an even number of pixels from 64 to 1024.")
        if self.fps is not None and not SLOWEST <= self.fps <= FASTEST:
            raise UsageError(f"The rate is {self.fps:g} frames a second", f"Choose {SLOWEST:g} to {FASTEST:g}.")
        if self.seconds is not None and not self.seconds > 0:
            raise UsageError(f"The length is {self.seconds:g} seconds", "Choose more than 0.")
        if not 0 <= self.strength <= 3 or not 0 <= self.tune_seconds <= 86_400:
            raise UsageError(
                f"Strength {self.strength:g} or fine-tuning of {self.tune_seconds:g} s is out of range", "Choose 0 to 3, and 0 to 86400 s."
            )


@dataclass(frozen=True)
class LivingPortrait:
    """What was made. `others`: for each portrait, how many faces in it were not taken; `source`: the first one as the video frames it."""

    path: Path
    frames: int
    seconds: float
    rate: float
    others: tuple[int, ...]
    facts: GeneratedFacts
    source: NDArray[np.uint8]  # (size, size, 3) RGB


def checkpoint_path(name: str | Path = DEFAULT_CHECKPOINT) -> Path:
    """A path as given, or a shipped checkpoint by its name. Raises CheckpointError when it is neither."""
    path = Path(name)
    folder = Path(str(files("generator") / "weights"))
    shipped = folder / f"{name}.safetensors"
    if path.is_file():
        return path
    if path.name == str(name) and shipped.is_file():
        return shipped
    known = ", ".join(sorted(p.stem for p in folder.glob("*.safetensors"))) if folder.is_dir() else ""
    shipping = f"or one of: {known}" if known else "none ships with this copy"
    raise CheckpointError(f"There is no checkpoint {name}", f"Name a model.safetensors made by `sfumato train generator`; {shipping}.")


class Studio:
    """One checkpoint on one device, and the seal that every video gets."""

    def __init__(
        self, checkpoint: Path, landmarks: str | None = None, device: Any = "cpu", seal: Seal | None = None, stage: Stage = quietly,
        backend: str = "auto", workers: int | None = None,
    ) -> None:  # fmt: skip
        """`landmarks` defaults to the backend the checkpoint was trained with, `seal` to the development keys of this machine.

        `backend` runs the network (generator/backends.py); `workers` frames are rendered at once, by default one on each core.
        Raises UsageError or MissingPartError for a backend that is not there, CheckpointError when the checkpoint is missing, damaged, or
        was trained with other landmarks or another crop.
        """
        from generator.animate import Animator
        from generator.checkpoint import load_checkpoint
        from provenance.sign import C2paSeal
        from sfumato.media.faces import FaceDetector
        from sfumato.media.landmarks import load_backend

        loaded = load_checkpoint(checkpoint, device)
        loaded.require(landmarks or loaded.landmarks)
        self.path, self.stage, self.seal = checkpoint, stage, seal or C2paSeal()
        self.landmarks = load_backend(loaded.landmarks)
        self.detector = FaceDetector()
        self.animator = Animator(loaded, device, backend, workers or min(os.cpu_count() or 1, _MOST_WORKERS))

    @property
    def model_name(self) -> str:
        return f"{self.path.stem} ({self.animator.checkpoint.config.family})"

    def animate(
        self, portraits: Sequence[Path], motion: Path, output: Path, config: AnimateConfig | None = None, consent: str | None = None
    ) -> LivingPortrait:
        """Lets the person of `portraits` follow `motion` (a .motion file or a video), writes the sealed mp4 `output`.

        Raises UsageError (no consent, contradictions), NoFaceError, MediaError, CheckpointError (landmarks that do not fit), OutputError,
        SealError. Nothing is written then.
        """
        config = config or AnimateConfig()
        facts = self._facts(portraits, motion, config, stated_right(portraits, consent))
        self._refuse_bad_output(output, motion, facts, config)
        sitters = self._read_portraits(portraits, config)
        track = self._read_motion(motion, config.seconds)
        self._learn(sitters, config)
        return self._record(sitters, track, output, facts, config, motion)

    def _facts(self, portraits: Sequence[Path], motion: Path, config: AnimateConfig, right: str) -> GeneratedFacts:
        from sfumato.media.clips import file_digest
        from sfumato.media.video import GeneratedFacts

        if not portraits:
            raise UsageError("No portrait was given", "Name at least one picture.")
        if len(config.faces) not in (0, 1, len(portraits)):
            raise UsageError(
                f"{len(config.faces)} faces for {len(portraits)} portraits", "Choose one face for all of them, or one for each."
            )
        shipped = [known.name for path in portraits if (known := identify(path)) is not None]
        template = _shipped_motion(motion)
        title = ", ".join(["Living portrait", *dict.fromkeys(shipped), *([template] if template else [])])
        parameters: dict[str, str | int | float | bool] = {
            "family": self.animator.checkpoint.config.family,
            "network_size": self.animator.size,
            "size": config.size,
            "mode": config.mode,
            "strength": config.strength,
            "tune_seconds": config.tune_seconds,
            "landmarks": self.landmarks.name,
            "backend": self.animator.backend,
            "motion": template or ("motion file" if motion.suffix == ".motion" else "video"),
            "consent": right,
        }
        if config.fps is not None:
            parameters["fps"] = config.fps
        return GeneratedFacts(
            title, self.model_name, self.animator.checkpoint.digest, config.seed, tuple(portraits), file_digest(motion), parameters
        )

    def _refuse_bad_output(self, output: Path, motion: Path, facts: GeneratedFacts, config: AnimateConfig) -> None:
        """Now rather than after minutes of work."""
        for source in (motion, self.path):
            if output.exists() and output.samefile(source):
                raise OutputError(f"{output} is also a source", "Choose another name for the output; a source is never overwritten.")
        if config.sound:
            _require_sound(motion)
        self._writer(output, 25.0, facts, config, motion)  # its constructor writes nothing and refuses what cannot be written

    def _writer(self, output: Path, rate: float, facts: GeneratedFacts, config: AnimateConfig, motion: Path) -> Any:
        from sfumato.media.video import GeneratedVideoWriter

        return GeneratedVideoWriter(
            output,
            width=config.size,
            height=config.size,
            rate=rate,
            seal=self.seal,
            facts=facts,
            audio_from=motion if config.sound else None,
        )

    def _read_portraits(self, portraits: Sequence[Path], config: AnimateConfig) -> list[Portrait]:
        from generator.animate import read_portrait
        from sfumato.media.images import read_image

        faces = config.faces * len(portraits) if len(config.faces) == 1 else config.faces or (None,) * len(portraits)
        return [
            read_portrait(read_image(path, max_side=4096), self.detector, self.landmarks, config.size, path.name, which)
            for path, which in zip(portraits, faces, strict=True)
        ]

    def _read_motion(self, path: Path, seconds: float | None) -> Motion:
        from generator.motion import read_motion, track_video
        from sfumato.media.video import VideoReader

        if path.suffix.lower() == ".motion":
            motion = read_motion(path)
            if motion.backend != self.landmarks.name:
                raise CheckpointError(
                    f"The motion {path.name} was tracked with landmarks {motion.backend!r}, the checkpoint knows {self.landmarks.name!r}",
                    f"Make it again: sfumato motion VIDEO --landmarks {self.landmarks.name} -o {path.name}.",
                )
            return motion
        with VideoReader(path) as video:
            total = video.info.declared_frames
        with self.stage("Following the face of the video", total) as advance:
            return track_video(path, _Counted(self.landmarks, advance), seconds)

    def _learn(self, sitters: list[Portrait], config: AnimateConfig) -> None:
        from generator.animate import tune_config
        from sfumato.run import seed_everything

        seed_everything(config.seed)
        if config.tune_seconds == 0:
            self.animator.set_identity(sitters)
            return
        tune = tune_config(self.animator.checkpoint, config.tune_seconds, seed=config.seed)
        with self.stage("Learning the person, seconds", config.tune_seconds) as advance:
            self.animator.set_identity(sitters, tune, _in_seconds(advance))

    def _record(
        self, sitters: list[Portrait], motion: Motion, output: Path, facts: GeneratedFacts, config: AnimateConfig, source: Path
    ) -> LivingPortrait:
        from generator.retarget import Retargeter
        from sfumato.overlap import in_order

        retargeter = Retargeter(sitters[0].landmarks, motion, config.mode, config.strength)
        rate = config.fps or min(max(motion.rate, SLOWEST), FASTEST)
        total = sum(1 for _ in poses(motion, config.fps, config.seconds))
        last = 0.0

        def paint(pose: tuple[float, NDArray[np.float32]]) -> tuple[float, NDArray[np.float32], NDArray[np.uint8]]:
            landmarks = retargeter.apply(pose[1])
            return pose[0], landmarks, self.animator.render(landmarks, config.size)

        painted = in_order(paint, poses(motion, config.fps, config.seconds), self.animator.threads)
        with self.stage("Painting frames", total) as advance, self._writer(output, rate, facts, config, source) as video, closing(painted):
            for moment, landmarks, image in painted:  # painted ahead by other threads; encoded by this one
                video.write(image, moment, [face_box(landmarks, config.size)])
                last = moment
                advance(1)
        return LivingPortrait(output, total, last + 1 / rate, rate, tuple(portrait.others for portrait in sitters), facts, sitters[0].large)


def face_box(landmarks: NDArray[np.float32], size: int) -> tuple[float, float, float, float]:
    """landmarks: (68, 2) in [-1, 1]. The box around them and the forehead, which has none: (x, y, width, height) in pixels of the frame."""
    (left, top), (right, bottom) = (landmarks.min(axis=0) + 1) / 2 * size, (landmarks.max(axis=0) + 1) / 2 * size
    high = float(bottom - top)
    return float(left), float(top) - 0.25 * high, float(right - left), 1.25 * high


def _in_seconds(advance: Advance) -> Advance:
    """Passes on the time since the last call instead of the amount: what is limited by time is shown in time."""
    last = time.monotonic()

    def tick(amount: float) -> None:
        nonlocal last
        now = time.monotonic()
        advance(round(now - last, 1))
        last = now

    return tick


class _Counted:
    """A landmark backend that says each time it was used."""

    def __init__(self, backend: Any, advance: Advance) -> None:
        self.name: str = backend.name
        self._backend, self._advance = backend, advance

    def detect(self, image: NDArray[np.uint8], box: tuple[float, float, float, float]) -> NDArray[np.float32]:
        self._advance(1)
        points: NDArray[np.float32] = self._backend.detect(image, box)
        return points


def poses(motion: Motion, fps: float | None, seconds: float | None) -> Iterator[tuple[float, NDArray[np.float32]]]:
    """(time, landmarks (68, 2)) frame by frame: the motion's own, or at a steady rate with landmarks interpolated in between."""
    import numpy as np

    start = float(motion.times[0])
    times = (float(t) - start for t in motion.times)
    if fps is not None:
        length = float(motion.times[-1]) - start
        times = (i / fps for i in range(int(length * fps + 1e-6) + 1))
    for moment in takewhile(lambda t: seconds is None or t < seconds, times):
        after = int(np.clip(np.searchsorted(motion.times, moment + start), 0, len(motion) - 1))
        before = max(after - 1, 0)
        gap = float(motion.times[after] - motion.times[before])
        share = (moment + start - float(motion.times[before])) / gap if gap > 0 else 1.0
        yield moment, ((1 - share) * motion.landmarks[before] + share * motion.landmarks[after]).astype(np.float32)


def shipped_motion_names() -> list[str]:
    """The motions that ship; none in a copy without them."""
    from generator.motion import shipped_motions

    try:
        return shipped_motions()
    except FileNotFoundError:
        return []


def _shipped_motion(path: Path) -> str | None:
    folder = Path(str(files("generator") / "motions"))
    return path.stem if path.resolve().parent == folder.resolve() and path.stem in shipped_motion_names() else None


def _require_sound(motion: Path) -> None:
    from sfumato.media.video import VideoReader

    if motion.suffix.lower() == ".motion":
        raise UsageError(f"{motion} is a motion without sound", "Give the video itself as the motion, or leave --sound out.")
    with VideoReader(motion) as video:
        if not video.info.has_audio:
            raise UsageError(f"{motion} has no sound", "Leave --sound out.")
