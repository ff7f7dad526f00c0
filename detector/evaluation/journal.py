"""Scoring a set of videos, once: samples, a detector in, `Scored` out, with a journal that a stopped run goes on from.

The journal is a JSON-lines file; a line is a video under one detector and one number of frames. A video whose file has
changed, or another detector, is scored anew. A line that a crash cut off is ignored.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from detector.datasets.sample import Sample
from detector.evaluation.protocol import Scored
from detector.inference.frames import frames_in
from detector.inference.prediction import Prediction
from detector.inference.video_detector import VideoDetector
from sfumato.errors import MediaError, OutputError

Facts = dict[str, Any]


class Journal:
    """What was scored before, by the state of the file, the detector and the number of frames. Without a path nothing
    is kept.
    """

    def __init__(self, path: Path | None, detector: str, frames: int) -> None:
        """Raises OutputError if the journal cannot be read."""
        self.path, self._settings, self._known = path, [detector, frames], dict[str, Facts]()
        self._torn = False
        if path is None or not path.exists():
            return
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                for line in file:
                    self._remember(line)
                    self._torn = not line.endswith("\n")
        except OSError as error:
            raise OutputError(f"Cannot read the journal {path}: {error.strerror}", "Choose another --out.") from error

    def _remember(self, line: str) -> None:
        try:
            entry = json.loads(line)
            self._known[entry["key"]] = entry["facts"]
        except (ValueError, KeyError, TypeError):
            pass  # cut off by a crash: that video is scored again

    def find(self, sample: Sample) -> Facts | None:
        return self._known.get(self._key(sample))

    def add(self, sample: Sample, facts: Facts) -> None:
        """Raises OutputError when the line cannot be written."""
        if self.path is None:
            return
        line = json.dumps({"key": self._key(sample), "facts": facts})
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(("\n" if self._torn else "") + line + "\n")
            self._torn = False
        except OSError as error:
            raise OutputError(
                f"Cannot write the journal {self.path}: {error.strerror}", "Choose a folder you may write to."
            ) from error

    def _key(self, sample: Sample) -> str:
        try:
            state = sample.path.stat()
            facts = [str(sample.path), state.st_size, state.st_mtime_ns]
        except OSError:
            facts = [str(sample.path), None, None]
        return json.dumps([*self._settings, *facts])


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
    book = Journal(journal, detector.bundle.judging, frames)
    for sample in samples:
        facts = book.find(sample)
        if facts is None:
            facts = as_facts(detector.predict(sample.path, frames), sample.path)
            book.add(sample, facts)
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
