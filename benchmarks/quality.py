"""Self-reenactment: a person's own later frames, made from the earlier ones (section 4; VoxCeleb there, any folder of clips here).

In: clips, one person each, and up to two checkpoints. Out: one Result for each method and T. The T source frames are spread
over the first half of a clip, the targets over the second, at the checkpoint's size. `copy` gives the nearest source frame
unchanged, `warp` bends it to the target's landmarks; both need no learning and stand beside every result that does.

SSIM: torchmetrics, Gaussian window of 11 px, sigma 1.5, data range 2 for pictures in [-1, 1], one value a picture.
L1: mean absolute difference, in [0, 1]. CSIM: cosine of SFace embeddings of output and target, each aligned by the landmarks
found in it. Landmark error: mean distance of the 68 points found in output and target by the mesh backend, in both alike,
over the distance between the target's eye centres. Means over the frames of a clip, then over clips.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generator.animate import tune_config
from generator.checkpoint import Checkpoint
from generator.dataset import Clip, read_shard
from generator.episodes import to_tensors
from generator.fine_tune import Person, fine_tune, meet
from generator.motion import Landmarks
from generator.prepare import PICTURES, PrepareConfig, Preparer, find_media
from generator.warp import nearest, sample, warp_grid
from sfumato.errors import MediaError, UsageError
from sfumato.media.clips import file_digest
from sfumato.media.faces import Box
from sfumato.media.identity import embed_image
from sfumato.media.images import to_image
from sfumato.media.landmarks import LandmarkBackend, load_backend

PROTOCOL = "self-reenactment-1"
DRAWS = 2000  # of the bootstrap
TUNED = " + fine-tuning"
SHIPPED_METHOD = "zakharov2019-warp"  # what `sfumato animate` delivers: it fine-tunes only when --tune-seconds asks
METRICS = ("ssim", "l1", "csim", "landmark_error")
Scores = dict[str, float]
_STORED_FRAMES = 4  # prepared frames a clip for each one that is used: lets frames without a face fall out


@dataclass(frozen=True)
class QualityConfig:
    """What is measured."""

    shots: tuple[int, ...] = (1, 8)  # T: source frames; the paper's 1 and 8 (its 32 asks for longer clips than most folders hold)
    targets: int = 8  # frames a clip
    tune_seconds: float = 20.0  # fine-tuning of each person, at most; 0: none
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.shots or min(self.shots) < 1 or self.targets < 1:
            raise UsageError(f"Cannot measure T = {self.shots} on {self.targets} targets", "Both must be 1 or more.")


@dataclass(frozen=True)
class Result:
    """One method at one T. Each metric: its mean over clips; the intervals are of method minus warp, None for warp itself."""

    method: str
    shots: int
    shipped: bool
    scores: Scores
    ssim_vs_warp: tuple[float, float] | None
    csim_vs_warp: tuple[float, float] | None
    clips: int
    frames: int

    def row(self) -> dict[str, Any]:
        """As a line of JSON has it."""
        rounded = {name: round(value, 5) for name, value in self.scores.items()}
        intervals = {"ssim_vs_warp": self.ssim_vs_warp, "csim_vs_warp": self.csim_vs_warp}
        shown = {name: None if pair is None else [round(v, 5) for v in pair] for name, pair in intervals.items()}
        return {"method": self.method, "T": self.shots, "shipped": self.shipped, **rounded, "n": self.clips, "frames": self.frames, **shown}


@dataclass
class Measured:
    """All results, the clips that were used, and those that were not, with the reason."""

    results: list[Result] = field(default_factory=list)
    used: list[Path] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    footage: str = ""  # sha256 over the digests of the clips used
    size: int = 0


@dataclass(frozen=True)
class _Case:
    """Frames of one clip as tensors: (N, 3, S, S), (N, 3, S, S) and (N, 68, 2) in [-1, 1]."""

    faces: Tensor
    sketches: Tensor
    landmarks: Tensor

    def take(self, indices: NDArray[np.int64]) -> _Case:
        chosen = torch.from_numpy(indices)
        return _Case(self.faces[chosen], self.sketches[chosen], self.landmarks[chosen])


def choose_clips(footage: Path, names: tuple[str, ...] = ()) -> list[Path]:
    """The videos below `footage`; with `names` only those whose file name or path is among them. Raises UsageError."""
    videos = [p for p in find_media([footage]) if p.suffix.lower() not in PICTURES]
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
    advance: Callable[[float], None] = lambda amount: None,
) -> Measured:  # fmt: skip
    """Measures every method on `clips`. `checkpoints`: family name to checkpoint; `advance` gets 1 for each clip and T.

    `shipped_digest` is the sha256 of the checkpoint that the program uses by itself: its method's line is marked `shipped`.
    Raises UsageError for checkpoints of different size, landmarks or crop, and MediaError when no clip can be used.
    """
    size, landmarks = _common(checkpoints)
    longest = max(*config.shots, config.targets)
    judge = _Judge()
    table: dict[tuple[str, int], list[Scores]] = {}
    done, digests = Measured(size=size), list[str]()
    preparer = Preparer(PrepareConfig(size=size, frames=_STORED_FRAMES * longest, landmarks=landmarks, quality=100))
    with tempfile.TemporaryDirectory(prefix="sfumato-bench-") as folder:
        for path in clips:
            try:
                clip = _read(preparer, path, Path(folder))
                sources, targets = _divide(clip, max(config.shots), config.targets)
                wanted = _frames(clip, spread_over(targets, config.targets), size)
                judge.look_at(wanted)
            except MediaError as error:
                done.skipped.append((path, error.message))
                advance(len(config.shots))
                continue
            for shots in sorted(set(config.shots)):
                known = _frames(clip, spread_over(sources, shots), size)
                for method, pictures in _pictures(known, wanted, checkpoints, config):
                    table.setdefault((method, shots), []).append(judge.scores(pictures))
                advance(1)
            done.used.append(path)
            digests.append(clip.digest)
    if not done.used:
        raise MediaError(f"None of {len(clips)} clip(s) could be used", "Use clips of one person each, a few seconds long.")
    done.footage = hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()
    for (method, shots), rows in table.items():
        family = checkpoints.get(method)
        shipped = method == SHIPPED_METHOD and family is not None and family.digest == shipped_digest
        done.results.append(_summary(method, shots, shipped, rows, table["warp", shots], config))
    done.results.sort(key=lambda result: result.shots)  # stable: methods keep their order
    return done


def spread_over(frames: range, count: int) -> NDArray[np.int64]:
    """`count` indices spread evenly over `frames`, its ends included; one alone is its middle."""
    if count == 1:
        return np.array([frames[len(frames) // 2]])
    return np.linspace(frames[0], frames[-1], count).round().astype(np.int64)


def paired_interval(differences: NDArray[np.float64], seed: int = 0, draws: int = DRAWS) -> tuple[float, float]:
    """The 95 % percentile-bootstrap interval of the mean of `differences` (N,), resampled `draws` times."""
    rng = np.random.default_rng(seed)
    means = differences[rng.integers(0, len(differences), (draws, len(differences)))].mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


class _Judge:
    """The metrics of pictures against the targets it last looked at."""

    def __init__(self) -> None:
        self._mesh: LandmarkBackend = load_backend("mesh")
        self._targets = torch.empty(0)
        self._seen: list[tuple[Box, Landmarks, NDArray[np.float32]]] = []  # face box, landmarks, identity of each target

    def look_at(self, wanted: _Case) -> None:
        """Finds landmarks and identity of every target, once for all methods."""
        self._targets, size = wanted.faces, wanted.faces.shape[-1]
        self._seen = []
        for target, points in zip(wanted.faces, wanted.landmarks.numpy(), strict=True):
            image, box = to_image(target), _face_box((points + 1) * size / 2 - 0.5)
            found = self._mesh.detect(image, box)
            self._seen.append((box, found, embed_image(image, found)))

    def scores(self, made: Tensor) -> Scores:
        """made: (N, 3, S, S) in [-1, 1]. Returns the mean over the N frames of each metric."""
        from torchmetrics.functional.image import structural_similarity_index_measure as ssim

        made = made.clamp(-1, 1)
        similarity = cast(Tensor, ssim(made, self._targets, gaussian_kernel=True, sigma=1.5, data_range=2.0, reduction="none"))  # (N,)
        cosines, errors = [], []
        for output, (box, points, identity) in zip(made, self._seen, strict=True):
            image = to_image(output)
            found = self._mesh.detect(image, box)
            cosines.append(float(embed_image(image, found) @ identity))
            eyes = float(np.linalg.norm(points[36:42].mean(0) - points[42:48].mean(0)))
            errors.append(float(np.linalg.norm(found - points, axis=1).mean()) / max(eyes, 1e-6))
        return {
            "ssim": float(similarity.mean()),
            "l1": float((made - self._targets).abs().mean() / 2),
            "csim": float(np.mean(cosines)),
            "landmark_error": float(np.mean(errors)),
        }


def _pictures(known: _Case, wanted: _Case, checkpoints: Mapping[str, Checkpoint], config: QualityConfig) -> Iterator[tuple[str, Tensor]]:
    """Each method's pictures (N, 3, S, S) of `wanted`, made from the frames `known`."""
    size = known.faces.shape[-1]
    order = nearest(known.landmarks[None].expand(len(wanted.landmarks), -1, -1, -1), wanted.landmarks, 1)[:, 0]
    yield "copy", known.faces[order]
    yield "warp", sample(known.faces[order], warp_grid(known.landmarks[order], wanted.landmarks, size))
    for name, checkpoint in checkpoints.items():
        person = meet(checkpoint, known.faces, known.sketches, known.landmarks)
        yield name, _render(person, wanted)
        if config.tune_seconds > 0:
            tuned = fine_tune(checkpoint, person, tune_config(checkpoint, config.tune_seconds, seed=config.seed))
            yield name + TUNED, _render(tuned, wanted)


def _render(person: Person, wanted: _Case) -> Tensor:
    return torch.cat([person.picture(s[None], p[None]) for s, p in zip(wanted.sketches, wanted.landmarks, strict=True)])


def _summary(method: str, shots: int, shipped: bool, rows: list[Scores], warp: list[Scores], config: QualityConfig) -> Result:
    means = {name: float(np.mean([row[name] for row in rows])) for name in METRICS}

    def against_warp(name: str) -> tuple[float, float] | None:
        differences = np.array([row[name] - base[name] for row, base in zip(rows, warp, strict=True)])
        return None if method == "warp" else paired_interval(differences, config.seed)

    return Result(method, shots, shipped, means, against_warp("ssim"), against_warp("csim"), len(rows), len(rows) * config.targets)


def _common(checkpoints: Mapping[str, Checkpoint]) -> tuple[int, str]:
    """Size and landmark backend that all checkpoints share; 128 and mesh without one."""
    for checkpoint in checkpoints.values():
        checkpoint.require(checkpoint.landmarks)  # the crop
    facts = {(c.config.size, c.landmarks) for c in checkpoints.values()}
    if len(facts) > 1:
        raise UsageError(f"The checkpoints differ in size or landmarks: {sorted(facts)}", "Measure one at a time.")
    return facts.pop() if facts else (128, "mesh")


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
        raise MediaError(f"Only {len(clip)} frames show the face; T = {shots} and {targets} targets need {2 * max(shots, targets)}")
    return range(half), range(half, len(clip))


def _frames(clip: Clip, indices: NDArray[np.int64], size: int) -> _Case:
    frames = [clip.frame(int(index), size) for index in indices]
    return _Case(*to_tensors([image for image, _ in frames], [points for _, points in frames]))


def _face_box(points: Landmarks) -> Box:
    """A face detector's box from the 68 points: they end at the brows, its box includes half the forehead."""
    low, high = points.min(0), points.max(0)
    brow = 0.25 * float(high[1] - low[1])
    return float(low[0]), float(low[1]) - brow, float(high[0] - low[0]), float(high[1] - low[1]) + brow
