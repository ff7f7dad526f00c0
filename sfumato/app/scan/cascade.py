"""The stages of a scan, the cheap ones first, and where a quick scan ends.

In: a file, what its credential says, a detector. Out: a `Looked`: what detector and watermark say, and the `Stages`
that told: which ran, what each cost, which decided. A quick scan ends where a credential declares AI (whatever a
detector says, the verdict is then that), where a watermark leads to a manifest that does, or where a few keyframes lie
clearly below all thresholds or above all (`detector.inference.thresholds.KeyframeRule`). All else is looked at as a
full scan does. The few keyframes show a watermark as well as all sampled frames do: it stands still.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from detector.inference.frames import has_motion
from detector.inference.prediction import Prediction, Reason
from detector.inference.thresholds import KeyframeRule
from detector.inference.video_detector import VideoDetector
from provenance.verifying.verification import Verification
from sfumato.app.scan.mark import MarkFacts, MarkWatch
from sfumato.app.scan.verdict import DECLARED, combine
from sfumato.errors import MediaError, UsageError

STAGES = ("credential", "watermark", "keyframes", "full")  # in their order
_DECLARES = "Its own credential declares AI, which decides: its frames were not looked at (--quick)."
_LEADS = "Its watermark leads to a manifest that declares AI, which decides: the detector was not asked (--quick)."


@dataclass(frozen=True)
class Stages:
    """seconds: {stage: what it took}, of STAGES, those that ran; decided: the one that decided; quick: whether the scan
    might have ended before the last.
    """

    seconds: Mapping[str, float]
    decided: str = STAGES[-1]
    quick: bool = False

    @property
    def not_run(self) -> tuple[str, ...]:
        """What the one that decided spared."""
        return STAGES[STAGES.index(self.decided) + 1 :]

    def without_time(self) -> Stages:
        """Of a copy of a judged file."""
        return replace(self, seconds=dict.fromkeys(self.seconds, 0.0))

    def as_json(self) -> dict[str, Any]:
        """Seconds rounded to 4 digits."""
        told = {name: round(seconds, 4) for name, seconds in self.seconds.items()}
        return {"quick": self.quick, "decided": self.decided, "seconds": told, "not_run": list(self.not_run)}


@dataclass(frozen=True)
class Looked:
    """What was found in a file. The seconds of `stages` are those of looking, without the credential's."""

    prediction: Prediction
    mark: MarkFacts | None
    stages: Stages


Look = Callable[[], tuple[Prediction, MarkFacts | None]]


def looked_fully(look: Look) -> Looked:
    """All frames that are sampled, and the watermark in them."""
    prediction, mark = look()
    return Looked(prediction, mark, Stages(_seconds(prediction, mark, "full")))


class QuickScan:
    """The stages of any number of files with one detector."""

    def __init__(
        self, detector: VideoDetector, frames: int, fpr: float, repository: str | Path | None, trust: Sequence[bytes]
    ) -> None:
        """frames: of a video, for those that need a full look. The rest as in `Scanner`.

        Raises UsageError for a detector without a rule for keyframes, or one that was set with other frames.
        """
        thresholds = detector.bundle.video_thresholds
        if thresholds.keyframes is None:
            raise UsageError(
                "The detector does not say where the keyframes of a video decide",
                "Scan without --quick, or set that: sfumato calibrate-keyframes CLIPS.jsonl.",
            )
        if frames != thresholds.frames:
            raise UsageError(
                f"A quick scan agrees with one of {thresholds.frames} frames a video, not of {frames}",
                "Leave out --frames, or --quick.",
            )
        self.detector, self.fpr, self.repository, self.trust = detector, fpr, repository, trust
        self.rule: KeyframeRule = thresholds.keyframes

    def declared(self, path: Path, verification: Verification) -> Looked | None:
        """The first stage: what stands where the file's credential decides, None where it leaves that open."""
        prediction = self.detector.not_judged(path, Reason("not_judged", _DECLARES))
        if combine(verification, prediction, self.fpr).name not in DECLARED:
            return None
        return Looked(prediction, None, Stages({}, STAGES[0], True))

    def look(self, path: Path, verification: Verification, whole: Look) -> Looked:
        """The stages after it. whole: a full look."""
        start = time.perf_counter()
        found = self._keyframes(path, verification)
        if found is not None and found.stages.decided != STAGES[-1]:
            return found
        spent = time.perf_counter() - start - (found.stages.seconds["watermark"] if found is not None else 0.0)
        prediction, mark = whole()
        seconds = _seconds(prediction, mark, "full")
        if found is not None:
            marks = found.stages.seconds["watermark"] + seconds.get("watermark", 0.0)
            seconds = {"watermark": marks, "keyframes": spent, "full": seconds["full"]}
        return Looked(prediction, mark, Stages(seconds, STAGES[-1], True))

    def _keyframes(self, path: Path, verification: Verification) -> Looked | None:
        """The second and the third stage; None for what has too few keyframes, or cannot be read."""
        if not has_motion(path):
            return None
        start = time.perf_counter()
        keyframes = _keyframes_of(path)
        if keyframes < self.rule.frames:
            return None
        watch, counted = MarkWatch(self.rule.frames), time.perf_counter() - start
        prediction = self.detector.predict(path, self.rule.frames, shown=watch.show, keyframes=keyframes)
        mark = watch.found(path, self.repository, self.trust)
        seconds = _seconds(prediction, mark, "keyframes")
        seconds = {"watermark": 0.0, **seconds, "keyframes": seconds["keyframes"] + counted}
        if mark is not None and combine(verification, prediction, self.fpr, mark).name == "synthetic-recovered":
            unseen = replace(self.detector.not_judged(path, Reason("not_judged", _LEADS)), media=prediction.media)
            return Looked(unseen, mark, Stages(seconds, STAGES[1], True))
        clear = self.rule.decides(prediction.logit, prediction.threshold.logits) and not prediction.outside
        if not clear or mark is None:
            return Looked(prediction, mark, Stages(seconds, STAGES[-1], True))
        return Looked(self._told(prediction), mark, Stages(seconds, STAGES[2], True))

    def _told(self, prediction: Prediction) -> Prediction:
        """With a note of how it was decided."""
        n = self.rule.n
        note = (
            f"Decided by {prediction.frames.sampled} keyframes: their score is so far from every threshold that one of "
            f"all {self.detector.bundle.frames()} sampled frames would lie on the other side for at most "
            f"{self.rule.risk:.1%} of videos like those it was set on ({n.get('real', 0)} reals, {n.get('fake', 0)} "
            "fakes). Scan without --quick for that."
        )
        return replace(prediction, notes=(*prediction.notes, note))


def _keyframes_of(path: Path) -> int:
    """0 for what cannot be read: a full look says why."""
    from sfumato.media.video.survey import count_keyframes

    try:
        return count_keyframes(path)
    except MediaError:
        return 0


def _seconds(prediction: Prediction, mark: MarkFacts | None, stage: str) -> dict[str, float]:
    marks = {} if mark is None else {"watermark": mark.seconds}
    return {**marks, stage: 0.0 if prediction.timing is None else prediction.timing.total}
