"""What a test set shares with what a detector was trained on, and with itself: people, recordings, files, generators.

In: the samples that are evaluated; where it is known, the clips.jsonl of the training and the record of the model. Out:
`Leak`s. A number taken in spite of one says more about memory than about detection.
"""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from detector.datasets.sample import Sample, content_digest
from sfumato.errors import MediaError
from sfumato.media.clips import TWIN, ClipRow

Kind = Literal["person or source", "file", "file with two labels", "split", "generator"]
_SHOWN = 10
_HASH = 6  # bytes
LEARNT_FROM = (
    "train",
    "validation",
    "calibration",
)  # splits that shape a detector: weights, choice of weights, thresholds


@dataclass(frozen=True)
class Leak:
    """kind: what is shared; names: the first ten; count: how many; severe: False for what a reader must know but may
    want (a generator whose clips were trained on gives the easier test).
    """

    kind: Kind
    names: tuple[str, ...]
    count: int
    severe: bool = True

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "names": list(self.names), "count": self.count, "severe": self.severe}


def training_leaks(samples: Sequence[Sample], training: Iterable[Sample]) -> list[Leak]:
    """People, sources, drivers and files that the training had too. Only the splits that shape a detector count."""
    learnt = [sample for sample in training if sample.split in LEARNT_FROM]
    names = frozenset[str]().union(*(sample.ties for sample in learnt))
    digests = {sample.sha256 for sample in learnt if sample.sha256}
    shared = {name for sample in samples for name in sample.ties if name in names}
    files = {str(sample.path) for sample in samples if sample.sha256 in digests}
    return [*_leak("person or source", shared), *_leak("file", files)]


def model_leaks(samples: Sequence[Sample], record: Mapping[str, Any]) -> list[Leak]:
    """What the model's own record says it learnt from: people, sources and files by their hashes, generators by their
    digests.
    """
    about = record.get("training", {})
    known = set(about.get("generators", []))
    learnt = _unpacked(str(about.get("learnt_from", "")))
    shared = {name for sample in samples for name in sample.ties if _short("name", name) in learnt}
    files = {str(sample.path) for sample in samples if sample.sha256 and _short("file", sample.sha256) in learnt}
    generators = {sample.generator_digest for sample in samples if sample.generator_digest in known}
    return [*_leak("person or source", shared), *_leak("file", files), *_leak("generator", generators, severe=False)]


def is_learnt(samples: Sequence[Sample], record: Mapping[str, Any]) -> list[bool]:
    """For each sample whether the model's record says that it learnt from one of its people or sources, or from the
    file itself.
    """
    learnt = _unpacked(str(record.get("training", {}).get("learnt_from", "")))
    return [
        any(_short("name", name) in learnt for name in sample.ties)
        or (sample.sha256 is not None and _short("file", sample.sha256) in learnt)
        for sample in samples
    ]


def hashed_names(rows: Iterable[ClipRow]) -> str:
    """People, sources, drivers and real files of the splits that shape a detector, as base64 of sorted 6-byte hashes:
    to ask whether a name is among them, not to read them. Two of a million names share a hash with probability one in
    500.
    """
    found: set[bytes] = set()
    for row in rows:
        if row.split in LEARNT_FROM:
            found |= {_short("name", name) for name in (row.identity, *row.source_ids, row.driver_id) if name}
            if row.label == "real" and row.method != TWIN:
                found.add(_short("file", row.sha256))
    return base64.b64encode(b"".join(sorted(found))).decode()


def joined_names(first: str, second: str) -> str:
    """Both sets of `hashed_names`. Raises ValueError for one that is none."""
    parts = [base64.b64decode(text, validate=True) for text in (first, second)]
    found = {part[i : i + _HASH] for part in parts for i in range(0, len(part), _HASH)}
    return base64.b64encode(b"".join(sorted(found))).decode()


def _short(kind: str, name: str) -> bytes:
    return hashlib.sha256(f"{kind}\0{name}".encode()).digest()[:_HASH]


def _unpacked(text: str) -> frozenset[bytes]:
    """None at all for what is no such list: an older record has none."""
    try:
        joined = base64.b64decode(text, validate=True)
    except ValueError:
        return frozenset()
    return frozenset(joined[i : i + _HASH] for i in range(0, len(joined), _HASH))


def inner_leaks(samples: Sequence[Sample], whole: Iterable[Sample] = ()) -> list[Leak]:
    """Within the data set. whole: all its samples, also those of splits that are not evaluated.

    A name in a test split and in one to train on; a file that is there twice with two labels. Digests are taken only of
    files of one size.
    """
    splits: dict[str, set[str]] = defaultdict(set)
    for sample in whole:
        for name in sample.ties:
            splits[name].add(sample.split or "")
    tested = frozenset[str]().union(*(sample.ties for sample in samples if sample.split == "test"))
    crossing = {name for name in tested if splits[name] & set(LEARNT_FROM)}
    return [*_leak("split", crossing), *_leak("file with two labels", _contradictions(samples))]


def _contradictions(samples: Sequence[Sample]) -> set[str]:
    sizes: dict[int, list[Sample]] = defaultdict(list)
    for sample in samples:
        try:
            if sample.path.is_file():
                sizes[sample.path.stat().st_size].append(sample)
        except OSError:
            continue
    digests: dict[str, list[Sample]] = defaultdict(list)
    for alike in sizes.values():
        if len({sample.label for sample in alike}) < 2:
            continue
        for sample in alike:
            try:
                digests[content_digest(sample.path)].append(sample)
            except MediaError:
                continue  # unreadable: the scoring says so
    return {str(sample.path) for same in digests.values() if len({s.label for s in same}) > 1 for sample in same}


def read_training(path: Path) -> list[Sample]:
    """The clips.jsonl of a training, or of the folder that is named. Raises MediaError."""
    from detector.datasets.sample import clips_samples

    return clips_samples(path / "clips.jsonl" if path.is_dir() else path)


def _leak(kind: Kind, names: Iterable[str | None], severe: bool = True) -> list[Leak]:
    found = sorted(name for name in names if name)
    return [Leak(kind, tuple(found[:_SHOWN]), len(found), severe)] if found else []
