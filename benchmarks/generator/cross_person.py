"""Cross-person reenactment: portraits of some people follow the motion of others. Whose face comes out? (Section 5's
known limit: landmarks of another person leak that person's face shape.)

In: portraits and driving videos. Out: one row for each pair, and a contact sheet. Of each video a few moments, spread
over it, are rendered as `sfumato animate` does by default. CSIM: cosine of SFace embeddings of the output and of the
portrait's frame, and of the output and of the driver's frame at that moment. Face-shape error: the contour, brows and
nose found in the output (mesh backend, 36 points) against those of the portrait, and against those of the driver in its
neutral frame; each pair aligned by a similarity and divided by the eye distance. Only the moments in which the driver's
head is turned as in its neutral frame count for shape, since a turned head has another outline; which ones is decided
by the driver alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.rows.generator import CrossedPair
from generator.motion.head import RIGID
from generator.motion.retarget import Retargeter
from generator.motion.track import Landmarks, Motion, track_video
from generator.person.portrait import Portrait, read_portrait
from generator.rendering.animator import Animator
from sfumato.errors import MediaError, UsageError
from sfumato.media.clips import file_digest
from sfumato.media.faces import FaceDetector, face_box
from sfumato.media.frame_size import require_frame_size
from sfumato.media.identity import embed_image, similarity
from sfumato.media.images import WORKING_PIXELS, read_image
from sfumato.media.landmarks import LandmarkBackend, load_backend
from sfumato.media.video import VideoReader

PROTOCOL = "cross-person-1"
_SHAPE = list(range(36))  # contour, brows, nose: what expressions move least
_EYES = (slice(36, 42), slice(42, 48))
_CALM = 0.5  # share of the moments, those nearest to the neutral pose, that count for shape
_SHEET = 6  # frames of a pair in the sheet


@dataclass(frozen=True)
class CrossConfig:
    """What is measured."""

    size: int = 256  # pixels of the output
    moments: int = 24  # of each driving video
    seconds: float = 10.0  # of each driving video, at most

    def __post_init__(self) -> None:
        require_frame_size(self.size)
        if self.moments < 4 or self.seconds <= 0:
            raise UsageError("Cannot measure so", "Choose 4 moments or more, and a positive number of seconds.")


@dataclass
class Crossed:
    """All pairs, what could not be used, and a contact sheet: a row for each pair, source, driver and output side by
    side.
    """

    pairs: list[CrossedPair] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    footage: str = ""
    strips: list[NDArray[np.uint8]] = field(default_factory=list)

    @property
    def sheet(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB."""
        return np.concatenate(self.strips, axis=0)


@dataclass(frozen=True)
class _Driver:
    """A video's motion, and at some moments its picture, who it shows and where its landmarks are."""

    name: str
    motion: Motion
    moments: list[int]
    pictures: list[NDArray[np.uint8]]
    identities: list[NDArray[np.float32]]
    calm: list[bool]


def measure(
    portraits: list[Path], drivers: list[Path], animator: Animator, config: CrossConfig,
    advance: Callable[[float], None] = lambda amount: None,
) -> Crossed:  # fmt: skip
    """Every portrait with every driver. `advance` gets 1 for each pair. Files that cannot be used are listed.

    Raises MediaError when nothing can be used.
    """
    landmarks, mesh, detector = load_backend(animator.checkpoint.landmarks), load_backend("mesh"), FaceDetector()
    done, moving, digests = Crossed(), list[_Driver](), list[str]()
    for path in drivers:
        try:
            moving.append(_read_driver(path, landmarks, detector, config))
            digests.append(file_digest(path))
        except MediaError as error:
            done.skipped.append((path, error.message))
    for path in portraits:
        try:
            sitter = read_portrait(
                read_image(path, max_pixels=WORKING_PIXELS), detector, landmarks, config.size, path.name
            )
        except MediaError as error:
            done.skipped.append((path, error.message))
            continue
        digests.append(file_digest(path))
        animator.set_identity([sitter])
        for driver in moving:
            pair, strip = _cross(path.stem, sitter, driver, animator, mesh, config)
            done.pairs.append(pair)
            done.strips.append(strip)
            advance(1)
    if not done.pairs:
        raise MediaError(
            "No portrait and driver could be used", "Use portraits and videos in which one face is seen well."
        )
    done.footage = hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()
    return done


def _read_driver(path: Path, landmarks: LandmarkBackend, detector: FaceDetector, config: CrossConfig) -> _Driver:
    motion = track_video(path, landmarks, config.seconds)
    moments = sorted({int(i) for i in np.linspace(0, len(motion) - 1, config.moments).round()})
    wanted = {round(float(motion.times[i]), 4): i for i in moments}
    pictures, identities, kept = list[NDArray[np.uint8]](), list[NDArray[np.float32]](), list[int]()
    with VideoReader(path, max_side=960) as video:
        for frame in video:
            index = wanted.get(round(frame.time, 4))
            faces = detector.detect(frame.image) if index is not None else []
            if index is None or not faces:
                continue
            sitter = read_portrait(frame.image, detector, landmarks, config.size, path.name)
            points = ((sitter.landmarks + 1) * config.size - 1) / 2
            pictures.append(sitter.large)
            identities.append(embed_image(sitter.large, points))
            kept.append(index)
            if len(kept) == len(moments):
                break
    if len(kept) < 2:
        raise MediaError(f"{path.name} shows a face in too few frames")
    neutral = motion.landmarks[motion.neutral]
    turned = [_shape_error(motion.landmarks[i], neutral, RIGID) for i in kept]
    limit = float(np.quantile(turned, _CALM))
    return _Driver(path.stem, motion, kept, pictures, identities, [t <= limit for t in turned])


def _cross(
    name: str, sitter: Portrait, driver: _Driver, animator: Animator, mesh: LandmarkBackend, config: CrossConfig
) -> tuple[CrossedPair, NDArray[np.uint8]]:
    own = np.asarray(((sitter.landmarks + 1) * config.size - 1) / 2, np.float32)
    likeness, retargeter = (
        embed_image(sitter.large, own),
        Retargeter(sitter.landmarks, driver.motion, depth=sitter.depth),
    )
    neutral = driver.motion.landmarks[driver.motion.neutral]
    sources, others, shapes, outputs = (
        list[float](),
        list[float](),
        list[tuple[float, float]](),
        list[NDArray[np.uint8]](),
    )
    for index, identity, calm in zip(driver.moments, driver.identities, driver.calm, strict=True):
        landmarks = retargeter.frame(index)
        output = animator.render(landmarks, config.size)
        found = mesh.detect(output, face_box(np.asarray(((landmarks + 1) * config.size - 1) / 2, np.float32)))
        seen = embed_image(output, found)
        sources.append(float(seen @ likeness))
        others.append(float(seen @ identity))
        if calm:
            shapes.append((_shape_error(found, own, _SHAPE), _shape_error(found, neutral, _SHAPE)))
        outputs.append(output)
    shape_source, shape_driver = np.mean(shapes, axis=0)
    pair = CrossedPair(
        portrait=name,
        driver=driver.name,
        csim_source=float(np.mean(sources)),
        csim_driver=float(np.mean(others)),
        shape_source=float(shape_source),
        shape_driver=float(shape_driver),
        moments=len(outputs),
    )
    return pair, _strip(sitter.large, driver.pictures, outputs)


def _shape_error(points: Landmarks, reference: Landmarks, which: list[int]) -> float:
    """Mean distance of the points `which` (68, 2 each) after the best similarity, over the reference's eye distance."""
    a, b = np.asarray(points, np.float64)[which], np.asarray(reference, np.float64)[which]
    matrix = similarity(a, b)
    moved = a @ matrix[:, :2].T + matrix[:, 2]
    eyes = np.linalg.norm(reference[_EYES[0]].mean(0) - reference[_EYES[1]].mean(0))
    return float(np.linalg.norm(moved - b, axis=1).mean() / max(float(eyes), 1e-9))


def _strip(
    source: NDArray[np.uint8], drivers: list[NDArray[np.uint8]], outputs: list[NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    """Two rows: the driver's frames above, the outputs below; the source stands at the left of both. 128 px each."""

    def small(image: NDArray[np.uint8], side: int = 128) -> NDArray[np.uint8]:
        return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)

    chosen = np.linspace(0, len(outputs) - 1, _SHEET).round().astype(int)
    rows = [np.concatenate([small(images[i]) for i in chosen], axis=1) for images in (drivers, outputs)]
    return np.concatenate([small(source, 256), np.concatenate(rows, axis=0)], axis=1)
