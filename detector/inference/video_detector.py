"""The detector on a file: frames to faces to tracks to one calibrated score, or an abstention with its reason.

In: a video or a still picture. Out: a `Prediction`. A file's logit is the largest over its face tracks of the
mean over the track's highest third of frames, so that one forged person among many counts, and one odd frame does not.
ONNX Runtime, OpenCV and PyAV only: torch is never imported here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from detector.inference.bundle import ShippedDetector, load_shipped
from detector.inference.crops import judged_crop
from detector.inference.explain import Explanation, explain
from detector.inference.frames import SampledFrames, has_motion
from detector.inference.fusion import pooled, probability
from detector.inference.prediction import (
    FrameCounts,
    ModelFacts,
    Moment,
    Prediction,
    Reason,
    Status,
    Timing,
    TrackFrame,
    TrackScore,
)
from detector.inference.quality_norm import qualities, quantities, sharpness
from detector.inference.thresholds import Thresholds
from detector.motion.features import motion_features
from detector.motion.watch import MotionWatch, Track
from sfumato.errors import MediaError
from sfumato.execution.find_files import is_picture
from sfumato.media.faces import Box, Crop, Face, FaceDetector, FaceTracker
from sfumato.media.landmarks import LandmarkBackend, load_backend
from sfumato.media.video import Frame

MIN_FACE = 48.0  # px, the longer side of the box: smaller faces have lost what the net looks for
MIN_FRAMES = 3  # of a video; shorter ones are stills in disguise, whose one frame may be anything
MAX_FACES = 8  # a frame; the largest ones
EXPLAINED = 3  # frames that an explanation shows: the highest of the track that decides
_SHORT_TRACK = (
    0.1  # of the longest track: shorter ones are counted only if there is no other (a false detection is short)
)


class VideoDetector:
    """Loads the detector once, judges any number of files. Not thread-safe: give each thread its own."""

    def __init__(self, model_path: Path | None = None, threads: int = 1, backend: str | None = None) -> None:
        """model_path: a folder with detector.json and its network; None: the one that ships. backend: as in
        `load_shipped`.

        Raises UsageError, MissingPartError, CheckpointError.
        """
        self.bundle: ShippedDetector = load_shipped(model_path, threads, backend)
        self._faces = FaceDetector()
        self._landmarks: LandmarkBackend | None = None  # loaded for the first explanation, or the first motion

    def predict(
        self,
        path: Path,
        frames: int | None = None,
        advance: Callable[[float], None] = lambda amount: None,
        explained: bool = False,
        shown: Callable[[Frame], None] | None = None,
        keyframes: int = 0,
    ) -> Prediction:
        """Judges `frames` evenly spaced frames of a video, or a still picture; None: as many as the thresholds of
        videos were set with (`ShippedDetector.frames`). `advance` gets 1 a sampled frame. `explained`: with an
        explanation of the score. `shown` gets each sampled frame, in order; its time is not the detector's.
        `keyframes`: how many the video has, to look at `frames` of those alone; no motion is then seen.

        Never raises for what is in the file: an unreadable one has status "error" and the reason. Raises
        CheckpointError if an explanation is asked for and the detector has no maps.
        """
        if explained:
            self.bundle.scorer.require_maps()
        clock = _Clock()
        watch = None
        if self.bundle.motion is not None and has_motion(Path(path)) and not keyframes:
            watch = _TimedWatch(MotionWatch(self._mesh()), clock)
        source = SampledFrames(Path(path), self.bundle.frames(frames), watch, keyframes)
        try:
            sightings, largest = self._look(source, clock, advance, watch, shown)
        except MediaError as error:
            return self._without_score("error", Reason("unreadable", str(error)), source, clock, 0)
        if not source.still and source.decoded < MIN_FRAMES:
            reason = Reason("too_short", f"{source.decoded} frames; at least {MIN_FRAMES} are needed.")
            return self._without_score("abstain", reason, source, clock, len(sightings))
        if largest == 0:
            where = "the picture" if source.still else f"{source.sampled} frames"
            return self._without_score("abstain", Reason("no_face", f"No face in {where}."), source, clock, 0)
        if not sightings:
            reason = Reason(
                "face_too_small", f"The largest face is {largest:.0f} px; at least {MIN_FACE:.0f} are needed."
            )
            return self._without_score("abstain", reason, source, clock, 0)
        return self._score(sightings, source, clock, explained, watch.track() if watch else None)

    def not_judged(self, path: Path, reason: Reason) -> Prediction:
        """Of a file that nobody looked at: an abstention, with what a scan would have held it to."""
        thresholds = self.bundle.thresholds if is_picture(path) else self.bundle.video_thresholds
        return Prediction("abstain", (reason,), threshold=thresholds, model=self._model())

    def _look(
        self, source: SampledFrames, clock: _Clock, advance: Callable[[float], None], watch: _TimedWatch | None,
        shown: Callable[[Frame], None] | None,
    ) -> tuple[list[_Sighting], float]:  # fmt: skip
        """Every usable face of every sampled frame, and the size of the largest face seen at all. The watch is told of
        the largest of each frame.
        """
        tracker = FaceTracker(smoothing=0.0, patience=4)  # a patience of sampled frames, an eighth of the file
        sightings: list[_Sighting] = []
        largest = 0.0
        frames = iter(source)
        position = 0
        while True:
            with clock("decode"):
                frame = next(frames, None)  # and what is followed on the way, which the clock tells apart
            if frame is None:
                return sightings, largest
            if shown is not None:
                with clock.stopped():
                    shown(frame)
            with clock("detect"):
                faces = source.faces(frame, self._faces)[:MAX_FACES]
                largest = max([largest, *(face.size for face in faces)])
                people = tracker.update(position, [face for face in faces if face.size >= MIN_FACE])
                for track, face in people.items():
                    crop = judged_crop(face.box, frame.image)
                    picture = crop.apply(frame.image, self.bundle.size)
                    within = _box_within(crop, face.box, self.bundle.size)
                    sightings.append(_Sighting(track, frame.time, face.box, picture, within, crop.side))
                if watch is not None and people:
                    largest_one = max(people, key=lambda track: _area(people[track]))
                    watch.found(frame, people[largest_one], largest_one)
            position += 1
            advance(1)

    def _score(
        self, sightings: list[_Sighting], source: SampledFrames, clock: _Clock, explained: bool, followed: Track | None
    ) -> Prediction:
        with clock("classify"):
            evidence = self.bundle.scorer([s.crop for s in sightings])
        places: dict[int, list[int]] = {}
        for place, sighting in enumerate(sightings):
            places.setdefault(sighting.track, []).append(place)
        video = not source.still
        motion = self._motion(followed)
        scored = [
            self._track(identifier, [sightings[i] for i in own], evidence[own], video, motion.get(identifier))
            for identifier, own in places.items()
        ]
        longest = max(len(track.frames) for track in scored)
        counted = [track for track in scored if len(track.frames) >= _SHORT_TRACK * longest]
        best = max(track.logit for track in counted)
        counted.sort(key=lambda track: -track.logit)
        with clock("explain"):
            explanation = self._explain(counted[0], sightings, places[counted[0].identifier]) if explained else None
        highest: dict[float, float] = {}
        for frame in (frame for track in counted for frame in track.frames):
            highest[frame.time] = max(frame.score, highest.get(frame.time, 0.0))
        return Prediction(
            "ok",
            score=_squash(best),
            logit=best,
            threshold=self._thresholds(source),
            timeline=tuple(Moment(time, score) for time, score in sorted(highest.items())),
            tracks=tuple(counted),
            media=source.media,
            frames=FrameCounts(source.sampled, len({s.time for s in sightings})),
            model=self._model(),
            timing=clock.timing(),
            sharpness=median(sharpness(s.crop) for s in sightings),
            explanation=explanation,
            notes=tuple(source.notes),
        )

    def _mesh(self) -> LandmarkBackend:
        self._landmarks = self._landmarks or load_backend("mesh")
        return self._landmarks

    def _motion(self, followed: Track | None) -> dict[int, float]:
        """{track: the logit of how its face moves}, of the face that was followed, where enough of it was seen."""
        measures = None if followed is None else motion_features(followed.points, followed.times)
        if followed is None or measures is None or self.bundle.motion is None:
            return {}
        return {followed.person: float(self.bundle.motion.logit(measures))}

    def _track(
        self, identifier: int, sightings: Sequence[_Sighting], evidence: NDArray[np.float64], video: bool,
        motion: float | None,
    ) -> TrackScore:  # fmt: skip
        """evidence: (frames, N) of the net's heads; motion: the logit of how the face moves, if that was seen. What a
        logit is worth follows from the quality of the track's crops, one for all of them.
        """
        quality = np.mean([qualities(s.crop, s.pixels, video) for s in sightings], axis=0)
        stack = self.bundle.stack.at(quality)
        frames = tuple(
            TrackFrame(
                sighting.time, sighting.box, _squash(logit), float(logit), float(blend), float(synthesis), tuple(layers)
            )
            for sighting, logit, (blend, synthesis, *layers) in zip(
                sightings, stack.logit(_with_motion(evidence, motion)), evidence.tolist(), strict=True
            )
        )
        logit = pooled([frame.logit for frame in frames])
        seen = quantities(quality, self.bundle.size)
        return TrackScore(identifier, _squash(logit), logit, frames, stack, seen, motion)

    def _explain(self, track: TrackScore, sightings: Sequence[_Sighting], own: Sequence[int]) -> Explanation:
        """own: places of the track's sightings, in the order of its frames. Of the highest few frames; finding
        landmarks costs more than judging.
        """
        order = np.argsort([-frame.logit for frame in track.frames], kind="stable")[:EXPLAINED]
        mesh = self._mesh()
        shown, scorer = [sightings[own[i]] for i in order], self.bundle.scorer
        crops = [s.crop for s in shown]
        points = [mesh.detect(s.crop, s.within) for s in shown]
        evidence = _with_motion(scorer(crops), track.motion)
        return explain(track.stack, [s.time for s in shown], crops, evidence, scorer.maps(crops), points)

    def _without_score(
        self, status: Status, reason: Reason, source: SampledFrames, clock: _Clock, faces: int
    ) -> Prediction:
        return Prediction(
            status,
            (reason,),
            threshold=self._thresholds(source),
            media=source.media,
            frames=FrameCounts(source.sampled, faces),
            model=self._model(),
            timing=clock.timing(),
            notes=tuple(source.notes),
        )

    def _thresholds(self, source: SampledFrames) -> Thresholds:
        return self.bundle.thresholds if source.still else self.bundle.video_thresholds

    def _model(self) -> ModelFacts:
        record = self.bundle.record
        return ModelFacts(record.get("name"), record.get("version"), self.bundle.digest, self.bundle.scorer.name)


@dataclass(frozen=True)
class _Sighting:
    track: int
    time: float
    box: Box
    crop: NDArray[np.uint8]  # (S, S, 3)
    within: Box  # the box in the crop's pixels
    pixels: float  # of the frame, across the crop


class _TimedWatch:
    """A watch whose looks between the sampled frames do not count as reading."""

    def __init__(self, watch: MotionWatch, clock: _Clock) -> None:
        self._watch, self._clock = watch, clock
        self.wants, self.found, self.track = watch.wants, watch.found, watch.track

    def show(self, frame: Frame) -> None:
        start = time.perf_counter()
        self._watch.show(frame)
        self._clock.move(time.perf_counter() - start, "decode", "detect")


class _Clock:
    """Seconds by stage, and in all."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._stages = dict.fromkeys(("decode", "detect", "classify", "explain"), 0.0)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self._stages[stage] += time.perf_counter() - start

    def move(self, seconds: float, first: str, second: str) -> None:
        """Counts seconds as the second stage that were, or will be, counted as the first."""
        self._stages[first] -= seconds
        self._stages[second] += seconds

    @contextmanager
    def stopped(self) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self._start += time.perf_counter() - start

    def timing(self) -> Timing:
        return Timing(**self._stages, total=time.perf_counter() - self._start)


def _box_within(crop: Crop, box: Box, size: int) -> Box:
    x, y, width, height = box
    (left, top), (right, bottom) = crop.to_crop(np.array([[x, y], [x + width, y + height]]), size).tolist()
    return left, top, right - left, bottom - top


def _area(face: Face) -> float:
    return face.box[2] * face.box[3]


def _with_motion(evidence: NDArray[np.float64], motion: float | None) -> NDArray[np.float64]:
    """(frames, N) of the net's heads to (frames, N + 1) with what is the same for all of them, if it is known."""
    return evidence if motion is None else np.column_stack([evidence, np.full(len(evidence), motion)])


def _squash(logit: float) -> float:
    return float(probability(logit))
