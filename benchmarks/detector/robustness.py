"""Robustness: every clip under every treatment, applied to the whole video before a face is looked for, then judged as
a scan does.

In: clips of a clips.jsonl, a detector. Out: for each treatment and family AUC, its paired change, what the detector's
own thresholds flag and how many videos still show a usable face; the mean and the worst of each set; the negative
controls; the bars. What was judged is kept in a journal, so that a run can be stopped, widened by people or
treatments, and gone on with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.detector.controls import NEEDS_GOAL, Control
from benchmarks.detector.grid import CONTROL_SET, CONTROLS, DF1, GRID, TREATMENTS, treat
from benchmarks.metrics.comparison import (
    compare,
    compare_reals,
    families_of,
    family_of,
    promise,
    protocol_for,
    reals_for,
    scores_of,
    trained_on,
)
from benchmarks.rows.comparison import BarRow
from benchmarks.rows.robustness import (
    EquallySharp,
    FamilyRow,
    RealsRow,
    RobustnessRow,
    SharpnessRow,
    Softness,
    SummaryRow,
)
from detector.datasets.sample import Sample
from detector.evaluation.journal import Facts, VideoJournal, as_facts, from_facts
from detector.evaluation.protocol import Protocol, Scored
from detector.evaluation.rows import clusters_of
from detector.evaluation.shortcuts import matched_auc, sharpness_auc
from detector.inference.bundle import load_shipped
from detector.inference.prediction import Prediction, Reason
from detector.inference.video_detector import VideoDetector
from sfumato.errors import MediaError, UsageError
from sfumato.execution.executor import Done, run
from sfumato.media.video.private_folder import private_folder

PROTOCOL = "robustness-1"
UNTOUCHED = "untouched"
WORST_LOSS = 0.10  # of AUC of a family that was trained on, after `HARD`
HARD = "half size, crf 33"
REENCODED = (
    "crf",
    "half size",
    "VP9",
    "resize",
    "near-lossless",
)  # beginnings of the names that the bar on reals is about


@dataclass(frozen=True)
class RobustnessConfig:
    """frames: judged of each video; the thresholds were set on 12. people: drawn by seed, None: all. workers:
    processes.
    """

    treatments: tuple[str, ...]
    frames: int = 12
    people: int | None = None
    seed: int = 0
    workers: int = 1

    def __post_init__(self) -> None:
        if self.frames < 3 or self.workers < 1 or (self.people is not None and self.people < 1):
            raise UsageError("frames, people or workers are out of range", "3 frames or more, 1 or more of the others.")


@dataclass(frozen=True)
class Work:
    """One copy to be made and judged. goal: the sharpness to match, where the control needs one."""

    sample: Sample
    treatment: str
    goal: float | None = None

    @property
    def setting(self) -> str:
        """Names what is done to it."""
        return self.treatment if self.goal is None else f"{self.treatment} {self.goal:.3f}"


def draw_people(samples: Sequence[Sample], people: int | None, seed: int) -> list[Sample]:
    """The clips of `people` persons, of those with fakes first, and the twins of their fakes; a larger number holds the
    smaller ones'.
    """
    if people is None:
        return list(samples)
    order = sorted({s.identity for s in samples if s.label == "fake"} or {s.identity for s in samples})
    kept = {order[i] for i in np.random.default_rng(seed).permutation(len(order))[:people]}
    chosen = [s for s in samples if s.identity in kept]
    twins = {s.pair_of for s in chosen}
    return [s for s in samples if s.identity in kept or s.path in twins]


def judge_all(
    samples: Sequence[Sample], model: Path | None, config: RobustnessConfig, journal: Path,
    advance: Callable[[float], None] = lambda amount: None,
) -> dict[str, list[Scored]]:  # fmt: skip
    """{treatment: scored, as `samples`}, "untouched" first. Under a control the reals are treated, the fakes stay as
    they are.

    `advance` gets 1 a copy. Raises CheckpointError, MissingPartError, OutputError where there is no room; a copy that
    cannot be made of its source has status "error" and the reason.
    """
    found: dict[str, list[Scored]] = {}
    with closing(_Kept(journal, load_shipped(model).judging, config.frames)) as kept:
        for treatments in ((UNTOUCHED,), config.treatments):  # the untouched fakes say what some controls aim at
            goals = {name: fakes_sharpness(found[UNTOUCHED]) for name in treatments if name in NEEDS_GOAL}
            works = [Work(s, name, goals.get(name)) for name in treatments for s in samples if _is_treated(s, name)]
            facts = {work: entry for work in works if (entry := kept.find(work)) is not None}
            missing = [work for work in works if work not in facts]
            advance(len(treatments) * len(samples) - len(missing))
            if missing:  # else no net is loaded
                with closing(run(missing, partial(_Hand, model, config.frames), config.workers)) as results:
                    for done in results:
                        facts[done.task] = kept.taken(done)
                        advance(1)
            for name in treatments:
                found[name] = [
                    from_facts(sample, facts[Work(sample, name, goals.get(name))])
                    if _is_treated(sample, name) else found[UNTOUCHED][i]
                    for i, sample in enumerate(samples)
                ]  # fmt: skip
    return found


def fakes_sharpness(scored: Sequence[Scored]) -> float | None:
    """The median over the fakes; None without any."""
    values = [item.sharpness for item in scored if item.sample.label == "fake" and item.sharpness is not None]
    return float(np.median(values)) if values else None


def measure(found: dict[str, list[Scored]], record: dict[str, Any], config: RobustnessConfig) -> list[RobustnessRow]:
    """All rows of the record: treatments by family, reals, summaries, controls, sharpness, bars. Raises UsageError
    without any score.
    """
    before = found[UNTOUCHED]
    samples = [item.sample for item in before]
    if not any(item.status == "ok" for item in before):
        raise UsageError("Nothing shows a face that can be judged", "Look at the files with sfumato scan.")
    clusters = clusters_of(before)
    protocol = protocol_for(config.frames, clusters)
    reals = [i for i, sample in enumerate(samples) if sample.label == "real"]
    kinds = {
        name: [i for i, s in enumerate(samples) if s.label == "fake" and family_of(s) == name]
        for name in families_of(samples)
    }
    trained = trained_on(samples, record)
    rows: list[FamilyRow | RealsRow] = []
    for treatment, scored in found.items():
        about: dict[str, Any] = {"treatment": treatment, "set_name": set_of(treatment)}
        earlier = None if treatment == UNTOUCHED else before
        for name, fakes in kinds.items():
            compared = compare(scored, fakes, reals_for(samples, fakes), clusters, protocol, earlier, config.seed)
            rows.append(FamilyRow(**about, family=name, trained=name in trained, **vars(compared)))
        if reals:
            of_reals = compare_reals(scored, reals, clusters, protocol, before, config.seed)
            rows.append(RealsRow(**about, **vars(of_reals)))
    summaries = _summaries([row for row in rows if isinstance(row, FamilyRow)])
    sharpness = [_sharpness(name, before, fakes, reals_for(samples, fakes), protocol) for name, fakes in kinds.items()]
    return [*rows, *summaries, *sharpness, *bars(rows)]


def set_of(treatment: str) -> str:
    """grid, df1, controls or untouched."""
    return (
        UNTOUCHED
        if treatment == UNTOUCHED
        else CONTROL_SET
        if treatment in CONTROLS
        else TREATMENTS[treatment].set_name
    )


def bars(rows: Sequence[FamilyRow | RealsRow]) -> list[BarRow]:
    """What was promised, and whether it holds. A bar whose treatment was not run is left out."""
    return [bar for row in rows for bar in (_family_bars(row) if isinstance(row, FamilyRow) else _reals_bars(row))]


def _family_bars(row: FamilyRow) -> list[BarRow]:
    if row.treatment != HARD or not row.trained or row.change is None:
        return []
    what = f"{row.family} loses at most {WORST_LOSS:.2f} AUC after H.264 crf 33 at half size"
    changes = {".5 without a usable face": row.change.value, "where a face is still usable": row.change.covered}
    return [
        BarRow(set_name=row.set_name, bar=f"{what}, {where}", value=change, met=change >= -WORST_LOSS)
        for where, change in changes.items()
        if change is not None
    ]


def _reals_bars(row: RealsRow) -> list[BarRow]:
    found: list[BarRow] = []
    if row.treatment == UNTOUCHED:
        found += [bar for alpha, rates in row.flagged.items() for bar in promise(alpha, rates, "the untouched reals")]
    elif row.set_name == CONTROL_SET or row.treatment.startswith(REENCODED):
        for alpha, within in row.within.items():
            what = f"FPR at {alpha} of reals after {row.treatment} within the interval of the untouched"
            if (rate := row.flagged[alpha].fpr) is not None:
                found.append(BarRow(bar=what, value=rate.value, met=within))
    return [replace(bar, set_name=row.set_name) for bar in found]


def footage_of(samples: Sequence[Sample]) -> str:
    """One digest for the set of clips."""
    return hashlib.sha256("".join(sorted(s.sha256 or str(s.path) for s in samples)).encode()).hexdigest()


def _summaries(rows: Sequence[FamilyRow]) -> list[SummaryRow]:
    found: list[SummaryRow] = []
    for group in (GRID, DF1):
        for name in dict.fromkeys(row.family for row in rows):
            own = [
                (row.auc.value, row)
                for row in rows
                if (row.set_name, row.family) == (group, name) and row.auc is not None
            ]
            if not own:
                continue
            lowest, worst = min(own, key=lambda pair: pair[0])
            found.append(SummaryRow(
                set_name=group, family=name, treatments=len(own), mean=float(np.mean([auc for auc, _ in own])),
                worst=lowest, worst_treatment=worst.treatment,
                coverage_lowest=min(row.coverage.get("fake", 0.0) for _, row in own),
            ))  # fmt: skip
    return found


def _sharpness(
    family: str, scored: Sequence[Scored], fakes: Sequence[int], reals: Sequence[int], protocol: Protocol
) -> SharpnessRow:
    """AUC of softness alone, and the detector's on pairs of equal sharpness, beside the plain one."""
    part = [scored[i] for i in (*reals, *fakes)]
    refused: dict[str, str] = {}
    alone = matched = None
    try:
        alone = Softness(**sharpness_auc(part))
    except UsageError as error:
        refused["alone"] = error.message
    try:
        matched = EquallySharp(**matched_auc(part, scores_of(part, protocol).tolist()))
    except UsageError as error:
        refused["matched"] = error.message
    identifier = protocol.identifier(part)
    return SharpnessRow(family=family, protocol_id=identifier, refused=refused, alone=alone, matched=matched)


def _is_treated(sample: Sample, treatment: str) -> bool:
    return not (treatment in CONTROLS and sample.label == "fake")


class _Kept:
    """What was judged before, of any treatment: one file, and in it entries under each treatment's own settings."""

    def __init__(self, path: Path, judging: str, frames: int) -> None:
        self.path, self.judging, self.frames = path, judging, frames
        self._journals: dict[str, VideoJournal] = {}
        self._digests: dict[Path, str] = {}  # a clip is read once, however many treatments there are

    def find(self, work: Work) -> Facts | None:
        return self._of(work).find(work.sample)

    def taken(self, done: Done[Work, Facts]) -> Facts:
        """The facts of a work that was done, which are kept; of one that failed, that it did, which is not."""
        if done.value is None:
            reason = Reason("untreatable", f"{done.failure}: {done.message}")
            return as_facts(Prediction("error", (reason,)), done.task.sample.path)
        self._of(done.task).add(done.task.sample, done.value)
        return done.value

    def close(self) -> None:
        for journal in self._journals.values():
            journal.close()

    def _of(self, work: Work) -> VideoJournal:
        if work.setting not in self._journals:
            options = [PROTOCOL, work.setting, self.frames]
            self._journals[work.setting] = VideoJournal(self.path, self.judging, options, self._digests)
        return self._journals[work.setting]


class _Hand:
    """Makes and judges copies; one a process."""

    def __init__(self, model: Path | None, frames: int) -> None:
        from sfumato.media.faces import FaceDetector

        self.detector, self.frames, self.faces = VideoDetector(model), frames, FaceDetector()

    def __call__(self, work: Work) -> Facts:
        if work.treatment == UNTOUCHED:
            return as_facts(self.detector.predict(work.sample.path, self.frames), work.sample.path)
        with private_folder() as folder:  # copies of fakes, without their credential
            try:
                copy = self._treated(work, folder)
            except (MediaError, UsageError) as error:
                return as_facts(Prediction("error", (Reason("untreatable", error.message),)), work.sample.path)
            return as_facts(self.detector.predict(copy, self.frames), copy)

    def _treated(self, work: Work, folder: Path) -> Path:
        if work.treatment in CONTROLS:
            return Control(work.treatment, self.faces, self.detector.bundle.size, work.goal).apply(
                work.sample.path, folder
            )
        return treat(TREATMENTS[work.treatment].steps, work.sample.path, folder)
