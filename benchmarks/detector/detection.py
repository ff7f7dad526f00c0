"""What the detector knows and what it does not, by how far a fake is from what it was trained on: tests E0 to E8, and a
matrix.

In: clips of a clips.jsonl, scored once; the detector's own record, which says from which generators and methods it
learnt; the record of the robustness benchmark. Out: a row a test and family, each against the fakes' own twins, of
people who are in no training. E4, fakes by others, is `sfumato evaluate` on a public data set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.metrics.comparison import (
    compare,
    families_of,
    family_of,
    flagged,
    fpr_limits,
    promise,
    protocol_for,
    reals_for,
    scores_of,
    shuffled_auc,
    trained_on,
)
from benchmarks.metrics.intervals import student_interval
from benchmarks.rows.comparison import BarRow, Compared, VideoEstimate
from benchmarks.rows.detection import AblationRow, DetectionRow, DistanceRow, MatrixRow
from detector.datasets.sample import Sample
from detector.evaluation.protocol import Scored
from detector.evaluation.rows import clusters_of
from sfumato.errors import UsageError
from sfumato.media.clips import TWIN

PROTOCOL = "detection-1"
OURS = ("zakharov2019", "zakharov2019-warp")  # our generator's networks
UNSEEN_CHECKPOINT, LEFT_OUT = 0.97, 0.75  # floors of AUC
FEWEST_CONTROLS = (
    5  # detectors of shuffled labels: of fewer Student's interval is so wide that it holds .5 whatever they know
)


@dataclass(frozen=True)
class Known:
    """What the detector has learnt from: digests of generators, families (methods), and names of people, sources and
    drivers.
    """

    generators: frozenset[str]
    families: frozenset[str]
    names: frozenset[str]

    @classmethod
    def of(cls, record: Mapping[str, Any], every: Sequence[Sample]) -> Known:
        """every: all rows of the lists, also those of other splits, whose names are what "held out" is checked
        against.
        """
        learnt = [sample for sample in every if sample.split in ("train", "validation")]
        names = frozenset[str]().union(*(sample.ties for sample in learnt))
        return cls(
            frozenset(record.get("training", {}).get("generators", ())), frozenset(trained_on(every, record)), names
        )


@dataclass(frozen=True)
class Test:
    """holds: whether a fake belongs to it; floor: of AUC, for the fakes it is promised for."""

    name: str
    title: str
    holds: Callable[[Sample, Known], bool]
    floor: Callable[[Sample, Known], float | None] = lambda sample, known: None


def _swap(sample: Sample) -> bool:
    return family_of(sample).startswith("swap")


def _left_out(sample: Sample, known: Known) -> float | None:
    return LEFT_OUT if family_of(sample) not in known.families else None


TESTS = (
    Test(
        "E0", "method and checkpoint seen in training, people held out",
        lambda s, k: family_of(s) in k.families and (s.generator_digest is None or s.generator_digest in k.generators),
    ),
    Test(
        "E1", "checkpoint held out, architecture seen",
        lambda s,
        k: family_of(s) in k.families and s.generator_digest is not None and s.generator_digest not in k.generators,
        lambda s, k: UNSEEN_CHECKPOINT if family_of(s) in OURS else None,
    ),
    Test(
        "E2", "architecture held out", lambda s,
        k: not _swap(s) and s.family != "blend" and family_of(s) not in k.families,
        lambda s, k: LEFT_OUT if family_of(s) == "landmark-warp" else None,
    ),
    Test(
        "E3", "person and driver both held out, and not one person",
        lambda s, k: s.driver_id is not None and s.driver_id != s.identity and not {s.driver_id, s.identity} & k.names,
    ),
    Test("E5", "face swaps", lambda s, k: _swap(s), _left_out),
)  # fmt: skip


def run_tests(
    scored: Sequence[Scored], every: Sequence[Sample], record: Mapping[str, Any], frames: int, seed: int = 0
) -> list[DistanceRow]:
    """E0 to E5, then E8. A test without fakes is a row with the reason. Raises UsageError without reals."""
    samples = [item.sample for item in scored]
    if not any(sample.label == "real" for sample in samples):
        raise UsageError("There are no reals to tell the fakes from", "The list needs the twins of its fakes.")
    known, clusters = Known.of(record, every), clusters_of(scored)
    protocol = protocol_for(frames, clusters)
    rows: list[DistanceRow] = []
    for test in TESTS:
        chosen = [i for i, sample in enumerate(samples) if sample.label == "fake" and test.holds(sample, known)]
        if not chosen:
            rows.append(_refused(test.name, test.title, "no such fake in the list"))
        for name in families_of(samples[i] for i in chosen):
            fakes = [i for i in chosen if family_of(samples[i]) == name]
            found = compare(scored, fakes, reals_for(samples, fakes), clusters, protocol, seed=seed)
            row = replace(_tested(test.name, test.title, name, found), trained=name in known.families)
            floor = test.floor(samples[fakes[0]], known)
            if floor is not None and row.auc is not None:
                row = replace(row, floor=floor, met=row.auc.value >= floor)
            rows.append(row)
    fakes = [i for i, sample in enumerate(samples) if sample.label == "fake"]
    if fakes:
        reals = reals_for(samples, fakes)
        shuffled = shuffled_auc(scored, fakes, reals, clusters, protocol, seed=seed)
        rows.append(DistanceRow(
            test="E8", title="labels exchanged at random within each person", family="all",
            n={"real": len(reals), "fake": len(fakes)}, refused={}, auc=shuffled.auc, shuffles=shuffled.shuffles,
            floor=0.5, met=shuffled.met,
        ))  # fmt: skip
    return rows


def twin_control(scored: Sequence[Scored]) -> list[BarRow]:
    """E7 on the fakes' own twins, reals that went through our cropper and writer: their FPR, and whether it is that of
    other reals.
    """
    twins, others = (
        [s for s in scored if s.sample.label == "real" and (s.sample.method == TWIN) == is_twin]
        for is_twin in (True, False)
    )
    rows: list[BarRow] = []
    of_others = flagged(others)
    for alpha, rates in flagged(twins).items():
        rows += promise(alpha, rates, "the twins, reals through our cropper and writer,")
        bounds = fpr_limits(of_others, alpha)
        if bounds is not None and rates.fpr is not None:
            what = f"FPR at {alpha} of the twins within the interval of the other reals (up to {bounds[1]:.3f})"
            rows.append(BarRow(bar=what, value=rates.fpr.value, met=rates.fpr.value <= bounds[1]))
    return [replace(row, test="E7", n=len(twins)) for row in rows]


def shuffled_training(runs: Sequence[Sequence[Scored]], frames: int, seed: int = 0) -> DistanceRow:
    """E8 of detectors that were trained with shuffled labels, the same videos judged by each: the interval of their AUC
    must hold .5.

    One detector's random direction is not blind, it errs to either side: of several, each from its own seed, the mean
    counts, with Student's interval over the detectors. Of one, the interval resamples people. Raises UsageError for two
    to four of them, whose interval would hold .5 whatever they know, and for one that is given twice.
    """
    if 1 < len(runs) < FEWEST_CONTROLS:
        raise UsageError(
            f"{len(runs)} controls are too few for an interval over them", f"Give one, or {FEWEST_CONTROLS} and more."
        )
    rows, values = [], []
    for scored in runs:
        samples = [item.sample for item in scored]
        fakes = [i for i, sample in enumerate(samples) if sample.label == "fake"]
        clusters = clusters_of(scored)
        protocol = protocol_for(frames, clusters)
        rows.append(compare(scored, fakes, reals_for(samples, fakes), clusters, protocol, seed=seed))
        values.append(tuple(scores_of(scored, protocol)))
    if len(set(values)) < len(values):
        raise UsageError("Two of the controls judge everything alike", "Give each its own seed: --set train.seed=N.")
    found = _tested("E8", "detector trained with shuffled labels", "all", rows[0])
    aucs = tuple(row.auc.value for row in rows if row.auc is not None)
    if len(runs) > 1 and len(aucs) == len(runs):
        low, high = student_interval(aucs)
        found = replace(
            found, title=f"{len(aucs)} detectors trained with shuffled labels, their mean", coverage=None, flagged=None,
            auc=VideoEstimate(float(np.mean(aucs)), (max(0.0, low), min(1.0, high))), aucs=aucs,
            interval="95 % Student's t over the detectors",
        )  # fmt: skip
    bounds = None if found.auc is None else found.auc.interval
    return found if bounds is None else replace(found, floor=0.5, met=bounds[0] <= 0.5 <= bounds[1])


def from_robustness(lines: Iterable[Mapping[str, Any]], judging: str) -> list[DetectionRow]:
    """E6 and E7 out of the record of `sfumato bench robustness`, given by line: its bars. `judging`: as the detector
    names it; the record of another, or of the same network before it was calibrated anew, is not used, and that is
    said.
    """
    listed = list(lines)
    if any(line.get("judging") != judging for line in listed) or not listed:
        other = "the robustness record is of another detector, or of another calibration of it"
        reason = other if listed else "no robustness record"
        return [_refused(test, title, reason) for test, title in _FROM_RECORD.items()]
    bars = [BarRow.read(line) for line in listed if line["kind"] == "bar"]
    return [replace(bar, test="E7" if bar.set_name == "controls" else "E6", set_name=None) for bar in bars]


_FROM_RECORD = {"E6": "robustness grid", "E7": "reals through our writer and cropper, and as soft as the fakes"}


def matrix(scored: Mapping[str, Sequence[Scored]], frames: int, seed: int = 0) -> list[MatrixRow]:
    """{name of what a detector was trained on: the same videos, scored by it} to a row for each of its test
    families.
    """
    return [
        MatrixRow(train=name, family=family, **vars(found))
        for name, by_one in scored.items()
        for family, found in _by_family(by_one, None, frames, seed)
    ]


def ablation(scored: Mapping[str, Sequence[Scored]], frames: int, seed: int = 0) -> list[AblationRow]:
    """{name of a detector: the same videos, scored by it} to a row for each family, with the paired change from the
    first of them.
    """
    first = next(iter(scored.values()))
    return [
        AblationRow(train=name, family=family, **vars(found))
        for name, by_one in scored.items()
        for family, found in _by_family(by_one, None if first is by_one else first, frames, seed)
    ]


def _by_family(
    by_one: Sequence[Scored], before: Sequence[Scored] | None, frames: int, seed: int
) -> Iterator[tuple[str, Compared]]:
    samples, clusters = [item.sample for item in by_one], clusters_of(by_one)
    protocol = protocol_for(frames, clusters)
    for family in families_of(samples):
        fakes = [i for i, sample in enumerate(samples) if sample.label == "fake" and family_of(sample) == family]
        yield family, compare(by_one, fakes, reals_for(samples, fakes), clusters, protocol, before, seed)


def _tested(test: str, title: str, family: str, found: Compared) -> DistanceRow:
    """A row of a test, without what changed: there is nothing that it changed from."""
    held = {name: value for name, value in vars(found).items() if name != "change"}
    return DistanceRow(test=test, title=title, family=family, **held)


def _refused(test: str, title: str, reason: str) -> DistanceRow:
    return DistanceRow(test=test, title=title, family="none", refused={"all": reason})
