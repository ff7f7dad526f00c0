"""The third witness: the watermark of a video, the manifest that it leads to, and whether the video looks like that.

In: the frames that the detector samples, then the file again where they show a mark. Out: `MarkFacts`. The first look
costs a few hundredths of a second a file. Only where it finds something is the file read a second time, whole, by
provenance.durable.recovery, which alone decides: a mark can be copied onto any file, so it says what a file is only
together with the look that its manifest states. Pictures carry no mark of ours and are not looked at.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sfumato.errors import MediaError

if TYPE_CHECKING:
    from provenance.durable.evidence import Candidate
    from provenance.durable.recovery import Recovery
    from sfumato.media.video import Frame

FRAMES = 16  # of those sampled that are taken in, at most: more add nothing to a mark that stands still
HINT = 10.5  # statistic of a first look that is worth a second; without a mark about 9, and 11.65 is proof

FINDINGS: dict[str, str] = {
    "none": "No watermark was read. Most files have none, and one can be removed.",
    "recovered": "The watermark names a signed manifest that states this watermark and this look. A watermark can be "
    "copied onto another file; the look then differs.",
    "foreign": "The watermark does not belong to this video: its manifest is of one that looks otherwise. It was "
    "copied onto this file, or the picture was changed beyond recognition; it counts for nothing.",
    "doubtful": "The watermark leads to a manifest, but nothing confirms that it belongs to this video. A watermark "
    "can be copied onto any file.",
    "unknown": "A watermark was read, but no manifest that it names is known here. It can be copied onto any file, so "
    "it proves nothing by itself.",
}
_HARMLESS = frozenset({"signer.untrusted"})  # a claim of AI needs no voucher: nobody gains by it


@dataclass(frozen=True)
class RecoveredFacts:
    """The manifest that a watermark names. signature: trusted, untrusted, invalid or unreadable; declares: last parts
    of digitalSourceTypes; the rest as in `CredentialFacts`. Foreign text.
    """

    id: str
    signature: str
    signer: str | None = None
    development: bool = False
    time: str | None = None
    declares: tuple[str, ...] = ()
    title: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"declares": list(self.declares)}


@dataclass(frozen=True)
class MarkFacts:
    """finding: a key of FINDINGS. value: the payload in base64, None where none was read; statistic: in standard
    deviations; bound: at most so likely does a video without a mark give this; mirrored: the picture is turned over;
    frames: looked at; distance: of the looks, 0 to 1, None where it is not known; doubts: keys of
    provenance.durable.evidence.DOUBTS; seconds: of both looks.
    """

    finding: str
    alg: str
    value: str | None
    statistic: float
    bound: float
    mirrored: bool
    frames: int
    distance: float | None = None
    doubts: tuple[str, ...] = ()
    manifest: RecoveredFacts | None = None
    seconds: float = 0.0

    @property
    def meaning(self) -> str:
        """The finding in a sentence or two."""
        return FINDINGS[self.finding]

    @property
    def declares(self) -> tuple[str, ...]:
        """What the manifest that it leads to declares of its video."""
        return () if self.manifest is None else self.manifest.declares

    @property
    def certainty(self) -> str:
        """How sure that is, in a sentence; empty where no watermark was read."""
        from provenance.durable.evidence import DOUBTS
        from provenance.durable.fingerprint import THRESHOLD

        if self.value is None:
            return ""
        said = [f"Without a watermark a video gives this with a chance of at most {self.bound:.0e}."]
        if self.distance is not None:
            alike = f"alike up to {THRESHOLD:.0%}, unrelated ones about 50%"
            said.append(f"The look differs in {self.distance:.0%} of its bits ({alike}).")
        if self.manifest is not None and self.manifest.signature == "untrusted":
            said.append("Nobody vouches for the manifest's signer.")
        shown = [DOUBTS[doubt] for doubt in self.doubts if doubt not in _HARMLESS]
        return " ".join([*said, *([f"Wanting: {'; '.join(shown)}."] if shown else [])])

    @classmethod
    def of(cls, found: Recovery, seconds: float) -> Self:
        """From what provenance.durable.recovery says. What only looks like an entered video, without a mark, is none:
        another video of the same portrait does too.
        """
        mark, chosen = found.mark, found.chosen
        told = cls(
            "unknown" if mark.detected else "none", found.alg, found.value if mark.detected else None,
            mark.statistic, mark.bound, mark.detected and mark.geometry.mirrored, found.frames, seconds=seconds,
        )  # fmt: skip
        if not mark.detected or chosen is None or not chosen.by_watermark:
            return told
        finding, manifest = _finding(chosen.doubts), _manifest(chosen)
        return replace(told, finding=finding, distance=chosen.distance, doubts=chosen.doubts, manifest=manifest)

    def as_json(self) -> dict[str, Any]:
        """Rounded: the statistic to 2 digits, the distance and the seconds to 4."""
        return {
            "finding": self.finding,
            "meaning": self.meaning,
            "certainty": self.certainty,
            "alg": self.alg,
            "value": self.value,
            "statistic": round(self.statistic, 2),
            "false_positive_bound": self.bound,
            "mirrored": self.mirrored,
            "frames": self.frames,
            "fingerprint_distance": None if self.distance is None else round(self.distance, 4),
            "doubts": list(self.doubts),
            "manifest": None if self.manifest is None else self.manifest.as_json(),
            "seconds": round(self.seconds, 4),
        }


class MarkWatch:
    """The first look at one video: takes in some of the frames that it is shown, in their order."""

    def __init__(self, sampled: int) -> None:
        """sampled: how many frames it will be shown, about."""
        from provenance.watermark import DEFAULT, REGISTRY

        watermark = REGISTRY.load(DEFAULT)()
        self._alg, self._reader = watermark.alg, watermark.reader()
        self._step, self._shown = max(1, sampled // FRAMES), 0
        self._taken, self._seconds = 0, 0.0

    def show(self, frame: Frame) -> None:
        """One sampled frame, of the same size as the others."""
        if self._shown % self._step == 0:
            start = time.perf_counter()
            self._reader.add(frame.image)
            self._taken += 1
            self._seconds += time.perf_counter() - start
        self._shown += 1

    def found(self, path: Path, repository: str | Path | None, trust: Sequence[bytes]) -> MarkFacts | None:
        """What the frames show; where that is something, what the whole file at `path` and the repository say. None
        without a frame.

        repository: a place as in `open_repository`; None: the user's own, if there is one. Raises OutputError and
        UsageError for a repository that does not answer or is none.
        """
        from provenance.durable.recovery import Recovery

        if not self._taken:
            return None
        start = time.perf_counter() - self._seconds
        mark = self._reader.read(cut=False)
        found = Recovery(path, "none", mark, self._alg, frames=self._taken)  # what stands if there is no second look
        if mark.statistic >= HINT:
            with suppress(MediaError):  # it was readable a moment ago
                found = _recover(path, repository, trust)
        return MarkFacts.of(found, time.perf_counter() - start)


def _recover(path: Path, repository: str | Path | None, trust: Sequence[bytes]) -> Recovery:
    from provenance.durable.recovery import recover
    from provenance.durable.repository import default_exists, open_repository

    if repository is None and not default_exists():
        return recover(path, [], trust)
    with open_repository(repository, must_exist=True) as opened:
        return recover(path, [opened], trust)


def _finding(doubts: Sequence[str]) -> str:
    wanting = set(doubts) - _HARMLESS
    if not wanting:
        return "recovered"
    return "foreign" if wanting == {"fingerprint.differs"} else "doubtful"


def _manifest(chosen: Candidate) -> RecoveredFacts | None:
    told = chosen.manifest
    if told is None:
        return None
    view = told.view
    if view is None:
        return RecoveredFacts(chosen.manifest_id, told.signature)
    return RecoveredFacts(
        chosen.manifest_id, told.signature, view.signer, view.development, view.time, tuple(view.declares), view.title
    )
