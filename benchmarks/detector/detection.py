"""What the detector knows and what it does not, by how far a fake is from what it was trained on: tests E0 to E8, and a
matrix.

In: clips of a clips.jsonl, scored once; the detector's own record, which says from which generators and methods it
learnt; the record of the robustness benchmark. Out: a row a test and family, each against the fakes' own twins, of
people who are in no training. E4, fakes by others, is `sfumato evaluate` on a public data set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.metrics.comparison import (
    Row,
    compare,
    families_of,
    family_of,
    flagged,
    promise,
    protocol_for,
    reals_for,
    scores_of,
    shuffled_auc,
    trained_on,
)
from benchmarks.metrics.intervals import student_interval
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
) -> list[Row]:
    """E0 to E5, then E8. A test without fakes is a row with the reason. Raises UsageError without reals."""
    samples = [item.sample for item in scored]
    if not any(sample.label == "real" for sample in samples):
        raise UsageError("There are no reals to tell the fakes from", "The list needs the twins of its fakes.")
    known, clusters = Known.of(record, every), clusters_of(scored)
    protocol = protocol_for(frames, clusters)
    rows: list[Row] = []
    for test in TESTS:
        chosen = [i for i, sample in enumerate(samples) if sample.label == "fake" and test.holds(sample, known)]
        about = {"kind": "test", "test": test.name, "title": test.title}
        if not chosen:
            rows.append({**about, "family": "none", "refused": {"all": "no such fake in the list"}})
        for name in families_of(samples[i] for i in chosen):
            fakes = [i for i in chosen if family_of(samples[i]) == name]
            row = compare(scored, fakes, reals_for(samples, fakes), clusters, protocol, seed=seed)
            promised = _floor(test.floor(samples[fakes[0]], known), row)
            rows.append({**about, "family": name, "trained": name in known.families, **row, **promised})
    fakes = [i for i, sample in enumerate(samples) if sample.label == "fake"]
    if fakes:
        shuffled = shuffled_auc(scored, fakes, reals_for(samples, fakes), clusters, protocol, seed=seed)
        about = {
            "kind": "test",
            "test": "E8",
            "title": "labels exchanged at random within each person",
            "family": "all",
        }
        rows.append(
            {
                **about,
                **shuffled,
                "floor": 0.5,
                "n": {"real": len(reals_for(samples, fakes)), "fake": len(fakes)},
                "refused": {},
            }
        )
    return rows


def twin_control(scored: Sequence[Scored]) -> list[Row]:
    """E7 on the fakes' own twins, reals that went through our cropper and writer: their FPR, and whether it is that of
    other reals.
    """
    twins, others = (
        [s for s in scored if s.sample.label == "real" and (s.sample.method == TWIN) == is_twin]
        for is_twin in (True, False)
    )
    rows: list[Row] = []
    for alpha, rates in flagged(twins).items():
        about = {"kind": "bar", "test": "E7", "n": len(twins)}
        rows.append({**about, **promise(alpha, rates, "the twins, reals through our cropper and writer,")})
        if others:
            upper = flagged(others)[alpha]["fpr_interval"][1]
            what = f"FPR at {alpha} of the twins within the interval of the other reals (up to {upper:.3f})"
            rows.append({**about, "bar": what, "value": rates["fpr"], "met": rates["fpr"] <= upper})
    return rows


def shuffled_training(runs: Sequence[Sequence[Scored]], frames: int, seed: int = 0) -> Row:
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
        raise UsageError("Two of the controls judge every video alike", "Give each its own seed: --set train.seed=N.")
    found: Row = {
        "kind": "test",
        "test": "E8",
        "title": "detector trained with shuffled labels",
        "family": "all",
        **rows[0],
    }
    aucs = [row["auc"] for row in rows if "auc" in row]
    if len(runs) > 1 and len(aucs) == len(runs):
        low, high = student_interval(aucs)
        found = {key: found[key] for key in ("kind", "test", "family", "protocol_id", "n", "clusters", "refused")}
        found |= {
            "title": f"{len(aucs)} detectors trained with shuffled labels, their mean",
            "auc": float(np.mean(aucs)),
            "aucs": aucs,
        }
        found |= {
            "auc_interval": [max(0.0, low), min(1.0, high)],
            "interval": "95 % Student's t over the detectors",
        }
    bounds = found.get("auc_interval")
    return found | ({"floor": 0.5, "met": bounds[0] <= 0.5 <= bounds[1]} if bounds else {})


def from_robustness(rows: Iterable[Mapping[str, Any]], judging: str) -> list[Row]:
    """E6 and E7 out of the record of `sfumato bench robustness`: its bars. `judging`: as the detector names it; the
    record of another, or of the same network before it was calibrated anew, is not used, and that is said.
    """
    listed = list(rows)
    if any(row.get("judging") != judging for row in listed) or not listed:
        other = "the robustness record is of another detector, or of another calibration of it"
        reason = {"all": other if listed else "no robustness record"}
        return [
            {"kind": "test", "test": test, "title": title, "family": "none", "refused": reason}
            for test, title in _FROM_RECORD.items()
        ]
    found: list[Row] = []
    for row in listed:
        if row["kind"] == "bar":
            test = "E7" if row.get("set") == "controls" else "E6"
            found.append({"kind": "bar", "test": test, "bar": row["bar"], "value": row["value"], "met": row["met"]})
    return found


_FROM_RECORD = {"E6": "robustness grid", "E7": "reals through our writer and cropper, and as soft as the fakes"}


def matrix(scored: Mapping[str, Sequence[Scored]], frames: int, seed: int = 0) -> list[Row]:
    """{name of what a detector was trained on: the same videos, scored by it} to a row for each of its test
    families.
    """
    return [row for name, by_one in scored.items() for row in _by_family("matrix", name, by_one, None, frames, seed)]


def ablation(scored: Mapping[str, Sequence[Scored]], frames: int, seed: int = 0) -> list[Row]:
    """{name of a detector: the same videos, scored by it} to a row for each family, with the paired change from the
    first of them.
    """
    first = next(iter(scored.values()))
    return [row for name, by_one in scored.items() for row in _by_family("ablation", name, by_one, first, frames, seed)]


def _by_family(
    kind: str, name: str, by_one: Sequence[Scored], first: Sequence[Scored] | None, frames: int, seed: int
) -> list[Row]:
    samples, clusters = [item.sample for item in by_one], clusters_of(by_one)
    before = None if first is by_one else first
    rows: list[Row] = []
    for family in families_of(samples):
        fakes = [i for i, sample in enumerate(samples) if sample.label == "fake" and family_of(sample) == family]
        row = compare(by_one, fakes, reals_for(samples, fakes), clusters, protocol_for(frames, clusters), before, seed)
        rows.append({"kind": kind, "train": name, "family": family, **row})
    return rows


def _floor(floor: float | None, row: Row) -> Row:
    return {} if floor is None or "auc" not in row else {"floor": floor, "met": row["auc"] >= floor}
