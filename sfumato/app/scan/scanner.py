"""Files to records: credentials first, then detector and watermark, then the verdict on all three.

In: files, a detector, a trust list, a repository of manifests. Out: a `Scanned` a file: its record, with the evidence
that it was made of. Each file is read by the verifier, by the decoder, and once for its digest; once more by the
decoder where a watermark shows.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.config import SCAN_FPR
from detector.inference.explain import limited
from detector.inference.prediction import ModelFacts, Prediction, Reason, Timing
from detector.inference.thresholds import other_frames
from detector.inference.video_detector import VideoDetector
from provenance.durable.repository import open_repository, place_without_secrets
from provenance.verifying.verification import Verification
from provenance.verifying.verify import verify
from sfumato.app.scan.cascade import STAGES, Looked, QuickScan, looked_fully
from sfumato.app.scan.inputs import Source, at_hand
from sfumato.app.scan.mark import MarkFacts, MarkWatch
from sfumato.app.scan.record import FileFacts, ScanFacts, ScanRecord
from sfumato.app.scan.repeats import Repeats
from sfumato.app.scan.verdict import combine
from sfumato.errors import FetchError, UsageError
from sfumato.execution.fetch.clock import FetchLimits
from sfumato.execution.journal import options_digest
from sfumato.version import __version__

if TYPE_CHECKING:
    from provenance.verifying.policy import Policy

Advance = Callable[[float], None]
CALIBRATION = ("calibration", "video_calibration", "motion")


@dataclass(frozen=True)
class Scanned:
    """record: what is told of the file; verification, prediction: the evidence, an explanation's pictures included."""

    record: ScanRecord
    verification: Verification
    prediction: Prediction


class Scanner:
    """Scans any number of files with one detector and one trust list."""

    def __init__(
        self,
        trust: Iterable[bytes] = (),
        frames: int | None = None,
        fpr: float = SCAN_FPR,
        detector: VideoDetector | None = None,
        allowed: Collection[str] = (),
        repository: str | Path | None = None,
        stamps: Iterable[bytes] = (),
        policy: Policy | None = None,
        sidecar: Path | None = None,
        quick: bool = False,
    ) -> None:
        """trust: PEM files of roots of signers to believe; frames: to look at, of each video, None for as many as the
        detector's thresholds were set with; fpr: the false-positive rate at which a score flags; detector: None for the
        one that ships; allowed: SHA-256, hex, of single signers' certificates to believe; repository: where the
        manifest that a watermark names is looked up, as in provenance.durable.repository.open_repository; None: the
        user's own, if there is one; stamps, policy, sidecar: as in provenance.verifying.verify.verify; quick: no more
        is looked at than decides (sfumato/app/scan/cascade.py).

        Raises UsageError if the detector is not calibrated at `fpr`, or `repository` is none, or `quick` is asked of a
        detector that does not know where keyframes decide, MissingPartError or CheckpointError if the detector cannot
        be loaded, OutputError if the repository does not answer.
        """
        if repository is not None:
            open_repository(repository, must_exist=True).close()
        self.repository, self.policy, self.sidecar = repository, policy, sidecar
        self.detector = detector or VideoDetector()
        self.trust, self.stamps, self.allowed, self.fpr = tuple(trust), tuple(stamps), frozenset(allowed), fpr
        self.lists = tuple(
            (purpose, hashlib.sha256(each).hexdigest())
            for purpose, given in (("signers", self.trust), ("stamps", self.stamps))
            for each in given
        )
        if self.allowed:
            together = "\n".join(sorted(self.allowed)).encode()
            self.lists = (*self.lists, ("allowed", hashlib.sha256(together).hexdigest()))
        self.frames = self.detector.bundle.frames(frames)
        self._repeats = Repeats()
        pictures, videos = self.detector.bundle.thresholds, self.detector.bundle.video_thresholds
        if pictures.logit(fpr) is None or videos.logit(fpr) is None:
            known = sorted(set(pictures.logits) & set(videos.logits))
            few = f"{pictures.n_real or 0} pictures and {videos.n_real or 0} videos cannot carry it"
            raise UsageError(
                f"The detector has no threshold at a false-positive rate of {fpr:g}: {few}",
                f"Choose one of: {', '.join(f'{alpha:g}' for alpha in known)}.",
            )
        self._quick = QuickScan(self.detector, self.frames, fpr, repository, self.trust) if quick else None

    @property
    def options(self) -> dict[str, Any]:
        """What was asked, as records tell it: plain values, by the names of their options."""
        place = None if self.repository is None else place_without_secrets(str(self.repository))
        backend = self.detector.bundle.scorer.name
        quick = self._quick is not None
        return {"frames": self.frames, "fpr": self.fpr, "quick": quick, "backend": backend, "repository": place}

    @property
    def calibration(self) -> str:
        """Digest of the sections of detector.json that say what a score is worth."""
        return options_digest({name: self.detector.bundle.record.get(name) for name in CALIBRATION})

    def scan_source(
        self, source: Source, limits: FetchLimits, explained: bool = False, landing: Path | None = None
    ) -> Scanned:
        """One file or address, as `scan_file`. What cannot be fetched is a file that cannot be read. limits, landing:
        as in `at_hand`.
        """
        if isinstance(source, Path):
            return self.scan_file(source, explained=explained)
        try:
            with at_hand(source, limits, landing) as path:
                return self.scan_file(path, explained=explained, name=source.place)
        except FetchError as error:
            facts = FileFacts(source.place, None, None)
            return self.unjudged(facts, Reason("not_fetched", str(error)), str(error))

    def unjudged(self, file: FileFacts, reason: Reason, why: str, seconds: float = 0.0) -> Scanned:
        """What is told of a file that never came before the judges. why: for the credential."""
        bundle = self.detector.bundle
        model = ModelFacts(bundle.record.get("name"), bundle.record.get("version"), bundle.digest, bundle.scorer.name)
        timing = Timing(0.0, 0.0, 0.0, 0.0, seconds)
        prediction = Prediction("error", (reason,), threshold=bundle.video_thresholds, model=model, timing=timing)
        verification = Verification(Path(file.path), "unreadable", reason=why)
        verdict = combine(verification, prediction, self.fpr)
        record = ScanRecord.of(file, verification, prediction, verdict, self.fpr, scan=self._facts())
        return Scanned(record, verification, prediction)

    def _facts(self) -> ScanFacts:
        return ScanFacts(ScanFacts.now(), __version__, self.calibration, self.lists, self.options)

    def scan_file(
        self, path: Path, advance: Advance = lambda amount: None, explained: bool = False, name: str | None = None
    ) -> Scanned:
        """One file. Never raises for what is in it: `status` is "ok", "abstain" or "error". `advance` gets 1 a sampled
        frame; `explained`: with an explanation of the score, where there is one; `name`: what the record calls the file
        instead of its path.

        Raises CheckpointError if an explanation is asked for and the detector has no maps; OutputError or UsageError if
        the repository does not answer.
        """
        start = time.perf_counter()
        verification = verify(
            path, self.trust, stamps=self.stamps, allowed=self.allowed, policy=self.policy, sidecar=self.sidecar
        )
        verified = time.perf_counter() - start
        file = FileFacts.of(path, name)
        declared = self._quick.declared(path, verification) if self._quick else None
        known = None if declared else self._repeats.find(file)
        looked = declared or known or self._looked(path, verification, advance, explained)
        self._repeats.done(file, None if declared else looked)
        prediction, mark = looked.prediction, looked.mark
        stages = replace(looked.stages, seconds={STAGES[0]: verified, **looked.stages.seconds})
        verdict = combine(verification, prediction, self.fpr, mark)
        verdict = replace(verdict, notes=(*verdict.notes, *self._other_frames(prediction)))
        if known:
            verdict = replace(verdict, notes=(*verdict.notes, f"Judged once, with the same content at {known.path}."))
        record = ScanRecord.of(file, verification, prediction, verdict, self.fpr, mark, self._facts(), stages)
        return Scanned(record, verification, _as_told(prediction, record))

    def _looked(self, path: Path, verification: Verification, advance: Advance, explained: bool) -> Looked:
        look = partial(self._look, path, advance, explained)
        return self._quick.look(path, verification, look) if self._quick and not explained else looked_fully(look)

    def _look(self, path: Path, advance: Advance, explained: bool) -> tuple[Prediction, MarkFacts | None]:
        """What the detector says, and the watermark of a video; both look at the same frames."""
        watch = MarkWatch(self.frames)
        prediction = self.detector.predict(path, self.frames, advance, explained, watch.show)
        if prediction.media is None or prediction.media.kind != "video":
            return prediction, None
        return prediction, watch.found(path, self.repository, self.trust)

    def _other_frames(self, prediction: Prediction) -> tuple[str, ...]:
        """A note where a video was looked at more or less closely than those that its thresholds were set on."""
        set_with, media = prediction.threshold.frames, prediction.media
        if prediction.logit is None or set_with in (None, self.frames) or media is None or media.kind == "picture":
            return ()
        return (
            f"{other_frames(set_with, self.frames)}: scan with --frames {set_with}, or calibrate with {self.frames}.",
        )

    def expect(self, files: Sequence[Path]) -> None:
        """The files of a run, all to be scanned alike: of those with the same content and suffix the first alone is
        judged. Credentials are looked at for each, since one may lie beside a file.
        """
        self._repeats = Repeats(files)


def _as_told(prediction: Prediction, record: ScanRecord) -> Prediction:
    """The maps of an explanation show what its words speak of, and nothing else."""
    if prediction.explanation is None or record.explanation is None:
        return prediction
    shown = limited(prediction.explanation, record.explanation.heads, record.verdict.band.flagged)
    return replace(prediction, explanation=shown)
