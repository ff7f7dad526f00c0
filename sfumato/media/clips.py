"""The contract between what makes clips and what learns from them: clips.jsonl in, ClipRow out, and back; splits are
decided here, once.

A line is a clip, real or fake: where it is, who is in it, what it was made from, how, and to which split it belongs.
Rows carry `"schema": 1`; other versions and unknown keys are refused, so that nobody trains on a misread file.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal, get_args

from sfumato.atomic import atomic_path
from sfumato.errors import MediaError, UsageError
from sfumato.limits import LINE
from sfumato.regular_file import open_regular

SCHEMA = 1
Label = Literal["real", "fake"]
Family = Literal[
    "real", "blend", "reenact", "synthesis", "composite"
]  # composite: generated parts blended into a real frame
Split = Literal["train", "validation", "calibration", "test"]
TWIN = (
    "twin"  # the method of a real clip that only is the counterpart of a fake: the same frames through the same writer
)
GENERATED = (
    "generated"  # the folder, beside a list, of what `sfumato fakes` makes of its people: nothing in it is footage
)
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ClipRow:
    """One clip. Raises ValueError for a value out of its range or a contradiction (a real clip of a fake family)."""

    path: str  # relative to the folder of clips.jsonl, with /; never outside it
    label: Label
    method: str  # what made it: "camera", "zakharov2019-warp", "self-blend", a data set's own name
    family: Family
    identity: str  # the person to be seen
    sha256: str  # of the file
    source_ids: tuple[str, ...] = ()  # recordings and pictures it was made from
    driver_id: str | None = None  # whose motion it shows
    pair_of: str | None = None  # path of the real clip it is the counterpart of
    split: Split | None = None  # None only until `split_by_identity` has decided
    seed: int | None = None
    generator_digest: str | None = None  # sha256 of the generator's weights
    dataset: str | None = None  # the collection it comes from; None: the folder itself
    compression: str | None = None  # as the data set names it: "c23"

    def __post_init__(self) -> None:
        _check_path("path", self.path)
        if self.pair_of is not None:
            _check_path("pair_of", self.pair_of)
        for name, kind in (("label", Label), ("family", Family), ("split", Split)):
            value = getattr(self, name)
            if value not in get_args(kind) and not (name == "split" and value is None):
                raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(get_args(kind))}")
        if (self.label == "real") != (self.family == "real"):
            raise ValueError(f"label {self.label!r} contradicts family {self.family!r}")
        if not isinstance(self.source_ids, tuple):
            raise ValueError("source_ids is a list of names")  # noqa: TRY004 (one kind of error for a row that is wrong)
        names = [
            ("method", self.method),
            ("identity", self.identity),
            *(("source_ids", name) for name in self.source_ids),
        ]
        optional = [(name, getattr(self, name)) for name in ("driver_id", "dataset", "compression")]
        for name, value in [*names, *((name, value) for name, value in optional if value is not None)]:
            if not isinstance(value, str) or not value.strip() or not value.isprintable():
                raise ValueError(f"{name} is {value!r}; it must be a name")
        for name, value in (("sha256", self.sha256), ("generator_digest", self.generator_digest or "0" * 64)):
            if not isinstance(value, str) or not _DIGEST.fullmatch(value):
                raise ValueError(f"{name} is {value!r}; it must be 64 lower-case hex digits")
        if self.seed is not None and (not isinstance(self.seed, int) or isinstance(self.seed, bool) or self.seed < 0):
            raise ValueError(f"seed is {self.seed!r}; it must be a whole number from 0")


_KEYS = {field.name for field in dataclasses.fields(ClipRow)}
_REQUIRED = {field.name for field in dataclasses.fields(ClipRow) if field.default is dataclasses.MISSING}


def read_clips(path: Path, refused: list[str] | None = None) -> Iterator[ClipRow]:
    """Yields the rows of clips.jsonl one by one; empty lines, and a mark of the byte order, are skipped.

    Raises MediaError, with the line's number: unreadable, not JSON, another schema, unknown, repeated or missing keys,
    a value out of range, a path that leaves the folder, a clip listed twice, a row without a split. With `refused` such
    lines are told there, "line 3: why", and the others read; only a file that cannot be read as text still raises.
    """
    seen: set[str] = set()
    try:
        with open_regular(path) as opened, io.TextIOWrapper(opened, encoding="utf-8-sig") as file:
            number = 0
            while line := file.readline(LINE.most + 1):
                number += 1
                if not line.strip():
                    continue
                try:
                    row = _parse(line)
                    if row.path in seen:
                        raise ValueError(f"{row.path} is listed twice")
                except (ValueError, RecursionError) as error:
                    if refused is not None and len(line) <= LINE.most:
                        refused.append(f"line {number}: {error}")
                        continue
                    raise MediaError(
                        f"{path}, line {number}: {error}", "Write the file anew with this version."
                    ) from error
                seen.add(row.path)
                yield row
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise MediaError(
            f"Cannot read {path}: {cause}",
            "Name a clips.jsonl file; a set has it once `sfumato datasets make` is through.",
        ) from error


def write_clips(path: Path, rows: Iterable[ClipRow]) -> int:
    """Writes the rows to clips.jsonl atomically and returns how many there were. Raises OutputError; ValueError for a
    row without a split or a clip listed twice, and then nothing is written.
    """
    seen: set[str] = set()
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        for row in rows:
            if row.split is None:
                raise ValueError(f"{row.path} has no split; decide it with split_by_identity")
            if row.path in seen:
                raise ValueError(f"{row.path} is listed twice")
            seen.add(row.path)
            file.write(json.dumps(values_of(row), ensure_ascii=False) + "\n")
    return len(seen)


def values_of(row: ClipRow) -> dict[str, Any]:
    """What a line says of the row."""
    return {"schema": SCHEMA, **{name: value for name, value in dataclasses.asdict(row).items() if value is not None}}


def row_of(values: Any) -> ClipRow:
    """The row that a line says this of. Raises ValueError for another schema, unknown or missing keys, a value out of
    range, or a row without a split.
    """
    if not isinstance(values, dict):
        raise ValueError("a row is a JSON object")  # noqa: TRY004 (one kind of error for a row that is wrong)
    values = dict(values)
    schema = values.pop("schema", None)
    if schema != SCHEMA or isinstance(schema, bool):
        raise ValueError(f"schema is {schema!r}; this version reads schema {SCHEMA}")
    if unknown := sorted(set(values) - _KEYS):
        raise ValueError(f"unknown key {unknown[0]!r}")
    if missing := sorted((_REQUIRED | {"split"}) - set(values)):
        raise ValueError(f"{missing[0]!r} is missing")
    if values["split"] is None:
        raise ValueError("the row has no split")
    if isinstance(values.get("source_ids"), list):
        values["source_ids"] = tuple(values["source_ids"])
    return ClipRow(**values)


def clip_file(clips: Path, row: ClipRow) -> Path:
    """The clip's file. Raises MediaError if a link leads it out of the folder of `clips` (clips.jsonl)."""
    folder = clips.parent.resolve()
    file = (folder / row.path).resolve()
    if not file.is_relative_to(folder):
        raise MediaError(f"{row.path} leads outside {folder}", "Copy the clip into the folder instead of linking it.")
    return file


def file_digest(path: Path) -> str:
    """The sha256 of a file, 64 hex digits. Raises MediaError if it cannot be read."""
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MediaError(f"Cannot read {path}: {error.strerror}", "Check the name.") from error


def split_by_identity(rows: Iterable[ClipRow], fractions: Mapping[Split, float], seed: int = 0) -> list[ClipRow]:
    """Gives every row a split so that no person, source, driver, pair or identical file is in two of them.

    Rows that share a name (identity, source id or driver id; one person may be all three), are a pair, or are the same
    file form a group; a group goes as a whole. Its split follows from a hash of one of its names and the seed, never
    from the other rows: adding rows moves no group, except one that the new rows join to another. Hence `fractions` (of
    groups, summing to 1) are met on average only. A row that has a split keeps it, and its group takes it.

    Raises UsageError for unknown splits and fractions that do not sum to 1, MediaError for a group with rows of two
    splits.
    """
    unknown = set(fractions) - set(get_args(Split))
    if (
        unknown
        or any(not 0 <= share <= 1 for share in fractions.values())
        or not math.isclose(sum(fractions.values()), 1, abs_tol=1e-6)
    ):
        raise UsageError(
            f"Cannot split by {dict(fractions)}", f"Give shares of {', '.join(get_args(Split))} that sum to 1."
        )
    listed = list(rows)
    groups = groups_of(listed)
    anchors: dict[str, str] = {}  # a group -> the name of its that hashes lowest: stable when names are added, unbiased
    settled: dict[str, Split] = {}
    for row, group in zip(listed, groups, strict=True):
        for name in _names(row):
            anchors[group] = min(anchors.get(group, name), name, key=lambda item: (_hash("anchor", seed, item), item))
        if row.split is not None and settled.setdefault(group, row.split) != row.split:
            raise MediaError(
                f"{row.path} is of the split {row.split} and tied to one of {settled[group]}", "Leave one of them out."
            )
    splits = {group: _choose(_hash("split", seed, anchor), fractions) for group, anchor in anchors.items()} | settled
    return [dataclasses.replace(row, split=splits[group]) for row, group in zip(listed, groups, strict=True)]


def groups_of(rows: Sequence[ClipRow]) -> list[str]:
    """For each row the name of its group: all that must be in one split with it, however indirectly."""
    from scipy.cluster.hierarchy import DisjointSet

    groups = DisjointSet(name for row in rows for name in (*map("name:{}".format, _names(row)), *ties_of(row)))
    for row in rows:
        for other in ties_of(row):
            groups.merge(f"name:{row.identity}", other)
    return [str(groups[f"name:{row.identity}"]) for row in rows]


def ties_of(row: ClipRow) -> list[str]:
    """All of a row that must not be in two splits; a pair is tied through the path of its real clip."""
    paths = [row.path, *([row.pair_of] if row.pair_of is not None else [])]
    return [*(f"name:{name}" for name in _names(row)), *(f"path:{path}" for path in paths), f"sha256:{row.sha256}"]


def check_disjoint(rows: Iterable[ClipRow]) -> None:
    """Raises MediaError naming the people, sources, drivers, pairs and identical files that are in more than one
    split.
    """
    crossing = crossing_ties(rows)
    if crossing:
        first = list(crossing.items())[:10]
        shown = "; ".join(f"{tie.partition(':')[2]} ({' and '.join(splits)})" for tie, splits in first)
        more = f" and {len(crossing) - 10} more" if len(crossing) > 10 else ""
        raise MediaError(f"In more than one split: {shown}{more}", "Decide the splits with split_by_identity.")


def crossing_ties(rows: Iterable[ClipRow]) -> dict[str, list[str]]:
    """Each tie (as `ties_of` has them) that is in more than one split, with those splits; both sorted."""
    splits: dict[str, set[str]] = {}
    for row in rows:
        for tie in (f"name:{row.identity}", *ties_of(row)):
            splits.setdefault(tie, set()).add(str(row.split))
    return {tie: sorted(splits[tie]) for tie in sorted(splits) if len(splits[tie]) > 1}


def _names(row: ClipRow) -> list[str]:
    return [row.identity, *row.source_ids, *([row.driver_id] if row.driver_id is not None else [])]


def _hash(purpose: str, seed: int, name: str) -> float:
    """Uniform in [0, 1)."""
    digest = hashlib.sha256(f"{purpose}\0{seed}\0{name}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _choose(position: float, fractions: Mapping[Split, float]) -> Split:
    upper = 0.0
    order: tuple[Split, ...] = get_args(Split)
    wanted = [split for split in order if fractions.get(split, 0) > 0]
    for split in wanted:
        upper += fractions[split]
        if position < upper:
            return split
    return wanted[-1]


def _check_path(name: str, text: Any) -> None:
    parts = PurePosixPath(text).parts if isinstance(text, str) else ()
    if not parts or text.startswith("/") or ".." in parts or "\\" in text or ":" in parts[0] or not text.isprintable():
        raise ValueError(f"{name} is {text!r}; it must be a relative path inside the folder, with /")
    if str(PurePosixPath(text)) != text:
        raise ValueError(f"{name} is {text!r}; write it as {str(PurePosixPath(text))!r}")


def _parse(line: str) -> ClipRow:
    if len(line) > LINE.most:
        raise ValueError("the line is too long")
    return row_of(json.loads(line, object_pairs_hook=_without_repeats))


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key is given twice")
    return dict(pairs)
