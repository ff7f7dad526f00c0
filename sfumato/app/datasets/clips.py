"""A folder of footage to a clips.jsonl, with people found by their faces and split so that nobody
is in two splits.

In: a folder of videos and pictures; they are real, unless a table in it (`sfumato.app.datasets.known`) says what they
are. Out: one row a file. Who is who follows from SFace embeddings, not from names of files: the same person under two
names would be trained on and tested on.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.datasets.sample import as_clip, content_digest
from sfumato.app.datasets.known import Known
from sfumato.errors import MediaError, NoFaceError, UsageError
from sfumato.media.clips import GENERATED, ClipRow, Split, groups_of, split_by_identity, ties_of

FRACTIONS: dict[Split, float] = {"train": 0.6, "validation": 0.1, "calibration": 0.15, "test": 0.15}
_LEADS_OUT = "a link that leads out of the folder, and a list names only what lies in its own: copy it"
_LOOKS = 3  # frames of a video whose faces are averaged
Identity = NDArray[np.float32]


@dataclass
class Listing:
    """rows: with splits; refused: (path, why) of files that are not in them; left_out: files that show someone of
    `without`.
    """

    rows: list[ClipRow]
    refused: list[tuple[str, str]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Seen:
    """A face that was found, and the row of its file. called: how a list or a table calls the person, "" for not at
    all; kept: whether the row stays as it is.
    """

    row: ClipRow
    face: Identity
    called: str = ""
    kept: bool = False


class Looker:
    """Finds the identity of the largest face of a file. Holds the nets."""

    def __init__(self) -> None:
        from sfumato.media.faces import FaceDetector
        from sfumato.media.landmarks import load_backend

        self._detector, self._landmarks = FaceDetector(), load_backend("mesh")

    def identity(self, path: Path) -> Identity:
        """A unit vector (128,). Raises MediaError for an unreadable file, NoFaceError without a face."""
        from detector.inference.frames import SampledFrames
        from sfumato.media.identity import embed_image
        from sfumato.media.people import mean_identity

        found = []
        source = SampledFrames(path, _LOOKS)
        for frame in source:
            if faces := source.faces(frame, self._detector):
                found.append(embed_image(frame.image, self._landmarks.detect(frame.image, faces[0].box)))
        if not found:
            raise NoFaceError(f"No face was found in {path}")
        return mean_identity(found)


class Admission:
    """Lets each file into a list once, if it shows somebody who is wanted; tells `listing` who was not let in."""

    def __init__(self, folder: Path, without: Sequence[Path], known: Known) -> None:
        """Raises MediaError for a picture of `without` that shows no face."""
        self.folder, self.known, self.listing = folder, known, Listing([])
        self._looker = Looker()
        self._unwanted = [self._looker.identity(path) for path in without]
        self._there = {row.sha256 for row in known.kept}

    def admit(self, name: str, method: str) -> Seen | None:
        """A new file; `method` is that of footage, which no table names. None if it is not let in."""
        try:
            digest, face = self._look(name)
            sample = self.known.labelled.get(name)
            if sample is None:
                return Seen(ClipRow(name, "real", method, "real", identity=name, sha256=digest), face)
            called = "" if sample.identity == f"{sample.dataset}/{sample.video_id}" else sample.identity
            # how a table calls a person stays a name that ties: other rows may say it of a source or a driver
            sources = tuple(dict.fromkeys(part for part in (*sample.source_ids, called) if part))
            return Seen(as_clip(replace(sample, sha256=digest, source_ids=sources), self.folder), face, called)
        except _UnwantedError:
            self.listing.left_out.append(name)
        except MediaError as error:
            self.listing.refused.append((name, error.message))
        except ValueError as error:  # a name that no list takes
            self.listing.refused.append((name, str(error)))
        return None

    def recognise(self, row: ClipRow) -> Seen | None:
        """Somebody of a list that is kept."""
        try:
            return Seen(row, self._looker.identity(self.folder / row.path), row.identity, kept=True)
        except MediaError as error:
            why = f"it stays in the list, but nobody can be recognised by it: {error.message}"
            self.listing.refused.append((row.path, why))
            return None

    def _look(self, name: str) -> tuple[str, Identity]:
        from sfumato.media.people import SAME_PERSON

        path = self.folder / name
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise MediaError(_LEADS_OUT)
        digest, face = content_digest(path), self._looker.identity(path)
        if any(float(face @ other) >= SAME_PERSON for other in self._unwanted):
            raise _UnwantedError
        if digest in self._there:
            raise MediaError("the same file is there already")
        self._there.add(digest)
        return digest, face


class _UnwantedError(Exception):
    """It shows somebody who is to be left out."""


def list_clips(
    folder: Path,
    methods: Sequence[tuple[str, str]] = (),
    without: Sequence[Path] = (),
    seed: int = 0,
    advance: Callable[[float], None] = lambda amount: None,
    known: Known | None = None,
) -> Listing:
    """Every video and picture below `folder`; with rows that are kept, those and what tables name, nothing else.

    `methods`: (name, pattern of relative paths) of what is not "camera"; the first that fits counts. `without`:
    pictures of people to leave out. Raises UsageError when nothing usable is there, MediaError for a picture of
    `without` that shows no face. A new file that is tied to two splits, by people or by what a table says of it, is
    left out.
    """
    known = known or Known()
    door = Admission(folder, without, known)
    listing, seen = door.listing, list[Seen | None]()
    names = [*known.labelled, *([] if known.kept else _footage(folder, known, listing))]
    advance(len(listing.refused))
    for name in names:  # those of tables first: of two equal files the one with a label counts
        seen.append(door.admit(name, _method(name, methods)))
        advance(1)
    for row in known.shown():
        seen.append(door.recognise(row))
        advance(1)
    faces = [item for item in seen if item is not None]
    if all(item.kept for item in faces):
        why = f" (the first: {listing.refused[0][0]}, {listing.refused[0][1]})" if listing.refused else ""
        what = "No file that is new to the list shows a usable face" if known.kept else f"No usable face in {folder}"
        raise UsageError(f"{what}{why}", "Name a folder of videos and pictures that show faces.")
    new = _without_ties_to_two_splits([*known.kept, *_people(faces)], len(known.kept), listing)
    listing.rows = split_by_identity([*known.kept, *new], FRACTIONS, seed)
    return listing


def _footage(folder: Path, known: Known, listing: Listing) -> list[str]:
    """Paths of what is real because nobody says otherwise."""
    from sfumato.execution.find_files import find_media

    names = [path.relative_to(folder).as_posix() for path in find_media([folder])]
    kept = []
    for name in names:
        if known.passes_over(name):
            listing.refused.append((name, "it lies in the folder of a table that does not name it"))
        elif GENERATED in name.split("/")[:-1]:
            listing.refused.append((name, f"in a folder called {GENERATED}, where sfumato fakes keeps what it makes"))
        elif name not in known.labelled:
            kept.append(name)
    return kept


def _people(seen: Sequence[Seen]) -> list[ClipRow]:
    """The new rows, each with the name of its person: that of the list where it knows them."""
    from sfumato.media.people import group_people

    people: dict[int, list[Seen]] = defaultdict(list)
    numbers = group_people(np.stack([item.face for item in seen]), labels=[item.called for item in seen])
    for number, item in zip(numbers, seen, strict=True):
        people[number].append(item)
    rows = []
    for number, item in zip(numbers, seen, strict=True):
        if not item.kept:
            names = sorted({other.row.identity for other in people[number] if other.kept})
            name = names[0] if names else _person([other.row.sha256 for other in people[number]])
            # one person whom the list has under two names ties this clip to both
            sources = tuple(dict.fromkeys((*item.row.source_ids, *names[1:])))
            rows.append(replace(item.row, identity=name, source_ids=sources))
    return rows


def _without_ties_to_two_splits(rows: Sequence[ClipRow], kept: int, listing: Listing) -> list[ClipRow]:
    """Of all rows but the first `kept` those that bring nobody of one split together with somebody of another: first
    each by itself, then those that do so through each other.
    """
    splits: dict[str, set[Split]] = defaultdict(set)
    for row in rows:
        for tie in ties_of(row):
            splits[tie] |= {row.split} if row.split is not None else set()
    alone = [*rows[:kept], *(row for row in rows[kept:] if len(set().union(*(splits[t] for t in ties_of(row)))) < 2)]
    groups = groups_of(alone)
    joined: dict[str, set[Split]] = defaultdict(set)
    for row, group in zip(alone, groups, strict=True):
        joined[group] |= {row.split} if row.split is not None else set()
    new = [row for row, group in list(zip(alone, groups, strict=True))[kept:] if len(joined[group]) < 2]
    left = {row.path for row in rows[kept:]} - {row.path for row in new}
    listing.refused += [(row.path, "it is tied to clips of two splits") for row in rows[kept:] if row.path in left]
    return new


def _person(digests: Sequence[str]) -> str:
    """A name for a person: it stays while the file that sorts first stays."""
    return "person-" + hashlib.sha256(min(digests).encode()).hexdigest()[:16]


def _method(path: str, methods: Sequence[tuple[str, str]]) -> str:
    return next((name for name, pattern in methods if fnmatch(path, pattern)), "camera")
