"""The record of one scanned file: what `sfumato scan --json` writes, a line a file.

In: a verification (provenance), a prediction (detector), a watermark, the verdict on all. Out: a `ScanRecord`, whose
JSON is written here alone and described by docs/schemas/scan-record.schema.json. Strings are as found; escape them
where they are shown.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from detector.inference.explain import HeadFacts, head_facts, in_words, limited, standing_out
from detector.inference.frames import MediaFacts
from detector.inference.prediction import FrameCounts, ModelFacts, Moment, Prediction, Status, Timing, TrackScore
from detector.inference.thresholds import Thresholds
from provenance.verifying.verification import Verification
from sfumato.app.scan.cascade import Stages
from sfumato.app.scan.mark import MarkFacts
from sfumato.app.scan.verdict import EDITED, SYNTHETIC, Verdict
from sfumato.errors import MediaError
from sfumato.media.clips import file_digest

SCHEMA_VERSION = 2  # 1 had no `scan`


@dataclass(frozen=True)
class FileFacts:
    """path: as given, with what is no UTF-8 replaced, or the address without its secrets; sha256: of the content, 64
    hex digits; size: bytes. Both None for a file that cannot be read.
    """

    path: str
    sha256: str | None
    size: int | None

    @classmethod
    def of(cls, path: Path, name: str | None = None) -> FileFacts:
        """Reads the whole file, once. name: what it is called instead of its path."""
        name = name or cls.named(path)
        try:
            return cls(name, file_digest(path), path.stat().st_size)
        except (MediaError, OSError, ValueError):
            return cls(name, None, None)

    @staticmethod
    def named(path: Path) -> str:
        """The name as a record has it."""
        return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class ScanFacts:
    """When and how a file was judged. time: when that was done, ISO 8601, UTC; program: its version; calibration: a
    digest of all that the detector's thresholds rest on; trust: (purpose, SHA-256) of each list that was believed;
    options: what was asked, plain values by their names, as `sfumato.app.scan.scanner.Scanner.options` has them.
    """

    time: str
    program: str
    calibration: str
    trust: tuple[tuple[str, str], ...]
    options: Mapping[str, Any]

    @staticmethod
    def now() -> str:
        """To the second."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    def as_json(self) -> dict[str, Any]:
        trust = [{"purpose": purpose, "sha256": digest} for purpose, digest in self.trust]
        return asdict(self) | {"trust": trust, "options": dict(self.options)}


@dataclass(frozen=True)
class CredentialFacts:
    """What the file's credential says and is worth. outcome: trusted, untrusted, none, invalid or unreadable; codes:
    failures by their C2PA names; time: ISO 8601; development: signed with a development key, which anybody can make;
    declares, ingredient_declares: last parts of digitalSourceTypes, of the file and of what it was made from;
    allowed_list: the signer counts because its certificate is on one. What the credential does not say is None.
    """

    outcome: str
    codes: tuple[str, ...] = ()
    signer: str | None = None
    issuer: str | None = None
    time: str | None = None
    development: bool = False
    declares: tuple[str, ...] = ()
    ingredient_declares: tuple[str, ...] = ()
    title: str | None = None
    generator: str | None = None
    allowed_list: bool = False

    @classmethod
    def of(cls, found: Verification) -> CredentialFacts:
        return cls(
            found.outcome, tuple(found.codes), found.signer, found.issuer, found.time, found.development,
            tuple(found.declares), tuple(found.ingredient_declares), found.title, found.generator, found.listed,
        )  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        lists = {name: list(getattr(self, name)) for name in ("codes", "declares", "ingredient_declares")}
        return asdict(self) | lists


@dataclass(frozen=True)
class Placement:
    """Where in the face the evidence lies. times: seconds of the explained frames, the one that counts most first;
    areas: {region: share of the picture}, which sum to 1; regions: {region: share of the evidence}, the same, None
    where nothing speaks for forgery; standing_out: regions that hold clearly more of it than of the picture, the
    densest first.
    """

    times: tuple[float, ...]
    areas: Mapping[str, float]
    regions: Mapping[str, float] | None
    standing_out: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Seconds rounded to 4 digits."""
        return {
            "frames": [round(time, 4) for time in self.times],
            "areas": dict(self.areas),
            "regions": None if self.regions is None else dict(self.regions),
            "standing_out": list(self.standing_out),
        }


@dataclass(frozen=True)
class ExplanationRecord:
    """Why this score. words: a sentence or two; heads: {kind of evidence, one of `detector.config.KINDS`: its facts};
    place: where it lies, if that was asked for; sheet: the picture of it that was written.
    """

    words: str
    heads: Mapping[str, HeadFacts]
    place: Placement | None = None
    sheet: str | None = None

    @classmethod
    def of(cls, prediction: Prediction, flagged: bool, fpr: float) -> ExplanationRecord | None:
        """flagged: by the verdict's band; fpr: the false-positive rate that flags. None without a score."""
        if prediction.logit is None:
            return None
        stack, evidence = prediction.tracks[0].stack, prediction.deciding_evidence()
        heads = head_facts(stack, evidence, prediction.threshold, fpr)
        place = None
        if prediction.explanation is not None:
            found = limited(prediction.explanation, heads, flagged)
            dense = standing_out(found.shares, found.areas) if found.shares else []
            place = Placement(tuple(frame.time for frame in found.frames), found.areas, found.shares, tuple(dense))
        return cls(in_words(heads, flagged), heads, place)

    def as_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "words": self.words,
            "heads": {name: head.as_json() for name, head in self.heads.items()},
        }
        told |= self.place.as_json() if self.place is not None else {}
        return told | ({"sheet": self.sheet} if self.sheet is not None else {})


@dataclass(frozen=True)
class ScanRecord:
    """Everything that is known about one file.

    score: calibrated probability in [0, 1]; logit: the same before squashing; both None without one. fpr: the
    false-positive rate at which a score flags. status: "ok", "abstain" (the reasons say why), "error" (unreadable).
    timeline, tracks, model, timing: as in the detector's `Prediction`. mark: the watermark, None where none was looked
    for. scan: when and how, None for a record that no scan made; stages: what ran, and what decided, None where judging
    failed. Other units are those of the parts.
    """

    file: FileFacts
    media: MediaFacts | None
    verdict: Verdict
    score: float | None
    logit: float | None
    fpr: float
    threshold: Thresholds
    status: Status
    frames: FrameCounts
    timeline: tuple[Moment, ...]
    tracks: tuple[TrackScore, ...]
    credentials: CredentialFacts
    model: ModelFacts | None
    timing: Timing | None
    explanation: ExplanationRecord | None = None
    mark: MarkFacts | None = None
    scan: ScanFacts | None = None
    stages: Stages | None = None

    @classmethod
    def of(
        cls, file: FileFacts, verification: Verification, prediction: Prediction, verdict: Verdict, fpr: float,
        mark: MarkFacts | None = None, scan: ScanFacts | None = None, stages: Stages | None = None,
    ) -> ScanRecord:  # fmt: skip
        return cls(
            file=file,
            media=prediction.media,
            verdict=verdict,
            score=prediction.score,
            logit=prediction.logit,
            fpr=fpr,
            threshold=prediction.threshold,
            status=prediction.status,
            frames=prediction.frames,
            timeline=prediction.timeline,
            tracks=prediction.tracks,
            credentials=CredentialFacts.of(verification),
            model=prediction.model,
            timing=prediction.timing,
            explanation=ExplanationRecord.of(prediction, verdict.band.flagged, fpr),
            mark=mark,
            scan=scan,
            stages=stages,
        )

    @property
    def flagging_score(self) -> float | None:
        """The score above which the file is flagged; None without a calibration at `fpr`."""
        return self.threshold.score(self.fpr)

    @property
    def generated(self) -> bool:
        """Whether its own credential, or the one that was recovered, declares AI: pictures of it are then marked."""
        recovered = self.mark.declares if self.mark is not None and self.mark.finding == "recovered" else ()
        declared = {*self.credentials.declares, *self.credentials.ingredient_declares, *recovered}
        return bool(declared & (SYNTHETIC | EDITED))

    def with_sheet(self, sheet: Path) -> ScanRecord:
        """The same with the picture of the explanation named. Raises ValueError without an explanation."""
        if self.explanation is None:
            raise ValueError("there is no explanation that the sheet could be of")
        return replace(self, explanation=replace(self.explanation, sheet=str(sheet)))

    def as_json(self) -> dict[str, Any]:
        """Plain values, as docs/schemas/scan-record.schema.json describes them."""
        return {
            "schema_version": SCHEMA_VERSION,
            "file": self.file.as_json(),
            "media": self.media.as_json() if self.media else {},
            "verdict": self.verdict.name,
            "meaning": self.verdict.meaning,
            "review": self.verdict.review,
            "score": self.score,
            "logit": self.logit,
            "threshold": {"fpr": self.fpr, "score": self.flagging_score, **self.threshold.as_json()},
            "status": self.status,
            "reasons": [reason.as_json() for reason in self.verdict.reasons],
            "notes": list(self.verdict.notes),
            "frames": self.frames.as_json(),
            "timeline": [moment.as_json() for moment in self.timeline],
            "tracks": [track.as_json() for track in self.tracks],
            "provenance": self.credentials.as_json(),
            "watermark": self.mark.as_json() if self.mark else None,
            "model": self.model.as_json() if self.model else {},
            "timing": self.timing.as_json() if self.timing else {},
            "scan": self.scan.as_json() if self.scan else {},
            "explain": self.explanation.as_json() if self.explanation else None,
            "stages": self.stages.as_json() if self.stages else None,
        }


def duration(record: Mapping[str, Any]) -> float | None:
    """Seconds of the file, of a record as JSON that says so."""
    value = record["media"].get("duration")
    return float(value) if isinstance(value, int | float) and math.isfinite(value) and value >= 0 else None
