"""Thresholds on the user's own real footage: what is a false alarm there is known only there.

In: a detector, and videos and pictures that are known to be real. Out: the same detector with the thresholds those
carry, by the rule of detector/training/groups.py: they hold for every group, which is the collection of a clip, or of
one's own footage what its list calls it. Files are judged exactly as a scan judges them. People are what is drawn, not
clips: of each person one clip counts, drawn by its content (Dunn, Wasserman and Ramdas 2022, "subsampling once"), so
that n_real is a number of people. Pictures and videos have thresholds of their own; a kind that has too few reals keeps
those it had.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from detector.config import CalibrationConfig
from detector.datasets.sample import Sample, clips_samples
from detector.evaluation.journal import Facts, VideoJournal
from detector.inference.video_detector import VideoDetector
from detector.training.calibrate import calibration_json
from detector.training.groups import fewest_reals, group_of, grouped_thresholds
from detector.training.ranges import coverage_of, largest_face
from sfumato.errors import MediaError, UsageError
from sfumato.execution.find_files import Finder, find_media, is_picture
from sfumato.media.clips import GENERATED, TWIN, read_clips

SECTIONS = {"picture": "calibration", "video": "video_calibration"}  # of detector.json
OWN = "own"  # stands for the collection of footage that is of none
_FACTS = 2  # raised when what is kept of a judged file changes
Advance = Callable[[float], None]


@dataclass(frozen=True)
class Real:
    """One file that was judged. logit: None if the detector abstained, and `reason` says why. digest: of its
    content. group: of the reals that it is counted with; seen: {quantity: value}, and codec, of a video: what a
    calibration keeps the range of.
    """

    kind: str
    person: str
    digest: str
    logit: float | None
    reason: str = ""
    group: str = ""
    seen: Mapping[str, float] = field(default_factory=dict)
    codec: str | None = None


@dataclass
class Recalibration:
    """record: the new detector.json; n_real: people by kind; kept: why a kind has its old thresholds; abstained: files
    by reason.
    """

    record: dict[str, Any]
    n_real: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    abstained: Counter[str] = field(default_factory=Counter)


def find_reals(source: Path, finder: Finder | None = None) -> tuple[list[Sample], bool]:
    """The reals of a clips.jsonl, or all videos and pictures in and below a folder but what `sfumato fakes` made there;
    and whether it is known who is who. `finder` counts what is passed over.

    Raises MediaError for a damaged list, UsageError when there is nothing.
    """
    if not source.is_dir():
        nobodys = {row.path for row in read_clips(source) if row.dataset is None}
        listed = [
            replace(sample, dataset=OWN) if sample.video_id in nobodys else sample
            for sample in clips_samples(source)
            if sample.label == "real" and sample.method != TWIN
        ]
        if not listed:
            raise UsageError(f"{source} lists no real clip", "Make a list of real footage: sfumato clips FOLDER.")
        return listed, True
    found = sorted(find_media([source], finder or Finder(leave_out=[GENERATED])))
    names = [file.relative_to(source).as_posix() for file in found]
    return [
        Sample(OWN, name, file, "real", "camera", "real", name) for name, file in zip(names, found, strict=True)
    ], False


def judge_reals(
    samples: Sequence[Sample],
    detector: VideoDetector,
    frames: int,
    journal: Path | None = None,
    advance: Advance = lambda amount: None,
) -> Iterator[Real]:
    """Judges each file that the journal does not hold yet. A file that is there twice counts once. `advance` gets 1 a
    file.
    """
    stack = detector.bundle.record["calibration"]["stack"]
    judging, seen = f"{detector.bundle.digest} {json.dumps(stack, sort_keys=True)}", set[str]()
    with closing(VideoJournal(journal, judging, {"frames": frames, "facts": _FACTS})) as known:
        for sample in samples:
            facts = known.find(sample)
            if facts is None:
                facts = _judged(sample, detector, frames)
                known.add(sample, facts)
            advance(1)
            kind, digest = "picture" if is_picture(sample.path) else "video", sample.sha256 or known.content(sample)
            try:
                group = group_of(None if sample.dataset == OWN else sample.dataset, sample.method)
                real = Real(kind, sample.identity, digest, group=group, **facts)
                numbers = [*real.seen.values(), *([] if real.logit is None else [real.logit])]
                if not all(math.isfinite(number) for number in numbers):
                    raise TypeError("its logit, or what was seen of it, is no number")
            except (TypeError, AttributeError) as error:
                raise MediaError(f"The journal's entry of {sample.path} is damaged", f"Remove {journal}.") from error
            if not digest or digest not in seen:  # without one: it cannot be read, and is counted as such
                seen.add(digest)
                yield real


def recalibrate(
    record: dict[str, Any], reals: Iterable[Real], people_known: bool, frames: int | None = None
) -> Recalibration:
    """detector.json with the thresholds of `reals`; `frames`: so many of each video were looked at. Raises UsageError
    when neither kind carries even the largest alpha.
    """
    reals = list(reals)
    alphas = record["config"].get("calibration", {}).get("alphas", CalibrationConfig().alphas)
    found = Recalibration(
        {name: value for name, value in record.items() if name != "test"}
    )  # that was measured at the former thresholds
    found.abstained = Counter(real.reason for real in reals if real.logit is None)
    for kind, section in SECTIONS.items():
        judged = [real for real in reals if real.kind == kind and real.logit is not None]
        chosen = one_file_a_person(judged)
        found.n_real[kind], found.files[kind] = len(chosen), len(judged)
        try:
            thresholds = grouped_thresholds(_by_group(chosen), alphas)
        except UsageError as error:
            found.kept[kind] = f"{error.message}. {error.advice}" if judged else f"there is no {kind} among the reals"
            continue
        digest = hashlib.sha256(
            repr(sorted((real.digest, f"{real.logit:.6f}") for real in chosen)).encode()
        ).hexdigest()
        stack = record["calibration"]["stack"]
        codecs = {real.codec for real in judged if real.codec is not None}
        size = int(record["config"]["model"]["size"])
        covers = coverage_of([real.seen for real in judged if real.seen], largest_face(size), codecs)
        looked_at = frames if kind == "video" else None
        found.record[section] = calibration_json(stack, thresholds, len(chosen), digest, covers, looked_at) | {
            "split": "own footage",
            "of": f"{kind}s as they are",
            "calibrated_on": {
                "kind": kind,
                "people": len(chosen) if people_known else None,
                "files": len(judged),
                "abstained": sum(real.logit is None for real in reals if real.kind == kind),
                "digest": digest,
                "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            },
        }
    if len(found.kept) == len(SECTIONS):
        kind, most = max(found.n_real.items(), key=lambda item: item[1])
        needed = " and ".join(f"{fewest_reals(alpha)} for {alpha:g}" for alpha in sorted(alphas, reverse=True))
        raise UsageError(
            f"Too few reals for any threshold: {most} {'people' if people_known else 'files'} "
            f"({kind}s) with a usable face",
            f"By false-positive rate it needs {needed}.",
        )
    return found


def one_file_a_person(reals: Sequence[Real]) -> list[Real]:
    """The clip of each person whose content hashes lowest: a fixed draw that looks at no score."""
    people: dict[str, Real] = {}
    for real in reals:
        other = people.get(real.person)
        if other is None or real.digest < other.digest:
            people[real.person] = real
    return [people[name] for name in sorted(people)]


def _by_group(reals: Sequence[Real]) -> dict[str, list[float]]:
    groups: dict[str, list[float]] = {}
    for real in reals:
        if real.logit is not None:
            groups.setdefault(real.group, []).append(real.logit)
    return groups


def _judged(sample: Sample, detector: VideoDetector, frames: int) -> Facts:
    prediction = detector.predict(sample.path, frames)
    return {
        "logit": prediction.logit,
        "reason": "; ".join(reason.code for reason in prediction.reasons),
        "seen": dict(prediction.tracks[0].seen) if prediction.tracks else {},
        "codec": prediction.media.codec if prediction.media else None,
    }
