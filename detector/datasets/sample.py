"""What an adapter yields, and what every adapter can do: list a data set on disk and say what of it is missing.

In: the folder of a data set as its authors lay it out. Out: `Sample`s, one a video (a file, or a folder of its frames),
with the official splits, and an `Inventory`: counts found against the counts its authors state. `as_clip` makes a row
of clips.jsonl of one.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from detector.inference.frames import frames_in
from sfumato.errors import MediaError, UsageError
from sfumato.execution.find_files import PICTURES, VIDEOS
from sfumato.limits import RECORD
from sfumato.media.clips import ClipRow, Family, Label, Split, clip_file, file_digest, read_clips
from sfumato.regular_file import open_regular, read_regular_text
from sfumato.text import printable

_MOST_MISSING = 1000  # names kept in an Inventory; the count goes on
Key = tuple[str, str, str, str, str]


@dataclass(frozen=True)
class Sample:
    """One video of a data set. `path`: the file or the folder of frames; it need not be readable until it is scored.

    Identities and sources carry the name of the collection they come from ("ff++/071"), since data sets are made from
    one another. `identity` is whose face is to be seen, as far as the data set says. `split` is None where the authors
    give none.
    """

    dataset: str
    video_id: str  # unique within dataset, split, method and compression
    path: Path
    label: Label
    method: str
    family: Family
    identity: str
    split: Split | None = None
    compression: str = ""
    source_ids: tuple[str, ...] = ()
    driver_id: str | None = None
    pair_of: Path | None = None  # the real video it is the counterpart of
    sha256: str | None = None
    generator_digest: str | None = None
    score: float | None = None  # given by another detector, in a table
    fake_segments: tuple[tuple[float, float], ...] | None = None  # (from, to) in s that are forged; None: not known

    @property
    def key(self) -> Key:
        """The group key: frames with one key are one video. Without the method the four fakes of a FaceForensics++ pair
        would merge.
        """
        return (self.dataset, self.split or "", self.method, self.compression, self.video_id)

    @property
    def ties(self) -> frozenset[str]:
        """People and recordings it shares with others."""
        return frozenset({self.identity, *self.source_ids, *([self.driver_id] if self.driver_id else [])})


@dataclass
class Inventory:
    """parts: {part: (found, expected or None)}; missing: names that the data set's own lists hold and the disk does not
    (the first thousand), missing_count: how many there are; notes: what else a reader should know.
    """

    parts: dict[str, tuple[int, int | None]]
    missing: list[str] = field(default_factory=list)
    missing_count: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Every part has what it should have, and no listed file is missing."""
        return (
            self.missing_count == 0
            and bool(self.parts)
            and all(expected in (None, found) for found, expected in self.parts.values())
        )


class Adapter(ABC):
    """One data set. Subclasses say where its files lie and what they are; `verify` is the same for all."""

    name: ClassVar[str]
    title: ClassVar[str]
    expected: ClassVar[Mapping[str, int]] = {}  # part -> how many videos its authors state

    @abstractmethod
    def samples(self, root: Path) -> Iterator[Sample]:
        """The videos that are there, in a stable order. Raises MediaError for a list or a name that cannot be
        understood.
        """

    def part(self, sample: Sample) -> str:
        """The line of `verify` on which it is counted."""
        return f"{sample.method} {sample.compression}".strip()

    def expectations(self, root: Path) -> Mapping[str, int]:
        """Part -> how many videos it should have."""
        return self.expected

    def missing(self, root: Path) -> Iterator[str]:
        """Relative names that the data set's own lists hold and the disk does not."""
        return iter(())

    def notes(self, root: Path) -> Iterator[str]:
        """What a reader of the counts should know."""
        return iter(())

    def verify(self, root: Path) -> Inventory:
        """Counts what is there. A partial download is no error; MediaError only for a damaged list."""
        found = Counter(self.part(sample) for sample in self.samples(root))
        lacking = list(self.missing(root))
        expected = self.expectations(root)
        parts = {
            part: (found.get(part, 0), expected.get(part)) for part in [*expected, *sorted(set(found) - set(expected))]
        }
        return Inventory(parts, lacking[:_MOST_MISSING], len(lacking), list(self.notes(root)))

    def listed(self, root: Path) -> list[Sample]:
        """All samples. Raises UsageError when there is none, or when two have one group key."""
        found = list(self.samples(root))
        if not found:
            raise UsageError(
                f"Nothing of {self.title} in {root}", f"Look at: sfumato datasets verify {self.name} {root}."
            )
        twice = next((key for key, count in Counter(sample.key for sample in found).items() if count > 1), None)
        if twice is not None:
            raise UsageError(
                f"Two files are {'/'.join(filter(None, twice))} to {self.title}", "Evaluate the folders one by one."
            )
        return found


def clips_samples(clips: Path) -> list[Sample]:
    """The rows of a clips.jsonl. Raises MediaError for a damaged list or a path that leads out of its folder."""
    return [
        Sample(
            dataset=row.dataset or clips.parent.resolve().name or "clips", video_id=row.path,
            path=clip_file(clips, row),
            label=row.label, method=row.method, family=row.family, identity=row.identity, split=row.split,
            compression=row.compression or "", source_ids=row.source_ids, driver_id=row.driver_id,
            pair_of=clips.parent.resolve() / row.pair_of if row.pair_of else None,
            sha256=row.sha256, generator_digest=row.generator_digest,
        )
        for row in read_clips(clips)
    ]  # fmt: skip


def as_clip(sample: Sample, root: Path) -> ClipRow:
    """Its row of `root`/clips.jsonl; the file is read once for its digest. Raises MediaError if it cannot be,
    UsageError outside `root`.
    """
    try:
        inside = sample.path.relative_to(root).as_posix()
        pair = sample.pair_of.relative_to(root).as_posix() if sample.pair_of else None
    except ValueError as error:
        raise UsageError(
            f"{sample.path} lies outside {root}", "Name the folder that holds both reals and fakes."
        ) from error
    return ClipRow(
        path=inside, label=sample.label, method=sample.method, family=sample.family, identity=sample.identity,
        sha256=sample.sha256 or content_digest(sample.path), source_ids=sample.source_ids, driver_id=sample.driver_id,
        pair_of=pair,
        split=sample.split, generator_digest=sample.generator_digest, dataset=sample.dataset,
        compression=sample.compression or None,
    )  # fmt: skip


def content_digest(path: Path) -> str:
    """The sha256 of a file; of a folder of frames, that of its names and contents."""
    if not path.is_dir():
        return file_digest(path)
    digest = hashlib.sha256()
    for frame in frames_in(path):
        digest.update(f"{frame.name}\0{file_digest(frame)}\n".encode())
    return digest.hexdigest()


def videos_in(folder: Path) -> list[Path]:
    """Video files directly in `folder` or in its `videos/`, sorted; none if the folder is not there."""
    places = [place for place in (folder, folder / "videos") if place.is_dir()]
    return sorted(
        file
        for place in places
        for file in place.iterdir()
        if file.suffix.lower() in VIDEOS and not file.name.startswith(".")
    )


def frame_folders(folder: Path) -> list[Path]:
    """Every folder at or below `folder` that holds pictures itself, sorted."""
    if not folder.is_dir():
        return []
    return sorted({file.parent for file in folder.rglob("*") if file.suffix.lower() in PICTURES and file.is_file()})


def child(folder: Path, name: str) -> Path:
    """`folder`/`name`, whatever the case it was unpacked in; mirrors differ."""
    exact = folder / name
    if exact.exists() or not folder.is_dir():
        return exact
    return next((entry for entry in sorted(folder.iterdir()) if entry.name.lower() == name.lower()), exact)


def read_json(path: Path) -> Any:
    """Raises MediaError for what is not JSON."""
    try:
        return json.loads(read_regular_text(path, RECORD))
    except (OSError, ValueError, RecursionError) as error:
        raise MediaError(f"Cannot read {path} as JSON: {error}", "Download it again.") from error


def read_entries(path: Path) -> dict[str, dict[str, Any]]:
    """A JSON file with an object for each name; none if it is not there. Raises MediaError."""
    if not path.is_file():
        return {}
    values = read_json(path)
    if not isinstance(values, dict) or not all(isinstance(entry, dict) for entry in values.values()):
        raise MediaError(f"{path} is not a list of videos", "Download it again.")
    return values


def read_lines(path: Path) -> list[str]:
    """The non-empty lines of a text file. Raises MediaError."""
    try:
        return [line.strip() for line in read_regular_text(path, RECORD, "utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise MediaError(f"Cannot read {path}: {error}", "Download it again.") from error


def read_table(path: Path, required: Iterable[str]) -> Iterator[dict[str, str]]:
    """The rows of a CSV file with a header. Raises MediaError for an unreadable file or a missing column."""
    try:
        with open_regular(path) as opened, io.TextIOWrapper(opened, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            lacking = sorted(set(required) - set(reader.fieldnames or ()))
            if lacking:
                has = ", ".join(map(repr, reader.fieldnames or ())) or "none"
                raise MediaError(
                    f"{path} has no column {lacking[0]!r}",
                    f"It needs: {', '.join(required)}, with commas between them. It has: {printable(has, 200)}.",
                )
            for row in reader:
                yield {
                    name: (value or "").strip()
                    for name, value in row.items()
                    if isinstance(name, str) and not isinstance(value, list)
                }
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise MediaError(f"Cannot read {path}: {error}", "It must be a CSV file in UTF-8.") from error


def only(samples: Iterable[Sample], **wanted: str | None) -> list[Sample]:
    """Those whose fields are as wanted; None: any. Raises UsageError, naming what there is, when nothing is left."""
    kept = all_of_them = list(samples)
    for name, value in wanted.items():
        if value is None:
            continue
        kept = [sample for sample in kept if (getattr(sample, name) or "") == value]
        if not kept:
            known = sorted({str(getattr(sample, name) or "none") for sample in all_of_them})
            raise UsageError(f"Nothing has {name} {value!r}", f"There are: {', '.join(known[:12])}.")
    return kept
