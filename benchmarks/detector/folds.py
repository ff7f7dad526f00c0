"""Leave-one-method-out without a whole training a method: from a finished detector that knows no fake by others, each
fold goes on with its methods left out and its people held out. Either its net is trained for some steps more, or the
net stays and its further heads alone are learnt (`detector.training.further_heads`).

In: rows of a clips.jsonl with fakes by others, the finished detector, its configuration. Out:
`<folder>/<fold>/weights` each, on one cache of crops, and `<folder>/folds.json`, which says what each fold left out and
held out; `benchmarks.detector.others` measures them. A stopped run goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from detector.config import DetectorConfig
from detector.data.cache import CropCache
from detector.datasets.sample import Sample
from detector.evaluation.leakage import is_learnt
from detector.inference.bundle import RECORD as NAME
from detector.inference.bundle import read_parts
from sfumato.atomic import write_text
from sfumato.config import to_dict
from sfumato.errors import CheckpointError, OutputError, UsageError, choose_from
from sfumato.limits import RECORD
from sfumato.media.clips import ClipRow, file_digest, groups_of
from sfumato.regular_file import read_regular_text

FOLDS = "folds.json"
FORMAT = "sfumato-folds-1"
Note = Callable[[str], None]


@dataclass(frozen=True)
class Fold:
    """name: of its folder; methods: left out of its training; test: paths of the clips that its detector is measured
    on, of people whom it has not seen: reals, and fakes of those methods.
    """

    name: str
    methods: tuple[str, ...]
    part: int
    test: tuple[str, ...]


def methods_left_out(rows: Sequence[ClipRow], together: Mapping[str, str] = {}) -> dict[str, tuple[str, ...]]:
    """{name of a fold: methods}: those of a collection, each by itself; methods that fit a pattern of `together`
    ({name: pattern}) are one fold, for variants of one method teach each other.

    Raises UsageError for a pattern that nothing fits, and without any fake of a collection.
    """
    methods = sorted({row.method for row in rows if row.label == "fake" and row.dataset is not None})
    if not methods:
        raise UsageError("The list has no fakes of a collection", "Add some: sfumato clips FOLDER --table TABLE.")
    folds: dict[str, list[str]] = defaultdict(list)
    for method in methods:
        named = next((name for name, pattern in together.items() if fnmatchcase(method, pattern)), method)
        folds[named].append(method)
    for name, pattern in together.items():
        if name not in folds:
            raise UsageError(f"No method fits {pattern!r}", choose_from(pattern, methods))
    return {name: tuple(found) for name, found in folds.items()}


def held_out(rows: Sequence[ClipRow], part: int, parts: int, seed: int = 0) -> list[ClipRow]:
    """The rows with their splits for one part of the people: of the collections' people a share of 1 / parts is in
    "test", and those who were there by the list are learnt from. One part: the list's own splits.

    People and sources stay together, and whoever is tied to one's own footage, whom the finished detector may have
    learnt from, keeps their split. Groups that hold the same methods are dealt to the parts in turn.
    """
    if parts == 1:
        return list(rows)
    groups = groups_of(rows)
    own = {group for row, group in zip(rows, groups, strict=True) if row.dataset is None}
    kinds: dict[str, set[str]] = defaultdict(set)
    names: dict[str, str] = {}
    for row, group in zip(rows, groups, strict=True):
        kinds[group].add(f"{row.dataset}/{row.method}")
        names[group] = min(names.get(group, row.identity), row.identity)
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for group in kinds.keys() - own:
        alike[tuple(sorted(kinds[group]))].append(group)
    chosen: set[str] = set()
    start = 0  # groups of few follow each other through the parts
    for _, found in sorted(alike.items()):
        dealt = sorted(found, key=lambda group: hashlib.sha256(f"{seed}\0{names[group]}".encode()).digest())
        chosen |= {group for place, group in enumerate(dealt, start) if place % parts == part}
        start += len(dealt)
    divided = []
    for row, group in zip(rows, groups, strict=True):
        freed = group not in own and row.split == "test"
        divided.append(replace(row, split="test") if group in chosen else replace(row, split="train") if freed else row)
    return divided


def plan(
    rows: Sequence[ClipRow], parts: int, together: Mapping[str, str] = {}, seed: int = 0
) -> list[tuple[Fold, list[ClipRow]]]:
    """All folds with the rows of each. One whose methods have no fake among its held-out people is left out."""
    found = []
    for part in range(parts):
        divided = held_out(rows, part, parts, seed)
        for name, methods in methods_left_out(rows, together).items():
            test = [row for row in divided if row.split == "test" and (row.label == "real" or row.method in methods)]
            if {row.label for row in test} == {"real", "fake"}:
                word = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "method"
                digest = hashlib.sha256(name.encode()).hexdigest()[:6]  # two names may have one word
                fold = Fold(f"{word[:40]}-{digest}-{part}", methods, part, tuple(row.path for row in test))
                found.append((fold, divided))
    if not found:
        raise UsageError("No fold has both fakes and reals to be measured on", "Take fewer --parts, or list more.")
    return found


def fold_config(config: DetectorConfig, fold: Fold, start: Path, steps: int) -> DetectorConfig:
    """The configuration of a fold: that of the finished detector, going on from it for `steps` steps."""
    left_out = tuple(dict.fromkeys((*config.samples.leave_out, *fold.methods)))
    return replace(
        config,
        samples=replace(config.samples, leave_out=left_out),
        train=replace(config.train, start=start, steps=steps, minutes=10**6),  # steps alone: the same weights again
        calibration=replace(config.calibration, test=False),
    )


def check_start(start: Path, folds: Sequence[Fold], samples: Sequence[Sample]) -> None:
    """start: detector.safetensors of a run, or the folder of an exported detector. Raises CheckpointError if it was
    taught or chosen with fakes of a method that is to be left out, or if its record, where there is one, says that it
    learnt from somebody who is to be held out. samples: of the list.
    """
    from detector.models.checkpoint import load_detector

    advice = "Go on from a detector that was trained without the collections of fakes by others."
    record = _record(start)
    known = set(record["training"]["methods"]) if start.is_dir() else set(load_detector(start)[2].get("validation", {}))
    if seen := sorted(known & {method for fold in folds for method in fold.methods}):
        raise CheckpointError(f"{start} has learnt from {seen[0]!r}, which is to be left out", advice)
    if record:
        held = {path for fold in folds for path in fold.test}
        test = [sample for sample in samples if sample.video_id in held]
        learnt = [sample.video_id for sample, seen in zip(test, is_learnt(test, record), strict=True) if seen]
        if learnt:
            raise CheckpointError(f"{start} has learnt from people in {learnt[0]}, which is to be held out", advice)


def learnt_apart(rows: Sequence[ClipRow], start: Path, samples: Sequence[Sample]) -> list[ClipRow]:
    """The rows, with everybody whom the detector has learnt from in "train", by its record and with all who are tied to
    them: their list may have been divided anew since. samples: of the same list.
    """
    record = _record(start)
    if not record:
        return list(rows)
    seen = {sample.video_id for sample, known in zip(samples, is_learnt(samples, record), strict=True) if known}
    groups = groups_of(rows)
    learnt = {group for row, group in zip(rows, groups, strict=True) if row.path in seen}
    return [replace(row, split="train") if g in learnt else row for row, g in zip(rows, groups, strict=True)]


def _record(start: Path) -> Any:
    """The detector's record; empty where a run has none yet."""
    if start.is_dir():
        return read_parts(start)[2]
    return read_parts(start.parent / "weights")[2] if (start.parent / "weights" / NAME).is_file() else {}


def train_folds(
    planned: Sequence[tuple[Fold, Sequence[ClipRow]]], cache: CropCache, config: DetectorConfig, folder: Path,
    start: Path, steps: int, note: Note = lambda text: None, advance: Callable[[float], None] = lambda amount: None,
) -> None:  # fmt: skip
    """Trains every fold of a `plan` that is not there yet, of rows with crops; where `start` is a folder, its further
    heads alone, and `steps` are 0. `advance` gets 1 a fold.

    Raises OutputError if `folder` holds folds of other rows, another start or other settings; UsageError where the
    people of a fold cannot carry a threshold.
    """
    from detector.training.further_heads import reader_of
    from detector.training.package import check_people, release, renew
    from detector.training.train import train
    from sfumato.run import RunFolder

    for _, divided in planned:
        check_people(divided, config.calibration)
    _keep_plan(folder, planned, config, file_digest(start / NAME if start.is_dir() else start), steps)
    reader = reader_of(read_parts(start)[0], config) if start.is_dir() else None  # sees each crop once for all folds
    for fold, divided in planned:
        place = folder / fold.name
        if not (place / "weights" / NAME).is_file():
            note(f"{fold.name}: without {', '.join(fold.methods)}")
            chosen = fold_config(config, fold, start, steps)
            if start.is_dir():
                place.mkdir(parents=True, exist_ok=True)
                renew(start, place, divided, cache, chosen, heads=True, reader=reader)
            else:
                train(divided, RunFolder(place, resume=True), chosen, cache, resume=True)
                release(place, divided, cache)
                (place / "checkpoint.safetensors").unlink(missing_ok=True)  # large, and of use to a stopped run alone
        advance(1)


def read_folds(folder: Path) -> list[Fold]:
    """Those of a finished run. Raises UsageError for another folder, or while a fold is not trained."""
    try:
        kept = json.loads(read_regular_text(folder / FOLDS, RECORD))
        folds = [
            Fold(str(f["name"]), tuple(map(str, f["methods"])), int(f["part"]), tuple(map(str, f["test"])))
            for f in kept["folds"]
        ]
        if kept["format"] != FORMAT or any(Path(fold.name).name != fold.name for fold in folds):
            raise ValueError("its format")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{folder} holds no folds: {error}", "Train them: sfumato bench folds.") from error
    lacking = [fold.name for fold in folds if not (folder / fold.name / "weights" / NAME).is_file()]
    if lacking:
        raise UsageError(f"{len(lacking)} folds in {folder} are not trained yet", "Let sfumato bench folds go on.")
    return folds


def _keep_plan(
    folder: Path, planned: Sequence[tuple[Fold, Sequence[ClipRow]]], config: DetectorConfig, start: str, steps: int
) -> None:
    """Writes folds.json, unless it is there already, of the same plan. Raises OutputError if it is of another."""
    folds = [asdict(fold) for fold, _ in planned]
    rows = [sorted((row.path, row.sha256, row.split) for row in divided) for _, divided in planned]
    facts = [to_dict(config), start, steps, rows, folds]
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()
    path = folder / FOLDS
    if path.exists():
        try:
            known = json.loads(read_regular_text(path, RECORD)).get("plan")
        except (OSError, ValueError, AttributeError) as error:
            raise OutputError(f"{path} is damaged: {error}", "Choose another folder.") from error
        if known != digest:
            raise OutputError(f"{folder} holds folds of other clips or settings", "Choose another folder.")
        return
    folder.mkdir(parents=True, exist_ok=True)
    kept = {"format": FORMAT, "plan": digest, "start": start, "steps": steps, "folds": folds}
    write_text(path, json.dumps(kept, indent=1) + "\n")
