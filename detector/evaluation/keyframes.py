"""Where a few keyframes of a video say as much as all its sampled frames: the rule of `sfumato scan --quick`.

In: videos, real and fake, and a detector. Out: what it says of each by both, and a `KeyframeRule`. A keyframe needs no
other frame to be decoded, so a few of them cost a fraction. The bounds are those of conformal risk control
(Angelopoulos et al. 2022): of n videos at most risk * (n + 1) - 1 may lie on the wrong side, of reals and of fakes
alike; a new video drawn like either then does with a probability of at most `risk`.
"""

from __future__ import annotations

import hashlib
import math
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from detector.datasets.sample import Sample
from detector.evaluation.journal import VideoJournal
from detector.inference.prediction import Prediction
from detector.inference.thresholds import KeyframeRule, Thresholds
from detector.inference.video_detector import VideoDetector
from sfumato.errors import MediaError, UsageError
from sfumato.execution.find_files import is_picture
from sfumato.media.video import VideoReader
from sfumato.media.video.survey import count_keyframes
from sfumato.media.x264 import x264_options

Video = TypeVar("Video")

FRAMES = 4  # keyframes that are looked at: of one or two, a portrait at rest passes for its model
RISK = 0.02  # of each side of each threshold
_CRF = 23  # of the copies of videos with too few keyframes: x264's own, as a careful upload
_FEWEST = 2 * FRAMES  # frames of a video that is worth a copy
_TICKS = 90_000  # a second
_BT601 = 6  # SMPTE 170M in H.264's table: what the conversion from RGB uses
Advance = Callable[[float], None]


@dataclass(frozen=True)
class Twice:
    """One video by all its sampled frames and by keyframes alone. logit, quick: the calibrated logits; band: of the
    former, by the rate that flags; quick_band: of the latter; outside: the keyframes lie outside of the calibration;
    seconds, quick_seconds: of the processor. Logits are None where the detector abstained.
    """

    label: str
    person: str
    digest: str
    logit: float | None
    quick: float | None
    band: Mapping[str, int]
    quick_band: Mapping[str, int]
    outside: bool
    seconds: float
    quick_seconds: float

    def decided(self, thresholds: Thresholds) -> bool:
        """Whether a quick scan ends with the keyframes."""
        rule = thresholds.keyframes
        return rule is not None and not self.outside and rule.decides(self.quick, thresholds.logits)


def judge_twice(
    samples: Sequence[Sample], detector: VideoDetector, journal: Path | None = None,
    advance: Advance = lambda amount: None,
) -> Iterator[tuple[Sample, Twice]]:  # fmt: skip
    """Every video among the samples that has frames enough, once by content; a video with fewer than FRAMES keyframes
    as a copy that has more. What cannot be read is left out. `advance` gets 1 a sample.
    """
    options = {"frames": detector.bundle.frames(), "keyframes": FRAMES, "crf": _CRF}
    seen, warm = set[str](), False
    with closing(VideoJournal(journal, detector.bundle.judging, options)) as known:
        for sample in samples:
            advance(1)
            content = "" if is_picture(sample.path) or sample.path.is_dir() else known.content(sample)
            if not content or content in seen:
                continue
            seen.add(content)
            facts = known.find(sample)
            if facts is None:
                try:
                    if not warm:  # the first of a process takes longer
                        detector.predict(sample.path)
                    warm, facts = True, _judged(sample.path, detector)
                except MediaError:
                    continue
                known.add(sample, facts)
            if facts:
                yield sample, _read(sample, content, facts, journal)


def fit_rule(videos: Sequence[Twice], thresholds: Thresholds, risk: float = RISK) -> KeyframeRule:
    """The widest bounds that keep to the risk, of one video a person and label. Raises UsageError for a risk that so
    many reals, or so many fakes, cannot carry.
    """
    drawn = one_video_a_person([video for video in videos if video.logit is not None and video.quick is not None])
    groups = {label: [video for video in drawn if video.label == label] for label in ("real", "fake")}
    allowed = {label: math.floor(risk * (len(group) + 1) - 1 + 1e-9) for label, group in groups.items()}
    needed = math.ceil(1 / risk - 1e-9) - 1
    if any(count < 0 for count in allowed.values()):
        raise UsageError(
            f"{len(groups['real'])} reals and {len(groups['fake'])} fakes cannot carry a risk of {risk:g}: videos with "
            "a usable face, one a person, count",
            f"It takes {needed} people of each.",
        )
    bounds = {}
    for rate, threshold in thresholds.logits.items():
        lows, highs = [threshold], [threshold]
        for label, group in groups.items():
            above = sorted(v.quick for v in group if v.quick is not None and _logit(v) > threshold)
            below = sorted((v.quick for v in group if v.quick is not None and _logit(v) <= threshold), reverse=True)
            lows += above[allowed[label] : allowed[label] + 1]
            highs += below[allowed[label] : allowed[label] + 1]
        bounds[rate] = (min(lows), max(highs))
    return KeyframeRule(FRAMES, bounds, risk, {label: len(group) for label, group in groups.items()})


def one_video_a_person(videos: Sequence[Twice]) -> list[Twice]:
    """Of each person and label the video whose content hashes lowest: a draw that looks at no score."""
    people = drawn(videos, lambda video: (video.label, video.person), lambda video: video.digest)
    return [people[key] for key in sorted(people)]


def drawn(
    videos: Iterable[Video], person: Callable[[Video], tuple[str, str]], digest: Callable[[Video], str]
) -> dict[tuple[str, str], Video]:
    """Of each `person` (with the label) the one whose `digest` hashes lowest."""
    people: dict[tuple[str, str], Video] = {}
    for video in sorted(videos, key=lambda video: hashlib.sha256(digest(video).encode()).hexdigest()):
        people.setdefault(person(video), video)
    return people


def with_rule(record: Mapping[str, Any], rule: KeyframeRule) -> dict[str, Any]:
    """detector.json with the rule."""
    return {**record, "video_calibration": {**record["video_calibration"], "keyframes": rule.as_json()}}


def _logit(video: Twice) -> float:
    return -math.inf if video.logit is None else video.logit


def _judged(path: Path, detector: VideoDetector) -> dict[str, Any]:
    """Empty for a video of too few frames. Raises MediaError for one that cannot be read."""
    with _with_keyframes(path) as (place, keyframes):
        if keyframes < FRAMES:
            return {}
        start = time.process_time()
        whole = detector.predict(place)
        middle = time.process_time()
        quick = detector.predict(place, FRAMES, keyframes=count_keyframes(place))
        end = time.process_time()
    return {
        "logit": whole.logit, "quick": quick.logit, "band": _bands(whole), "quick_band": _bands(quick),
        "outside": bool(quick.outside), "seconds": middle - start, "quick_seconds": end - middle,
    }  # fmt: skip


def _bands(prediction: Prediction) -> dict[str, int]:
    return {f"{rate:g}": int(prediction.band(rate)) for rate in prediction.threshold.logits}


def _read(sample: Sample, content: str, facts: Mapping[str, Any], journal: Path | None) -> Twice:
    try:
        return Twice(sample.label, sample.identity, content, **facts)
    except TypeError as error:
        raise MediaError(f"The journal's entry of {sample.path} is damaged", f"Remove {journal}.") from error


@contextmanager
def _with_keyframes(path: Path) -> Iterator[tuple[Path, int]]:
    """The video, or a copy of it that has more than FRAMES keyframes, and how many it has."""
    found = count_keyframes(path)
    if found >= FRAMES:
        yield path, found
        return
    with tempfile.TemporaryDirectory(prefix="sfumato-keyframes-") as folder, VideoReader(path) as video:
        frames = video.count_frames()
        if frames < _FEWEST:
            yield path, 0
            return
        copy = Path(folder) / "copy.mp4"
        _encode(video, copy, frames // (FRAMES + 1))
        yield copy, count_keyframes(copy)


def _encode(video: VideoReader, copy: Path, interval: int) -> None:
    """H.264 with a keyframe every `interval` frames, and no other."""
    import av

    settings = x264_options(crf=str(_CRF), preset="veryfast", g=str(interval), sc_threshold="0", threads="1")
    with av.open(str(copy), "w") as container:
        stream: Any = None
        for frame in video:
            height, width = (side // 2 * 2 for side in frame.image.shape[:2])
            if stream is None:
                rate = Fraction(video.info.rate).limit_denominator(1001)
                stream = container.add_stream("libx264", rate=rate, options=settings)
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
                stream.codec_context.colorspace = _BT601
                stream.codec_context.time_base = Fraction(1, _TICKS)
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame.image[:height, :width]), format="rgb24")
            picture.pts, picture.time_base = max(round(frame.time * _TICKS), frame.index), Fraction(1, _TICKS)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
