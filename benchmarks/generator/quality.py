"""Self-reenactment: a person's own later frames, made from the earlier ones (section 4; VoxCeleb there, any folder of
clips here).

In: clips, one person each, and checkpoints by name. Out: one Result for each method and T. The T source frames are
spread over the first half of a clip, the targets over the second. Every method is asked for pictures of one size,
through the same Animator that `sfumato animate` uses: a network of another size works at its own. `copy` gives the
nearest source frame unchanged, `warp` bends it to the target's landmarks; both need no learning and stand beside every
result that does.

The metrics are those of benchmarks/metrics/image_metrics.py: means over the frames of a clip, then over clips; FD-lite0
over all frames, and FID as well where Inception's weights are given. Intervals are of differences between two methods
on the same clips. Beside them stand figures of the mouth and of how the face follows (benchmarks/metrics/figures.py):
over the targets of a clip, which are spread over its second half, and then over clips.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.generator.painted import paint_figures
from benchmarks.metrics.figures import following_figures, summarise
from benchmarks.metrics.image_metrics import METRICS, Features, ImageMetrics, Judged, Pictures, Scores
from benchmarks.metrics.inception import Inception
from benchmarks.metrics.intervals import paired_interval
from benchmarks.metrics.lip_region import teeth_show
from benchmarks.metrics.networks import quality_networks
from benchmarks.metrics.perceptual import frechet_distance
from benchmarks.rows.generator import FigureRow, Networks, QualityRow
from generator.data.dataset import Clip, read_shard
from generator.data.reading import PrepareConfig, Preparer
from generator.motion.track import Landmarks
from generator.networks.checkpoint import Checkpoint
from generator.networks.landmark_warp import landmark_warp
from generator.networks.warp import nearest, normalise
from generator.person.portrait import Portrait
from generator.rendering.animator import Animator, tune_config
from sfumato.errors import MediaError, UsageError
from sfumato.execution.find_files import VIDEOS, Finder, find_media
from sfumato.media.clips import file_digest
from sfumato.media.faces import Crop, Face
from sfumato.media.frame_size import require_frame_size

PROTOCOL = "self-reenactment-4"
TUNED = " + fine-tuning"
SHIPPED_METHOD = "zakharov2019-warp"  # what `sfumato animate` delivers: it fine-tunes only when --tune-seconds asks
PREVIOUS = "previous"  # the name under which a checkpoint stands that the shipped one is compared with
_STORED_FRAMES = 4  # prepared frames a clip for each one that is used: lets frames without a face fall out


@dataclass(frozen=True)
class QualityConfig:
    """What is measured."""

    shots: tuple[int, ...] = (1, 8, 32)  # T: source frames; the paper's. A clip needs twice the most
    targets: int = 16  # frames a clip
    size: int = 256  # pixels at which all methods are compared; the paper's
    tune_seconds: float = 20.0  # fine-tuning of each person, at most; 0: none
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.shots or min(self.shots) < 1 or self.targets < 2:
            raise UsageError(
                f"Cannot measure T = {self.shots} on {self.targets} targets", "T must be 1 or more, targets 2 or more."
            )
        require_frame_size(self.size)


@dataclass(frozen=True)
class Result:
    """One method at one T. `scores`: each metric's mean over clips; `learning`: seconds to learn one person, the mean.

    `differences`: "csim_vs_warp" and the like to the interval of this method minus the other; `fd_lite0` over all
    frames, `fid` too, or None; `figures`: see benchmarks/metrics/figures.py; `readers`: who read the faces; `networks`:
    what the numbers look through.
    """

    method: str
    shots: int
    shipped: bool
    scores: Scores
    fd_lite0: float
    fid: float | None
    learning: float
    differences: Mapping[str, tuple[float, float]]
    figures: Mapping[str, FigureRow]
    readers: tuple[str, ...]
    networks: Networks
    clips: int
    frames: int

    def row(self, model: str | None, footage: str, config: QualityConfig) -> QualityRow:
        """As a line of the record has it, rounded. model: sha256 of the checkpoint."""
        numbers: dict[str, Any] = {
            name: round(value, 5) for name, value in self.scores.items() if name not in self.figures
        }
        numbers |= {name: (round(low, 5), round(high, 5)) for name, (low, high) in self.differences.items()}
        return QualityRow(
            method=self.method, shots=self.shots, shipped=self.shipped, fd_lite0=round(self.fd_lite0, 3),
            fid=None if self.fid is None else round(self.fid, 3), learning_s=round(self.learning, 3), n=self.clips,
            frames=self.frames, figures=self.figures, readers=self.readers, networks=self.networks, model=model,
            protocol=PROTOCOL, footage=footage, size=config.size, tune_seconds=config.tune_seconds, seed=config.seed,
            **numbers,
        )  # fmt: skip


@dataclass
class Measured:
    """All results, the clips that were used, and those that were not, with the reason."""

    results: list[Result] = field(default_factory=list)
    used: list[Path] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    footage: str = ""  # sha256 over the digests of the clips used


@dataclass(frozen=True)
class _Frames:
    """Frames of one clip: (S, S, 3) uint8 RGB and landmarks (68, 2) px each."""

    images: Pictures
    points: list[Landmarks]

    @property
    def landmarks(self) -> Tensor:
        """(N, 68, 2) in [-1, 1]."""
        return normalise(torch.from_numpy(np.stack(self.points)), self.images[0].shape[0])


@dataclass
class _Tally:
    """What one method at one T gave, clip by clip."""

    rows: list[Scores] = field(default_factory=list)
    figures: list[dict[str, float]] = field(default_factory=list)
    features: list[Features] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def add(self, judged: Judged, metrics: ImageMetrics, made: _Made) -> None:
        """A clip more."""
        self.rows.append(judged.scores)
        self.features.append(judged.features)
        self.seconds.append(made.seconds)
        of_mouth = {name: judged.scores[name] for name in ("mouth_ssim", "mouth_perceptual")}
        follows = following_figures(judged.shapes, metrics.targets)
        self.figures.append(of_mouth | {"same_faces": judged.same_faces} | follows | made.painted)


@dataclass(frozen=True)
class _Made:
    """What a method made of one clip's targets: seconds to learn the person, and how much of open mouths is paint."""

    method: str
    pictures: Pictures
    seconds: float = 0.0
    painted: dict[str, float] = field(default_factory=dict)


def choose_clips(footage: Path, names: tuple[str, ...] = (), finder: Finder | None = None) -> list[Path]:
    """The videos below `footage`; with `names` only those whose file name or path is among them. `finder` counts what
    is passed over. Raises UsageError.
    """
    videos = find_media([footage], finder or Finder(VIDEOS))
    if names:
        wanted = {Path(name).name for name in names}
        if missing := sorted(wanted - {p.name for p in videos}):
            raise UsageError(f"{footage} holds no clip {missing[0]}", "Name clips of the footage folder.")
        videos = [p for p in videos if p.name in wanted]
    if not videos:
        raise UsageError(f"{footage} holds no videos", "Name a folder of clips, one person a clip.")
    return videos


def measure(
    clips: list[Path], checkpoints: Mapping[str, Checkpoint], config: QualityConfig, shipped_digest: str | None = None,
    advance: Callable[[float], None] = lambda amount: None, inception: Inception | None = None,
) -> Measured:  # fmt: skip
    """Measures every method on `clips`. `checkpoints`: a name for each; `advance` gets 1 for each clip and T;
    `inception`: for FID, which is left out without it.

    `shipped_digest` is the sha256 of the checkpoint that the program uses by itself: its method's line is marked
    `shipped`. The one called `previous` is not fine-tuned; every other method is also compared with it. Raises
    UsageError for checkpoints with different landmarks, CheckpointError for an unknown crop, MissingPartError without
    the network of the perceptual metrics, and MediaError when no clip can be used.
    """
    landmarks = common_landmarks(checkpoints)
    metrics, done = ImageMetrics(inception=inception), Measured()
    digests, wanted_features = list[str](), list[Features]()
    table: dict[tuple[str, int], _Tally] = {}
    animators = {name: Animator(checkpoint) for name, checkpoint in checkpoints.items()}
    stored = _STORED_FRAMES * max(*config.shots, config.targets)
    preparer = Preparer(PrepareConfig(size=config.size, frames=stored, landmarks=landmarks, quality=100))
    with tempfile.TemporaryDirectory(prefix="sfumato-bench-") as folder:
        for path in clips:
            try:
                clip = _read(preparer, path, Path(folder))
                sources, targets = _divide(clip, max(config.shots), config.targets)
                wanted = _frames(clip, spread_over(targets, config.targets), config.size)
                found = metrics.look_at(wanted.images, wanted.points)
            except MediaError as error:
                done.skipped.append((path, error.message))
                advance(len(config.shots))
                continue
            wanted_features.append(found)
            for shots in sorted(set(config.shots)):
                known = _frames(clip, spread_over(sources, shots), config.size)
                for made in _pictures(known, wanted, animators, config):
                    tally = table.setdefault((made.method, shots), _Tally())
                    tally.add(metrics.scores(made.pictures), metrics, made)
                advance(1)
            done.used.append(path)
            digests.append(clip.digest)
    if not done.used:
        raise MediaError(
            f"None of {len(clips)} clip(s) could be used", "Use clips of one person each, a few seconds long."
        )
    done.footage = hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()
    networks = quality_networks(metrics.readers.names, None if inception is None else inception.digest)
    for method, shots in table:
        given = checkpoints.get(method)
        shipped = method == SHIPPED_METHOD and given is not None and given.digest == shipped_digest
        done.results.append(
            _summary(method, shots, shipped, table, wanted_features, metrics.readers.names, networks, config)
        )
    done.results.sort(key=lambda result: result.shots)  # stable: methods keep their order
    return done


def spread_over(frames: range, count: int) -> NDArray[np.int64]:
    """`count` indices spread evenly over `frames`, its ends included; one alone is its middle."""
    if count == 1:
        return np.array([frames[len(frames) // 2]])
    return np.linspace(frames[0], frames[-1], count).round().astype(np.int64)


def _pictures(
    known: _Frames, wanted: _Frames, animators: Mapping[str, Animator], config: QualityConfig
) -> Iterator[_Made]:
    """Each method's pictures of `wanted`, made from the frames `known`."""
    sources, targets = known.landmarks, wanted.landmarks
    order = nearest(sources[None].expand(len(targets), -1, -1, -1), targets, 1)[:, 0]
    yield _Made("copy", [known.images[int(index)] for index in order])
    poses = [
        (pose.numpy(), teeth_show(image, points))
        for pose, image, points in zip(targets, wanted.images, wanted.points, strict=True)
    ]
    sitters = [_portrait(image, points) for image, points in zip(known.images, known.points, strict=True)]
    bare = Animator(landmark_warp())
    bare.set_identity(sitters)
    yield _Made("warp", [bare.render(pose, config.size) for pose, _ in poses])
    for name, animator in animators.items():
        for tuned in (False, True):
            if tuned and (config.tune_seconds == 0 or name == PREVIOUS):
                continue
            started = time.monotonic()
            animator.set_identity(
                sitters, tune_config(animator.checkpoint, config.tune_seconds, seed=config.seed) if tuned else None
            )
            seconds = time.monotonic() - started
            pictures = [animator.render(pose, config.size) for pose, _ in poses]
            yield _Made(name + TUNED * tuned, pictures, seconds, paint_figures(animator, poses))


def _portrait(image: NDArray[np.uint8], points: Landmarks) -> Portrait:
    """A frame that is a crop already, as a portrait."""
    size = image.shape[0]
    box = (
        float(points[:, 0].min()),
        float(points[:, 1].min()),
        float(np.ptp(points[:, 0])),
        float(np.ptp(points[:, 1])),
    )
    face = Face(box, 1.0, points[[36, 45, 30, 48, 54]])
    return Portrait(Crop(0.0, 0.0, float(size)), face, image, np.asarray((2 * points + 1) / size - 1, np.float32))


def _summary(
    method: str, shots: int, shipped: bool, table: Mapping[tuple[str, int], _Tally], goal: list[Features],
    readers: tuple[str, ...], networks: Networks, config: QualityConfig,
) -> Result:  # fmt: skip
    own = table[method, shots]
    means = {name: float(np.mean([row[name] for row in own.rows])) for name in METRICS}
    differences: dict[str, tuple[float, float]] = {}
    others = [other for other in ("warp", PREVIOUS) if other != method and (other, shots) in table]
    for other in others:
        for name in ("ssim", "csim", "perceptual"):
            pairs = np.array(
                [row[name] - base[name] for row, base in zip(own.rows, table[other, shots].rows, strict=True)]
            )
            differences[f"{name}_vs_{other}"] = paired_interval(pairs, config.seed)
    distances = {
        name: frechet_distance(*(torch.cat([each[name] for each in features]) for features in (own.features, goal)))
        for name in goal[0]
    }
    seconds = float(np.mean(own.seconds))
    figures = summarise(own.figures, {other: table[other, shots].figures for other in others}, config.seed)
    return Result(
        method, shots, shipped, means, distances["fd_lite0"], distances.get("fid"), seconds, differences, figures,
        readers, networks, len(own.rows), len(own.rows) * config.targets,
    )  # fmt: skip


def common_landmarks(checkpoints: Mapping[str, Checkpoint]) -> str:
    """The landmark backend that all checkpoints share; mesh without one."""
    for checkpoint in checkpoints.values():
        checkpoint.require(checkpoint.landmarks)  # the crop
    backends = {checkpoint.landmarks for checkpoint in checkpoints.values()}
    if len(backends) > 1:
        raise UsageError(f"The checkpoints differ in landmarks: {sorted(backends)}", "Measure one at a time.")
    return backends.pop() if backends else "mesh"


def _read(preparer: Preparer, path: Path, folder: Path) -> Clip:
    digest = file_digest(path)
    shard = folder / f"{digest[:32]}.parquet"
    preparer.prepare_file(path, digest, shard)
    clip = read_shard(shard, preparer.config.size)
    shard.unlink()
    return clip


def _divide(clip: Clip, shots: int, targets: int) -> tuple[range, range]:
    """The first and the second half. Raises MediaError when one is too short."""
    half = len(clip) // 2
    if half < shots or len(clip) - half < targets:
        raise MediaError(
            f"Only {len(clip)} frames show the face; T = {shots} and {targets} targets need {2 * max(shots, targets)}"
        )
    return range(half), range(half, len(clip))


def _frames(clip: Clip, indices: NDArray[np.int64], size: int) -> _Frames:
    frames = [clip.frame(int(index), size) for index in indices]
    return _Frames([image for image, _ in frames], [points for _, points in frames])
