"""One portrait driven by one video, frame for frame: what comes out, as numbers. Whoever is driven, and by whom, both
are looked at in the same way: their faces are read by the same readers in crops of one size.

In: a portrait, the driving video as `read_driver` reads it, and an Animator that knows the portrait. Out: figures by
name (docs/evaluation.md has the list), and the outputs at a few moments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.generator.painted import paint_figures
from benchmarks.metrics.figures import following_figures
from benchmarks.metrics.lip_region import lips_open, teeth_show
from benchmarks.metrics.readers import Readers
from benchmarks.metrics.steadiness import Background, Flicker
from generator.motion.following import follow_face
from generator.motion.head import RIGID
from generator.motion.retarget import Retargeter
from generator.motion.track import Landmarks, Motion, track_video
from generator.person.portrait import Portrait, with_depth
from generator.rendering.animator import Animator
from sfumato.errors import MediaError
from sfumato.media.faces import Box, Crop, Face, crop_around, face_box
from sfumato.media.identity import embed_image, similarity
from sfumato.media.landmarks import LandmarkBackend
from sfumato.media.video import Frame, VideoReader

SHAPE = list(range(36))  # contour, brows, nose: what expressions move least
_EYES = (slice(36, 42), slice(42, 48))
_CALM = 0.5  # share of the moments, those nearest to the neutral pose, that count for shape
_PAINTED = 12  # open mouths of a pair, spread over it, of which the paint is looked at
_LEAST_FLICKER = 0.05  # levels: a video that is stiller than that has no flicker to be compared with
_ASIDE, _LARGER = 0.1, 1.15  # of the crop's side, and times its size: a face further off gets another crop
Picture = NDArray[np.uint8]


@dataclass
class Driver:
    """A video, up to so many seconds: its motion, and of every frame that shows the face what readers see in it.

    frames: which of the motion's they are; shapes: by reader (F, 68, 2) px of the crop; teeth: whether they show.
    moments: places in `frames` at which there are pictures and identities; calm: whether the head is then as in the
    neutral frame. neutral: the frame that stands for the person at rest, with its picture as a portrait.
    """

    name: str
    motion: Motion
    frames: list[int] = field(default_factory=list)
    readings: list[dict[str, Landmarks]] = field(default_factory=list)
    teeth: list[bool] = field(default_factory=list)
    moments: list[int] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    identities: list[NDArray[np.float32]] = field(default_factory=list)
    calm: list[bool] = field(default_factory=list)
    flicker: float | None = None
    neutral: Portrait | None = None

    @property
    def shapes(self) -> Mapping[str, NDArray[np.float32]]:
        return {name: np.stack([reading[name] for reading in self.readings]) for name in self.readings[0]}


@dataclass(frozen=True)
class Driven:
    """figures: those that can be measured; outputs: at the driver's moments; frames: how many were made."""

    figures: dict[str, float]
    outputs: list[Picture]
    frames: int


def read_driver(
    path: Path, landmarks: LandmarkBackend, readers: Readers, size: int, seconds: float, moments: int
) -> Driver:
    """Tracks the video, and reads its frames once more as crops of `size`. Raises MediaError for one without a face, or
    with too few frames.
    """
    motion = track_video(path, landmarks, seconds)
    driver, flicker, nearest = Driver(path.stem, motion), Flicker(), len(motion) + 1
    known = {round(float(time), 4): index for index, time in enumerate(motion.times)}
    chosen = {int(index) for index in np.linspace(0, len(motion) - 1, moments).round()}
    with VideoReader(path, max_side=960) as video:
        for time, box, picture in _cut(video, landmarks, size, seconds):
            index = known.get(round(time, 4))
            if index is None:
                continue
            reading = readers.read(picture, box)
            points = reading.shapes["mesh"]
            if driver.frames and index != driver.frames[-1] + 1:
                flicker.interrupt()
            flicker.add(picture, points)
            driver.frames.append(index)
            driver.readings.append(reading.shapes)
            driver.teeth.append(teeth_show(picture, points))
            if index in chosen:
                driver.moments.append(len(driver.frames) - 1)
                driver.pictures.append(picture)
                driver.identities.append(embed_image(picture, points))
            if abs(index - motion.neutral) < nearest:
                driver.neutral = with_depth(_as_portrait(picture, points), landmarks)
                nearest = abs(index - motion.neutral)
    if len(driver.moments) < 2:
        raise MediaError(f"{path.name} shows a face in too few frames")
    driver.flicker = flicker.value
    rest = motion.landmarks[motion.neutral]
    turned = [shape_error(motion.landmarks[driver.frames[place]], rest, RIGID) for place in driver.moments]
    limit = float(np.quantile(turned, _CALM))
    driver.calm = [value <= limit for value in turned]
    return driver


def drive(sitter: Portrait, driver: Driver, animator: Animator, readers: Readers, size: int) -> Driven:
    """Renders `sitter`, whom the animator has learned, at each frame of `driver`, as `sfumato animate` does by
    default.
    """
    own = _pixels(sitter.landmarks, size)
    likeness, retargeter = (
        embed_image(sitter.large, own),
        Retargeter(sitter.landmarks, driver.motion, depth=sitter.depth),
    )
    neutral = driver.motion.landmarks[driver.motion.neutral]
    faces = readers.read(sitter.large, face_box(own)).faces
    flicker, background = Flicker(), Background(own, size)
    readings, same, outputs = list[dict[str, Landmarks]](), list[bool](), list[Picture]()
    csims, shapes, poses = list[tuple[float, float]](), list[tuple[float, float]](), list[tuple[Landmarks, bool]]()
    moments = {place: number for number, place in enumerate(driver.moments)}
    for place, index in enumerate(driver.frames):
        pose = retargeter.frame(index)
        output = animator.render(pose, size, retargeter.gaze(driver.motion.pose(index)))
        reading = readers.read(output, face_box(_pixels(pose, size)))
        points = reading.shapes["mesh"]
        if place and index != driver.frames[place - 1] + 1:
            flicker.interrupt()
        flicker.add(output, points)
        background.add(output)
        readings.append(reading.shapes)
        same.append(reading.faces == faces)
        if lips_open(pose):
            poses.append((pose, driver.teeth[place]))
        if place in moments:
            seen = embed_image(output, points)
            csims.append((float(seen @ likeness), float(seen @ driver.identities[moments[place]])))
            outputs.append(output)
            if driver.calm[moments[place]]:
                shapes.append((shape_error(points, own, SHAPE), shape_error(points, neutral, SHAPE)))
    source, other = np.mean(csims, axis=0)
    shape_source, shape_driver = np.mean(shapes, axis=0)
    figures = {
        "csim_source": float(source), "csim_driver": float(other), "shape_source": float(shape_source),
        "shape_driver": float(shape_driver), "same_faces": float(np.mean(same)),
    }  # fmt: skip
    if flicker.value is not None and driver.flicker is not None and driver.flicker >= _LEAST_FLICKER:
        figures["flicker"] = flicker.value / driver.flicker
    if background.value is not None:
        figures["background"] = background.value
    made = {name: np.stack([reading[name] for reading in readings]) for name in readings[0]}
    figures |= following_figures(made, driver.shapes) | paint_figures(animator, _spread(poses))
    return Driven(figures, outputs, len(readings))


def shape_error(points: Landmarks, reference: Landmarks, which: list[int]) -> float:
    """Mean distance of the points `which` (68, 2 each) after the best similarity, over the reference's eye distance."""
    a, b = np.asarray(points, np.float64)[which], np.asarray(reference, np.float64)[which]
    matrix = similarity(a, b)
    moved = a @ matrix[:, :2].T + matrix[:, 2]
    eyes = np.linalg.norm(reference[_EYES[0]].mean(0) - reference[_EYES[1]].mean(0))
    return float(np.linalg.norm(moved - b, axis=1).mean() / max(float(eyes), 1e-9))


def _cut(
    video: VideoReader, landmarks: LandmarkBackend, size: int, seconds: float
) -> Iterator[tuple[float, Box, Picture]]:
    """Time, and crop of each frame that shows the face, and where it is in the crop. The square stays where it is while
    the face stays in it.
    """
    now: list[Frame] = []

    def remembered() -> Iterator[Frame]:
        for frame in video:
            now[:] = [frame]
            yield frame

    crop: Crop | None = None
    for time, seen in follow_face(remembered(), landmarks, seconds):
        if seen is None:
            continue
        wanted = crop_around(seen[0])
        if crop is None or _off(crop, wanted):
            crop = wanted
        yield time, face_box(crop.to_crop(seen[1], size)), crop.apply(now[0].image, size)


def _off(crop: Crop, wanted: Crop) -> bool:
    """Whether a face that wants the one square has left the other."""
    larger = wanted.side / crop.side
    aside = max(
        abs(wanted.left + wanted.side / 2 - crop.left - crop.side / 2),
        abs(wanted.top + wanted.side / 2 - crop.top - crop.side / 2),
    )
    return aside > _ASIDE * crop.side or not 1 / _LARGER < larger < _LARGER


def _as_portrait(picture: Picture, points: Landmarks) -> Portrait:
    """A crop of a video as a portrait. points: (68, 2) px in it."""
    size = picture.shape[0]
    face = Face(face_box(points), 1.0, points[[36, 45, 30, 48, 54]])
    return Portrait(Crop(0.0, 0.0, float(size)), face, picture, np.asarray((2 * points + 1) / size - 1, np.float32))


def _pixels(landmarks: Landmarks, size: int) -> Landmarks:
    """From [-1, 1]."""
    return np.asarray(((landmarks + 1) * size - 1) / 2, np.float32)


def _spread(poses: list[tuple[Landmarks, bool]]) -> list[tuple[Landmarks, bool]]:
    """At most `_PAINTED` of them, evenly."""
    places = {int(place) for place in np.linspace(0, len(poses) - 1, min(_PAINTED, len(poses))).round()}
    return [poses[place] for place in sorted(places)]
