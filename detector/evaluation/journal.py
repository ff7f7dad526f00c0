"""Scoring a set of videos, once: samples, a detector in, `Scored` out, with a journal that a stopped run goes on from.

An entry is what came of one content under one detector and one number of frames. A video whose file has changed is
scored anew, and so is every video by another detector; one that was moved, copied or touched is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from detector.datasets.sample import Sample, content_digest
from detector.evaluation.protocol import Scored
from detector.inference.frames import frames_in
from detector.inference.prediction import Prediction
from detector.inference.video_detector import VideoDetector
from sfumato.errors import MediaError
from sfumato.execution.journal import Journal

Facts = dict[str, Any]


class VideoJournal:
    """Facts about videos by what is in them, kept as `sfumato.execution.journal` keeps them. Without a path nothing is
    kept and nothing is read. digests: what is known of the contents already, by path; it is added to.
    """

    def __init__(self, path: Path | None, model: str, options: Any, digests: dict[Path, str] | None = None) -> None:
        """Raises OutputError if the file is not a journal, or cannot be opened."""
        self._journal = Journal(path, model, options) if path is not None else None
        self._digests = digests if digests is not None else {}

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()

    def find(self, sample: Sample) -> Facts | None:
        """What is kept of the sample's content; None without."""
        if self._journal is None or not (content := self.content(sample)):
            return None
        return self._journal.find(content)

    def add(self, sample: Sample, facts: Facts) -> None:
        """Keeps `facts`, but not of what cannot be read: that may be put right. Raises OutputError if it cannot be
        written.
        """
        if self._journal is not None and (content := self.content(sample)):
            self._journal.add(content, facts)

    def content(self, sample: Sample) -> str:
        """The digest of the file or the folder of frames as it is now, computed once; "" if it cannot be read."""
        if sample.path not in self._digests:
            try:
                self._digests[sample.path] = content_digest(sample.path)
            except (MediaError, OSError):
                self._digests[sample.path] = ""
        return self._digests[sample.path]


def score(
    samples: Sequence[Sample],
    detector: VideoDetector,
    frames: int,
    journal: Path | None = None,
    advance: Callable[[float], None] = lambda amount: None,
) -> Iterator[Scored]:
    """Judges every sample that the journal does not hold yet. `advance` gets 1 a video. A file that cannot be read has
    status "error".
    """
    with closing(VideoJournal(journal, detector.bundle.judging, frames)) as known:
        for sample in samples:
            facts = known.find(sample)
            if facts is None:
                facts = as_facts(detector.predict(sample.path, frames), sample.path)
                known.add(sample, facts)
            yield from_facts(sample, facts)
            advance(1)


def as_facts(prediction: Prediction, path: Path) -> Facts:
    """What is kept of a prediction: scores by track, and what the shortcut audit looks at."""
    logits, found = prediction.threshold.logits, prediction.logit
    exceeded = prediction.threshold.exceeded(found) if found is not None else ()
    return {
        "status": prediction.status,
        "reason": "; ".join(reason.code for reason in prediction.reasons),
        "tracks": [[[frame.time, frame.score] for frame in track.frames] for track in prediction.tracks],
        "faceless": max(0, prediction.frames.sampled - prediction.frames.with_face),
        "flagged": {f"{rate:g}": rate in exceeded for rate in logits},
        "media": (prediction.media.as_json() if prediction.media else {}) | {"size": _bytes(path)},
        "sharpness": prediction.sharpness,
    }


def from_facts(sample: Sample, facts: Facts) -> Scored:
    """Raises MediaError for a journal of another program."""
    try:
        tracks = tuple(tuple((float(time), float(value)) for time, value in track) for track in facts["tracks"])
        return Scored(
            sample, facts["status"], tracks, int(facts["faceless"]), facts["reason"], dict(facts["flagged"]),
            dict(facts["media"]),
            facts["sharpness"],
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise MediaError(f"The journal's entry of {sample.path} is damaged: {error}", "Remove the journal.") from error


def _bytes(path: Path) -> int | None:
    try:
        return sum(frame.stat().st_size for frame in frames_in(path)) if path.is_dir() else path.stat().st_size
    except OSError:
        return None
