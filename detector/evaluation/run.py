"""An evaluation: scored videos in, every row that is worth printing out, and what would make them worthless beside
them.

In: `Scored` videos (`detector.evaluation.journal`, `detector.evaluation.predictions`). Out: `Evaluation`: metrics of
the whole under several protocols and of every slice under the chosen one, what the protocols' identifiers stand for,
leaks and the shortcut audit. JSON lines or text.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from detector.config import SCAN_FRAMES
from detector.datasets import REGISTRY
from detector.datasets.sample import Adapter, Sample, clips_samples
from detector.evaluation.choices import Aggregator, Level, NoFace, Unit
from detector.evaluation.intervals import Clusters
from detector.evaluation.leakage import Leak
from detector.evaluation.predictions import has_frames
from detector.evaluation.protocol import GIVEN, Protocol, Scored, are_probabilities, units
from detector.evaluation.rows import EvaluationRow, clusters_of, measure, measure_slice, slices
from detector.evaluation.shortcuts import WARN_ABOVE, matched_auc, metadata_auc, sharpness_auc
from sfumato.errors import UsageError
from sfumato.version import __version__


@dataclass(frozen=True)
class EvaluationConfig:
    """frames: sampled a video, 0 when others did it; threshold: a score above it is flagged; unit: what intervals
    resample.
    """

    level: Level = "video"
    aggregator: Aggregator = "mean"  # DeepfakeBench's, SBI's and GenD's
    no_face: NoFace = "half"  # SBI's and DFDC's; `abstain` is printed beside it
    frames: int = SCAN_FRAMES
    unit: Unit | Literal["auto"] = "auto"
    threshold: float | None = None
    seed: int = 0


@dataclass(frozen=True)
class Evaluation:
    """rows: metrics; protocols: {identifier: what it stands for}; shortcuts: {audit: result or {"refused": why}}."""

    rows: list[EvaluationRow]
    protocols: dict[str, dict[str, Any]]
    leaks: list[Leak] = field(default_factory=list)
    shortcuts: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: list[tuple[str, str]] = field(default_factory=list)

    @property
    def leaks_badly(self) -> bool:
        return any(leak.severe for leak in self.leaks)

    def lines(self, model: Mapping[str, Any]) -> Iterator[str]:
        """JSON lines; each says with which version and of which model, and metrics name their protocol."""
        about = {"version": __version__, "date": time.strftime("%Y-%m-%d", time.gmtime()), "model": dict(model)}
        for name, protocol in self.protocols.items():
            yield json.dumps({"record": "protocol", "protocol": name, **about, "means": protocol})
        for row in self.rows:
            yield json.dumps({"record": "metrics", **row.as_json(), **about})
        yield json.dumps({"record": "leaks", "found": [leak.as_json() for leak in self.leaks], **about})
        yield json.dumps({"record": "shortcuts", "found": self.shortcuts, **about})
        yield json.dumps({"record": "failures", "found": self.failures, **about})


def evaluate(scored: Sequence[Scored], config: EvaluationConfig, leaks: Sequence[Leak] = ()) -> Evaluation:
    """Raises UsageError when the chosen protocol does not fit the scores, or nothing has one."""
    if not any(item.status == "ok" for item in scored):
        reasons = sorted({item.reason for item in scored if item.reason})
        raise UsageError(
            f"Nothing has a score ({', '.join(reasons) or 'there are none'})", "Look at the files with sfumato scan."
        )
    clusters = clusters_of(scored, config.unit)
    chosen = fitting(scored, config, clusters.unit)
    rows, protocols = list[EvaluationRow](), dict[str, dict[str, Any]]()
    for slice_, numbers in slices(scored):
        part = [scored[i] for i in numbers]
        for protocol in _beside(chosen, scored) if not slice_ else [chosen]:
            if slice_:
                row = measure_slice(scored, clusters, numbers, protocol, config.threshold, config.seed)
            else:
                row = measure(scored, clusters, protocol, config.threshold, config.seed)
            rows.append(dataclasses.replace(row, slice=slice_))
            protocols[row.protocol] = protocol.record(part)
    failures = [(str(item.sample.path), item.reason) for item in scored if item.status == "error"]
    return Evaluation(rows, protocols, list(leaks), _audits(scored, clusters, chosen), failures)


def find_samples(source: Path, adapter: str | None = None) -> tuple[list[Sample], Path]:
    """All samples of a data set on disk and the folder they lie in. adapter: a name of the registry; None: told from
    the source.

    Raises UsageError for a source that could be anything, MediaError for a damaged one.
    """
    if adapter is None and source.is_dir() and (source / "clips.jsonl").is_file():
        source = source / "clips.jsonl"
    if adapter in (None, "clips") and source.suffix == ".jsonl":
        return clips_samples(source), source.parent
    kinds = {".csv": "csv", ".json": "deepfakebench"}
    name = (
        adapter
        or kinds.get(source.suffix)
        or ("folder" if (source / "real").is_dir() and (source / "fake").is_dir() else None)
    )
    if name is None:
        raise UsageError(
            f"{source} is no clips.jsonl and has no real/ and fake/",
            f"Name its --adapter: {', '.join(REGISTRY.names())}.",
        )
    reader: Adapter = REGISTRY.load(name)()
    if source.is_file() != (name in kinds.values()):
        kind = "a file" if name in kinds.values() else "a folder"
        raise UsageError(f"{reader.title} is {kind}, {source} is not", "Name the right one.")
    return reader.listed(source), source if source.is_dir() else source.parent


def choose_split(samples: Sequence[Sample], split: str | None) -> tuple[list[Sample], str]:
    """Those of a split, and its name. None: the test split if there is one, otherwise everything. Raises UsageError for
    an empty split.
    """
    there = {sample.split or "none" for sample in samples}
    name = split or ("test" if "test" in there else "all")
    kept = [sample for sample in samples if name == "all" or (sample.split or "none") == name]
    if not kept:
        raise UsageError(f"Nothing is of the split {name!r}", f"There are: {', '.join(sorted(there))}; or all.")
    return kept, name


def fitting(scored: Sequence[Scored], config: EvaluationConfig, unit: Unit) -> Protocol:
    """The chosen protocol; scores that come one a video were aggregated by somebody else."""
    chosen = Protocol(config.level, config.aggregator, config.no_face, config.frames, unit)
    if config.frames == 0 and not has_frames(scored):
        chosen = dataclasses.replace(chosen, level="video", aggregator=GIVEN)
    if not are_probabilities(scored) and chosen.no_face == "half":
        chosen = dataclasses.replace(chosen, no_face="abstain")  # .5 means nothing there
    return chosen


def _beside(chosen: Protocol, scored: Sequence[Scored]) -> list[Protocol]:
    """What is printed for the whole: the chosen one, frames, videos by the mean, tracks; without a face .5, and left
    out.
    """
    levels: list[tuple[Level, Aggregator | Literal["given"]]] = [(chosen.level, chosen.aggregator)]
    if chosen.aggregator != GIVEN:
        levels += [("frame", "mean"), ("video", "mean")]
        if chosen.frames:  # only our own scores know who is who
            levels += [("track", "mean"), ("track", "top-third")]
    policies: list[NoFace] = [chosen.no_face, "half", "abstain"] if are_probabilities(scored) else ["abstain"]
    found = [
        dataclasses.replace(chosen, level=level, aggregator="mean" if level == "frame" else aggregator, no_face=policy)
        for level, aggregator in levels
        for policy in policies
    ]
    return list(dict.fromkeys(found))


def _audits(scored: Sequence[Scored], clusters: Clusters, chosen: Protocol) -> dict[str, dict[str, Any]]:
    alone = dataclasses.replace(chosen, level="video", no_face="abstain")
    taken = units(scored, alone)
    by_video: list[float | None] = [None] * len(scored)
    for number, value in zip(taken.of, taken.scores, strict=True):
        by_video[int(number)] = float(value)
    found: dict[str, dict[str, Any]] = {}
    audits: dict[str, Callable[[], dict[str, Any]]] = {
        "metadata": lambda: metadata_auc(scored, clusters),
        "sharpness": lambda: sharpness_auc(scored),
        "matched_sharpness": lambda: matched_auc(scored, by_video) | {"protocol": alone.identifier(scored)},
    }
    for name, audit in audits.items():
        try:
            found[name] = audit()
        except UsageError as error:
            found[name] = {"refused": error.message}
    value = found["metadata"].get("auc")
    found["metadata"]["warns"] = value is not None and value > WARN_ABOVE
    return found
