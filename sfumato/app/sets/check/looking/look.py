"""One look at a file of a set, for all checks: the file is read and decoded once. In: a path. Out: a `Look`.

Its parts are plain values, so that a journal keeps them and a worker hands them over.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from sfumato.errors import MediaError
from sfumato.execution.journal import Record

VERSION = 2  # raised when the same file gives another look: a journal's entries are then made anew
SMALL = 32  # px: what a forgery changes is still seen, and an encoder's noise is averaged out
_EVERY = 10**9  # frames: all there are


@dataclass(frozen=True)
class Look:
    """sha256: "" for a file that is not there or cannot be read; size: bytes; reason: why its frames cannot be decoded,
    "" where they can. media: what the container declares and what was decoded; sharpness: the median over looks, two a
    second, of the variance of the Laplacian, in grey levels squared; fingerprint: of provenance.durable, base64;
    small: those looks as grey pictures of SMALL px a side, base64 of their bytes; decoded: sha256 of the decoded
    frames. outcome, declares, ingredients, signer, seal_reason: of its credential.
    """

    sha256: str = ""
    size: int = 0
    reason: str = ""
    media: Mapping[str, Any] = field(default_factory=dict)
    sharpness: float | None = None
    fingerprint: str = ""
    small: str = ""
    decoded: str = ""
    outcome: str = "none"
    declares: tuple[str, ...] = ()
    ingredients: tuple[str, ...] = ()
    signer: str = ""
    seal_reason: str = ""

    def as_record(self) -> Record:
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Look:
        """Raises TypeError or KeyError for a record of something else."""
        lists = {name: tuple(record[name]) for name in ("declares", "ingredients")}
        return cls(**{**record, **lists})


@dataclass(frozen=True)
class LookJob:
    """row: its number in the list; path: the file, or the folder of frames; sha256: of its content."""

    row: int
    path: Path
    sha256: str


def begin_looking(trust: Sequence[bytes]) -> Callable[[LookJob], Record]:
    """For a worker. trust: PEM files of the roots that signers may lead to."""
    return lambda job: look_at(job.path, job.sha256, trust).as_record()


def look_at(path: Path, sha256: str, trust: Sequence[bytes] = ()) -> Look:
    """Never raises for what is in the file."""
    from provenance.verifying.verify import verify

    if path.is_dir():
        sealed: dict[str, Any] = {}
        size = sum(file.stat().st_size for file in path.iterdir() if file.is_file())
    else:
        found = verify(path, trust)
        size = path.stat().st_size
        sealed = {
            "outcome": found.outcome, "declares": found.declares, "ingredients": found.ingredient_declares,
            "signer": found.signer or "", "seal_reason": found.reason,
        }  # fmt: skip
    try:
        return Look(sha256, size, **_frames(path, size), **sealed)
    except (MediaError, OSError, ValueError) as error:
        # a journal keeps it by the content, which another file may have in another place
        reason = getattr(error, "message", str(error)).replace(str(path), "the folder" if path.is_dir() else "the file")
        return Look(sha256, size, reason, {"size": size}, **sealed)


def _frames(path: Path, size: int) -> dict[str, Any]:
    """Raises MediaError, ValueError."""
    import cv2

    from detector.inference.frames import SampledFrames
    from detector.inference.quality_norm import sharpness
    from provenance.durable.fingerprint import INTERVAL, LONGEST, FingerprintBuilder
    from sfumato.app.sets.check.looking.container import stream_facts
    from sfumato.app.sets.decoded import DecodedFrames

    frames, decoded, builder = SampledFrames(path, _EVERY), DecodedFrames(), FingerprintBuilder()
    sharp, small, due = list[float](), list[bytes](), 0.0
    for frame in frames:
        decoded.add(frame.image)
        builder.add(frame.image, frame.time)
        if frame.time + 1e-6 >= due and len(small) < LONGEST:  # the looks that the fingerprint takes
            due = max(due + INTERVAL, frame.time + INTERVAL / 2)
            sharp.append(sharpness(frame.image))
            grey = cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY)
            small.append(cv2.resize(grey, (SMALL, SMALL), interpolation=cv2.INTER_AREA).tobytes())
    media = {} if frames.media is None else frames.media.as_json()
    if media.get("kind") == "video":
        media |= stream_facts(path)
    return {
        "media": media | {"size": size},
        "sharpness": round(median(sharp), 4) if sharp else None,
        "fingerprint": base64.b64encode(builder.done().to_bytes()).decode(),
        "small": base64.b64encode(b"".join(small)).decode(),
        "decoded": decoded.digest(),
    }
