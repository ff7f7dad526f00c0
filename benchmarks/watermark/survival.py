"""Survival of the durable credential: real clips are sealed as generated video is, treated, and handed to `sfumato
recover`.

In: a folder of clips. Out: for each treatment how many payloads were read blind, how many manifests `recover` found,
how many of its answers were wrong; and what the mark costs in PSNR, SSIM and time. The clips stand for generated video:
the mark does not know the difference. All clips are sealed first, so that every copy is held against every wrong
manifest too; the untouched clips, which have no mark, are read as well. Keys and repository are temporary, nobody's own
are touched.
"""

from __future__ import annotations

import hashlib
import math
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.attacks.reencoding import REENCODINGS, reencode
from benchmarks.metrics.intervals import wilson
from benchmarks.rows.row import Estimate
from benchmarks.rows.watermark import CostRow, FingerprintRow, MarkRow, SurvivalRow, UnmarkedRow
from sfumato.errors import SfumatoError, UsageError
from sfumato.media.clips import file_digest
from sfumato.media.structural_similarity import structural_similarity
from sfumato.media.video import GeneratedFacts, GeneratedVideoWriter, VideoReader

PROTOCOL = "survival-1"
Image = NDArray[np.uint8]
_SAMPLED = 5  # every fifth frame is measured for PSNR and SSIM


@dataclass(frozen=True)
class SurvivalConfig:
    """What is measured."""

    seconds: float = 5.0  # of each clip; the mark gains with length, and shared clips are short
    max_side: int = (
        720  # px; larger clips are made smaller first, which keeps the run short and the mark's task no easier
    )
    baseline: bool = False  # the mark of invisible-watermark beside ours
    treatments: tuple[str, ...] = tuple(REENCODINGS)

    def __post_init__(self) -> None:
        if self.seconds <= 0 or self.max_side < 64 or not set(self.treatments) <= set(REENCODINGS):
            raise UsageError(
                "seconds, max_side or treatments are out of range", "More than 0 s, 64 px or more, known treatments."
            )


@dataclass(frozen=True)
class Clips:
    """What was measured on: a digest over the clips, the seconds taken of each, the longer side in px."""

    footage: str
    seconds: float
    max_side: int


@dataclass
class Tally:
    """Counts of one method under one treatment. `wrong`: answers that name another manifest or a payload that is not
    there.
    """

    copies: int = 0
    payloads: int = 0
    recovered: int = 0
    confirmed: int = 0
    wrong: int = 0
    statistics: list[float] = field(default_factory=list)

    def row(self, method: str, treatment: str, clips: Clips) -> SurvivalRow:
        """Rates with their 95 % intervals (Wilson)."""
        row = SurvivalRow(
            method=method, treatment=treatment, n=self.copies,
            payload=Estimate(self.payloads, wilson(self.payloads, self.copies)), **vars(clips),
        )  # fmt: skip
        if not self.statistics:
            return row
        return replace(
            row, recovered=Estimate(self.recovered, wilson(self.recovered, self.copies)),
            confirmed=self.confirmed, wrong=self.wrong, statistic_lowest=round(min(self.statistics), 2),
            statistic_median=round(float(np.median(self.statistics)), 2),
        )  # fmt: skip


@dataclass
class Cost:
    """What a mark costs, one number a clip."""

    psnr: list[float] = field(default_factory=list)
    ssim: list[float] = field(default_factory=list)
    share: list[float] = field(
        default_factory=list
    )  # CPU of marking over CPU of encoding (x264 veryfast, as the product has it)

    def row(self, method: str, clips: Clips) -> CostRow:
        """Means over clips, and the worst clip."""
        psnr, ssim, share = (round(float(np.mean(values)), 4) for values in (self.psnr, self.ssim, self.share))
        return CostRow(
            method=method, psnr=psnr, ssim=ssim, share=share, psnr_lowest=round(min(self.psnr), 2),
            ssim_lowest=round(min(self.ssim), 4), n=len(self.psnr), **vars(clips),
        )  # fmt: skip


@dataclass
class Survival:
    """Everything measured. `unmarked`: highest statistic of a clip without a mark, and how many were taken for
    marked.
    """

    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)
    costs: dict[str, Cost] = field(default_factory=dict)
    unmarked: dict[str, Any] = field(default_factory=dict)
    distances: dict[str, Any] = field(default_factory=dict)
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    footage: str = ""

    def rows(self, config: SurvivalConfig) -> list[MarkRow]:
        """As lines of the record have it."""
        clips = Clips(self.footage, config.seconds, config.max_side)
        return [
            *(tally.row(method, name, clips) for (method, name), tally in self.tallies.items()),
            *(cost.row(method, clips) for method, cost in self.costs.items()),
            UnmarkedRow(method=OURS, **self.unmarked, **vars(clips)),
            FingerprintRow(method=OURS, **self.distances, **vars(clips)),
        ]


OURS, BASELINE = "sfumato", "dwtDctSvd"


def measure(
    clips: Sequence[Path], config: SurvivalConfig, advance: Callable[[float], None] = lambda amount: None
) -> Survival:
    """`advance` gets 1 a clip for sealing and 1 a clip for treating. Raises UsageError when no clip can be used."""
    done = Survival()
    with tempfile.TemporaryDirectory(prefix="sfumato-survival-") as name:
        folder = Path(name)
        sealed: dict[Path, tuple[Path, bytes]] = {}
        highest, taken = [], 0
        for number, clip in enumerate(clips):
            try:
                statistic, detected, payload = _seal(clip, folder, number, config, done)
                sealed[clip] = (folder / f"{number}.mp4", payload)
                highest.append(statistic)
                taken += detected
            except SfumatoError as error:
                done.skipped.append((clip, str(error)))
            advance(1)
        if not sealed:
            raise UsageError("None of the clips can be used", "Name a folder of videos.")
        done.unmarked = {"n": len(highest), "detected": taken, "statistic_highest": round(max(highest), 2)}
        done.footage = hashlib.sha256("".join(file_digest(clip) for clip in sealed).encode()).hexdigest()
        nearest: list[float] = []
        for file, payload in sealed.values():
            for treatment in config.treatments:
                _treat_and_recover(treatment, file, payload, folder, done, nearest)
                if config.baseline:
                    _treat_baseline(treatment, folder / f"baseline-{file.name}", payload, folder, done)
            advance(1)
        done.distances = {"wrong_pairs": len(nearest), "lowest": round(min(nearest, default=1.0), 4)} | _below(nearest)
    return done


class _Watched:
    """A maker of seals that measures what marking does to the frames and how long it takes."""

    def __init__(self, seal: Any, cost: Cost) -> None:
        self._seal, self._cost = seal, cost
        self.seconds = 0.0
        self.binding: Any = None
        self._errors: list[tuple[float, float]] = []

    def begin(self, facts: GeneratedFacts) -> _Watched:
        self._seal = self._seal.begin(facts)
        self.binding = self._seal.binding
        return self

    def mark(self, image: Image, moment: float, faces: Any) -> Image:
        started = time.process_time()
        marked: Image = self._seal.mark(image, moment, faces)
        self.seconds += time.process_time() - started
        if len(self._errors) * _SAMPLED <= moment * 25:
            self._errors.append(quality(image, marked))
        return marked

    def __call__(self, unsealed: Path, destination: Path, facts: GeneratedFacts) -> None:
        self._seal(unsealed, destination, facts)

    def close(self, encoding: float) -> None:
        """`encoding`: CPU seconds of everything but marking."""
        _add(self._cost, self._errors, self.seconds / max(encoding, 1e-9))


def _seal(clip: Path, folder: Path, number: int, config: SurvivalConfig, done: Survival) -> tuple[float, bool, bytes]:
    """Seals the clip as if it had been generated. Returns statistic and detection of the unmarked clip, and the
    payload.
    """
    from provenance.signing.seal import C2paSeal
    from provenance.watermark import DEFAULT, REGISTRY

    reader = REGISTRY.load(DEFAULT)().reader()
    watched = _Watched(
        C2paSeal(folder / "keys", repository=folder / "repository.sqlite3"), done.costs.setdefault(OURS, Cost())
    )
    facts = GeneratedFacts(f"clip {number}", "none", "0" * 64, number, (), file_digest(clip))
    frames = list(_frames(clip, config))
    height, width = frames[0][0].shape[:2]
    started = time.process_time()
    with GeneratedVideoWriter(
        folder / f"{number}.mp4", width=width, height=height, rate=25, seal=watched, facts=facts
    ) as video:
        for image, moment in frames:
            video.write(image, moment)
        encoding = time.process_time() - started - watched.seconds
    watched.close(encoding)
    for image, _ in frames:
        reader.add(image)
    found = reader.read()
    if config.baseline:
        _seal_baseline(
            frames,
            folder / f"baseline-{number}.mp4",
            watched.binding.payload,
            facts,
            done.costs.setdefault(BASELINE, Cost()),
        )
    return found.statistic, found.detected, watched.binding.payload


def _seal_baseline(
    frames: Sequence[tuple[Image, float]], path: Path, payload: bytes, facts: GeneratedFacts, cost: Cost
) -> None:
    from benchmarks.attacks.reencoding import encode
    from benchmarks.watermark.baseline_mark import BaselineMark

    mark, errors, marked = BaselineMark(payload), [], []
    started = time.process_time()
    for image, moment in frames:
        marked.append((mark.mark(image), moment))
    marking = time.process_time() - started
    errors = [
        quality(image, changed) for (image, _), (changed, _) in list(zip(frames, marked, strict=True))[::_SAMPLED]
    ]
    started = time.process_time()
    encode(path, marked, 18, 25)
    _add(cost, errors, marking / max(time.process_time() - started, 1e-9))


def _treat_and_recover(
    treatment: str, file: Path, payload: bytes, folder: Path, done: Survival, nearest: list[float]
) -> None:
    from provenance.durable.fingerprint import distance
    from provenance.durable.recovered import read_store
    from provenance.durable.recovery import look, recover
    from provenance.durable.repository import open_repository
    from provenance.formats.manifest_box import embedded_store
    from provenance.watermark import DEFAULT, REGISTRY

    tally = done.tallies.setdefault((OURS, treatment), Tally())
    copy = reencode(treatment, file, folder)
    reader = REGISTRY.load(DEFAULT)().reader()
    seen, _, _ = look(copy, reader)
    blind = reader.read()
    with file.open("rb") as stream:
        own = read_store(embedded_store(stream) or b"").label
    with open_repository(folder / "repository.sqlite3") as repository:
        found = recover(copy, [repository])
        if treatment == "crf 28":
            nearest += [distance(stored, seen) for identifier, stored in repository.fingerprints() if identifier != own]
    right = found.chosen is not None and found.chosen.manifest_id == own
    tally.copies += 1
    tally.payloads += blind.detected and blind.payload == payload
    tally.recovered += right
    tally.confirmed += right and found.outcome == "confirmed"
    tally.wrong += (blind.detected and blind.payload != payload) or (found.chosen is not None and not right)
    tally.statistics.append(blind.statistic)


def _treat_baseline(treatment: str, file: Path, payload: bytes, folder: Path, done: Survival) -> None:
    from benchmarks.watermark.baseline_mark import read_baseline

    tally = done.tallies.setdefault((BASELINE, treatment), Tally())
    with VideoReader(file) as video:
        frames = video.info.declared_frames or 100
    tally.copies += 1
    tally.payloads += read_baseline(reencode(treatment, file, folder), frames) == payload


def _frames(clip: Path, config: SurvivalConfig) -> Any:
    with VideoReader(clip, max_side=config.max_side) as video:
        for frame in video:
            if frame.time >= config.seconds:
                return
            height, width = (side // 2 * 2 for side in frame.image.shape[:2])
            yield np.ascontiguousarray(frame.image[:height, :width]), frame.time


def quality(before: Image, after: Image) -> tuple[float, float]:
    """(mean squared error of all channels in levels of 255, SSIM of the luminance)."""
    error = float(np.mean((before.astype(np.float32) - after) ** 2))
    a, b = (torch.from_numpy(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) / 255.0)[None, None] for image in (before, after))
    return error, float(structural_similarity(a, b))


def _add(cost: Cost, errors: Sequence[tuple[float, float]], share: float) -> None:
    error = float(np.mean([pair[0] for pair in errors]))
    cost.psnr.append(10 * math.log10(255**2 / max(error, 1e-9)))
    cost.ssim.append(float(np.mean([pair[1] for pair in errors])))
    cost.share.append(share)


def _below(distances: Sequence[float]) -> dict[str, Any]:
    from provenance.durable.fingerprint import THRESHOLD

    return {"threshold": THRESHOLD, "below": sum(apart <= THRESHOLD for apart in distances)}
