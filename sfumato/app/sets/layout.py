"""The folder of a set: rows, details and rights in; files out, and back.

    recipe.toml      the recipe that it was made by, as it was given
    clips.jsonl      the rows that every command reads, fakes and their real twins (sfumato/media/clips.py)
    details.jsonl    for each of them, in the same order, what only a set knows of it
    rights.json      what gives the right to each source, by name
    set.json         what the set is, and its digest
    videos/          the files, all of them sealed
    SHA256SUMS       of all files but itself and the last, as `sha256sum -c` reads it
    SHA256SUMS.c2pa  the signed manifest of SHA256SUMS, and so of the whole set

What is read here may be by a stranger: all of it is bounded, unknown keys are refused, texts are one printable line.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from sfumato.atomic import atomic_path, write_bytes, write_text
from sfumato.errors import MediaError
from sfumato.limits import FRAME_SIDE, RECORD, SET_ROWS
from sfumato.media.clips import ClipRow, read_clips, values_of, write_clips
from sfumato.regular_file import open_regular, read_regular
from sfumato.structure.json_text import json_lines, parse_json
from sfumato.text import printable

FORMAT, SCHEMA = "sfumato-set-1", 1
RECIPE, CLIPS, DETAILS, RIGHTS, FACTS = "recipe.toml", "clips.jsonl", "details.jsonl", "rights.json", "set.json"
VIDEOS, SUMS, MANIFEST = "videos", "SHA256SUMS", "SHA256SUMS.c2pa"
Case = Literal["plain", "pose", "light", "compressed", "several-faces"]
Basis = Literal["consent", "licence", "public-domain", "own"]
Part = TypeVar("Part", "Details", "Rights", "SetFacts")
LONGEST_NAME, LONGEST_TEXT = 200, 2000  # characters
_DIGEST, _PAIR, _NAME = (
    re.compile(r"[0-9a-f]{64}"),
    re.compile(r"[0-9]{5,9}"),
    re.compile(r"[A-Za-z0-9][\w.-]{0,63}", re.A),
)
_ADVICE = "Name the folder of `sfumato datasets make`; where that was stopped, make the same call again first."


@dataclass(frozen=True)
class Rights:
    """What gives the right to a source. Raises ValueError for a text that is empty, too long or not one printable line.

    source: the place it came from; terms: where the licence is to be read, http or https.
    """

    holder: str
    licence: str
    basis: Basis
    statement: str
    source: str
    terms: str | None = None

    def __post_init__(self) -> None:
        _one_of("basis", self.basis, Basis)
        for name in ("holder", "licence", "statement", "source"):
            _text(name, getattr(self, name), LONGEST_TEXT if name == "statement" else LONGEST_NAME)
        if self.terms is not None:
            _text("terms", self.terms, LONGEST_TEXT)
            if not re.match(r"https?://[^/]", self.terms):
                raise ValueError(f"terms is {self.terms!r}; it must be an address, http or https")


@dataclass(frozen=True)
class Details:
    """What only a set knows of a clip. Raises ValueError for a value out of its range.

    pair: number of the fake and its twin; generator: name of what made it, None for a twin and where no model did;
    portrait: sha256 of the source's file; motion: whose motion it follows, with the sha256 of its file; rights: a name
    in rights.json; rate: frames a second; crf: of the encoder, 0 (best) to 51; bytes: of the file; decoded: sha256 of
    the decoded frames (`decoded_digest`), which is the same however often the file is sealed.
    """

    path: str
    pair: str
    portrait: str
    case: Case
    rights: str
    width: int
    height: int
    frames: int
    rate: float
    codec: str
    crf: float
    bytes: int
    decoded: str
    generator: str | None = None
    motion: str | None = None
    motion_sha256: str | None = None

    def __post_init__(self) -> None:
        _text("path", self.path, 4096)
        if not isinstance(self.pair, str) or not _PAIR.fullmatch(self.pair):
            raise ValueError(f"pair is {self.pair!r}; it must be five to nine digits")
        _one_of("case", self.case, Case)
        require_name("rights", self.rights)
        for name in ("codec", "generator", "motion"):
            if (value := getattr(self, name)) is not None:
                _text(name, value, LONGEST_NAME)
        for name in ("portrait", "decoded", "motion_sha256"):
            if (value := getattr(self, name)) is not None:
                _digest(name, value)
        if (self.motion is None) != (self.motion_sha256 is None):
            raise ValueError("motion and motion_sha256 go together")
        for name, most in (
            ("width", FRAME_SIDE.most),
            ("height", FRAME_SIDE.most),
            ("frames", 10**7),
            ("bytes", 2**50),
        ):
            _whole(name, getattr(self, name), 1, most)
        _number("rate", self.rate, 0.001, 1000)
        _number("crf", self.crf, 0, 51)


@dataclass(frozen=True)
class SetFacts:
    """What a set is. Raises ValueError for a value out of its range.

    version: of the set, as its maker counts; program: that made it; models: {name: sha256} of what fakes were made
    with; counts: numbers, or one level of numbers by name; digest: `set_digest`.
    """

    name: str
    description: str
    version: str
    licence: str
    recipe_sha256: str
    program: str
    models: Mapping[str, str]
    counts: Mapping[str, int | Mapping[str, int]]
    digest: str
    format: str = FORMAT

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise ValueError(f"format is {self.format!r}; this version reads {FORMAT}")
        for name in ("name", "version", "licence", "program"):
            _text(name, getattr(self, name), LONGEST_NAME)
        _text("description", self.description, LONGEST_TEXT)
        for name in ("recipe_sha256", "digest"):
            _digest(name, getattr(self, name))
        for name, value in _mapping("models", self.models):
            _text("a model's name", name, LONGEST_NAME)
            _digest(f"models.{name}", value)
        for name, count in _mapping("counts", self.counts):
            for inner, number in _mapping(name, count) if isinstance(count, Mapping) else [(name, count)]:
                _text("the name of a count", inner, LONGEST_NAME)
                _whole(f"counts.{inner}", number, 0, 2**50)


@dataclass(frozen=True)
class SetRow:
    """One file of a set."""

    clip: ClipRow
    details: Details

    def __post_init__(self) -> None:
        if self.clip.path != self.details.path:
            raise ValueError(f"{self.details.path} stands where {self.clip.path} should")


@dataclass(frozen=True)
class MediaSet:
    """A set as it lies in `folder`."""

    folder: Path
    facts: SetFacts
    rights: Mapping[str, Rights] = field(default_factory=dict)
    rows: Sequence[SetRow] = ()


def read_set(folder: Path) -> MediaSet:
    """Reads what a set says of itself; its files are not opened, its pairs and splits not judged.

    Raises MediaError, with file and line: unreadable, not JSON, another format, unknown, repeated or missing keys, a
    value out of range, rows that differ between the two lists, a name that rights.json lacks, more rows than may be.
    """
    facts, rights = read_facts(folder / FACTS), read_rights(folder / RIGHTS)
    rows: list[SetRow] = []
    for number, (clip, details) in enumerate(
        zip_longest(read_clips(folder / CLIPS), read_details(folder / DETAILS)), start=1
    ):
        SET_ROWS.hold(folder / CLIPS, number)
        try:
            if clip is None or details is None:
                raise ValueError(f"{CLIPS} and {DETAILS} have not as many rows as each other")
            if details.rights not in rights:
                raise ValueError(f"{RIGHTS} has no record {details.rights!r}")
            rows.append(SetRow(clip, details))
        except ValueError as error:
            raise MediaError(f"{folder / DETAILS}, row {number}: {error}", _ADVICE) from error
    return MediaSet(folder, facts, rights, rows)


def write_set(
    folder: Path, recipe: bytes, facts: SetFacts, rights: Mapping[str, Rights], rows: Iterable[SetRow]
) -> None:
    """Writes all of a set but its videos, sums and manifest, each file atomically, set.json last. Raises OutputError;
    ValueError for a row without a split, or listed twice, or of rights that are not given.
    """
    listed = list(rows)
    for row in listed:
        if row.details.rights not in rights:
            raise ValueError(f"{row.clip.path} has no record of rights: {row.details.rights!r}")
    for name in rights:
        require_name("the name of a record", name)
    write_bytes(folder / RECIPE, recipe)
    write_clips(folder / CLIPS, (row.clip for row in listed))
    with atomic_path(folder / DETAILS) as temporary, temporary.open("w", encoding="utf-8") as file:
        for row in listed:
            file.write(json.dumps({"schema": SCHEMA, **dataclasses.asdict(row.details)}, ensure_ascii=False) + "\n")
    records = {name: dataclasses.asdict(record) for name, record in sorted(rights.items())}
    write_text(folder / RIGHTS, _json({"schema": SCHEMA, "records": records}))
    write_text(folder / FACTS, _json(dataclasses.asdict(facts)))


def set_digest(rows: Iterable[SetRow]) -> str:
    """sha256 of what the rows say and of their decoded frames, 64 hex digits: the same in any order of the rows, and
    however often the files were sealed. Their own sums and bytes are left out: a signature has its time and chance.
    """
    facts = []
    for row in rows:
        clip, details = values_of(row.clip), dataclasses.asdict(row.details)
        del clip["sha256"], details["bytes"]
        facts.append(json.dumps([clip, details], sort_keys=True))
    return hashlib.sha256("\n".join(sorted(facts)).encode()).hexdigest()


def decoded_digest(video: Path) -> str:
    """sha256 of the decoded frames of `video`, RGB, with their number and size. Raises MediaError."""
    from sfumato.app.sets.decoded import DecodedFrames
    from sfumato.media.video import VideoReader

    decoded = DecodedFrames()
    with VideoReader(video) as frames:
        for frame in frames:
            decoded.add(frame.image)
    return decoded.digest()


def counts_of(rows: Sequence[SetRow]) -> dict[str, int | Mapping[str, int]]:
    """What set.json counts: clips, fakes and people; both clips of a pair by split and case, fakes by method."""
    return {
        "clips": len(rows),
        "fakes": sum(row.clip.label == "fake" for row in rows),
        "people": len({row.clip.identity for row in rows}),
        "splits": _counted(str(row.clip.split) for row in rows),
        "cases": _counted(row.details.case for row in rows),
        "methods": _counted(row.clip.method for row in rows if row.clip.label == "fake"),
    }


def require_name(what: str, name: Any) -> None:
    """Raises ValueError for what is no name of a record: up to 64 letters, digits, points, dashes and underscores."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"{what} is {name!r}; it must be up to 64 letters, digits, points, dashes and underscores")


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _json(values: Any) -> str:
    return json.dumps(values, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _in_file(path: Path, read: Any) -> Any:
    try:
        return read(parse_json(read_regular(path, RECORD)))
    except (ValueError, RecursionError) as error:
        raise MediaError(f"{path}: {error}", _ADVICE) from error
    except OSError as error:
        raise MediaError(f"Cannot read {path}: {error.strerror}", _ADVICE) from error


def _rights(values: Any) -> dict[str, Rights]:
    records = _versioned(values).pop("records", None)
    if not isinstance(records, dict) or set(values) != {"schema", "records"}:
        raise ValueError("it has a schema and records, nothing else")
    found = {}
    for name, record in records.items():
        require_name("the name of a record", name)
        try:
            found[name] = _part(Rights, record)
        except ValueError as error:
            raise ValueError(f"record {name}: {error}") from error
    return found


def read_facts(path: Path) -> SetFacts:
    """set.json. Raises MediaError."""
    facts: SetFacts = _in_file(path, lambda values: _part(SetFacts, values))
    return facts


def read_rights(path: Path) -> dict[str, Rights]:
    """rights.json: its records by name. Raises MediaError."""
    rights: dict[str, Rights] = _in_file(path, _rights)
    return rights


def read_details(path: Path) -> Iterator[Details]:
    """The lines of details.jsonl. Raises MediaError, with the line's number."""
    try:
        with open_regular(path) as file:
            yield from json_lines(file, lambda values: _part(Details, _versioned(values)))
    except ValueError as error:
        raise MediaError(f"{path}, {error}", _ADVICE) from error
    except OSError as error:
        raise MediaError(f"Cannot read {path}: {error.strerror}", _ADVICE) from error


def _versioned(values: Any) -> dict[str, Any]:
    """The object without its schema."""
    if not isinstance(values, dict) or values.get("schema") != SCHEMA or isinstance(values["schema"], bool):
        raise ValueError(f"it is not an object of schema {SCHEMA}")
    return {name: value for name, value in values.items() if name != "schema"}


def _part(kind: type[Part], values: Any) -> Part:
    if not isinstance(values, dict):
        raise ValueError("it is not an object")  # noqa: TRY004 (one kind of error for what is wrong in a file)
    fields = dataclasses.fields(kind)
    if unknown := sorted(set(values) - {each.name for each in fields}):
        raise ValueError(f"unknown key {unknown[0][:80]!r}")
    if missing := sorted({each.name for each in fields if each.default is dataclasses.MISSING} - set(values)):
        raise ValueError(f"{missing[0]!r} is missing")
    return kind(**values)


def _one_of(name: str, value: Any, kind: Any) -> None:
    if value not in get_args(kind):
        raise ValueError(f"{name} is {str(value)[:80]!r}; it must be one of {', '.join(get_args(kind))}")


def _text(name: str, value: Any, longest: int) -> None:
    if not isinstance(value, str) or not value.strip() or printable(value) != value or len(value) > longest:
        raise ValueError(f"{name} is {str(value)[:80]!r}; it must be one printable line of 1 to {longest} characters")


def _digest(name: str, value: Any) -> None:
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise ValueError(f"{name} is {str(value)[:80]!r}; it must be 64 lower-case hex digits")


def _whole(name: str, value: Any, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{name} is {str(value)[:80]!r}; it must be a whole number from {least} to {most}")


def _number(name: str, value: Any, least: float, most: float) -> None:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    if not plain or not math.isfinite(value) or not least <= value <= most:
        raise ValueError(f"{name} is {str(value)[:80]!r}; it must be a number from {least:g} to {most:g}")


def _mapping(name: str, values: Any) -> Iterable[tuple[Any, Any]]:
    if not isinstance(values, Mapping):
        raise ValueError(f"{name} is not an object")  # noqa: TRY004 (as above)
    return values.items()
