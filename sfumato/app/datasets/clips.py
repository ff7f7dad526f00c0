"""A folder of real footage to a clips.jsonl, with people found by their faces and split so that nobody
is in two splits.

In: a folder of videos and pictures that are known to be real. Out: one row a file beside them. Who is who follows from
SFace embeddings, not from names of files: the same person under two names would be trained on and tested on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sfumato.errors import MediaError, NoFaceError, UsageError
from sfumato.media.clips import GENERATED, ClipRow, Split, file_digest, split_by_identity

FRACTIONS: dict[Split, float] = {"train": 0.6, "validation": 0.1, "calibration": 0.15, "test": 0.15}
_LEADS_OUT = "a link that leads out of the folder, and a list names only what lies in its own: copy it"
_LOOKS = 3  # frames of a video whose faces are averaged
Identity = NDArray[np.float32]


@dataclass
class Listing:
    """rows: with splits; refused: (path, why) of files without a usable face; left_out: files that show someone of
    `without`.
    """

    rows: list[ClipRow]
    refused: list[tuple[str, str]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


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


def list_clips(
    folder: Path,
    methods: Sequence[tuple[str, str]] = (),
    without: Sequence[Path] = (),
    seed: int = 0,
    advance: Callable[[float], None] = lambda amount: None,
) -> Listing:
    """Every video and picture below `folder`. `methods`: (name, pattern of relative paths) of what is not "camera"; the
    first that fits counts. `without`: pictures of people to leave out. Raises UsageError when nothing usable is there,
    MediaError for a picture of `without` that shows no face.
    """
    from sfumato.execution.find_files import find_media
    from sfumato.media.people import SAME_PERSON, group_people

    looker = Looker()
    unwanted = [looker.identity(path) for path in without]
    listing = Listing([])
    files: list[tuple[str, str]] = []  # (relative path, digest)
    identities: list[Identity] = []
    seen: set[str] = set()
    for path in find_media([folder]):
        name = path.relative_to(folder).as_posix()
        advance(1)
        if not path.resolve().is_relative_to(folder.resolve()):
            listing.refused.append((name, _LEADS_OUT))
            continue
        if GENERATED in name.split("/")[:-1]:
            listing.refused.append((name, f"in a folder called {GENERATED}, where sfumato fakes keeps what it makes"))
            continue
        try:
            digest, identity = file_digest(path), looker.identity(path)
        except MediaError as error:
            listing.refused.append((name, error.message))
            continue
        if any(float(identity @ other) >= SAME_PERSON for other in unwanted):
            listing.left_out.append(name)
        elif digest in seen:
            listing.refused.append((name, "the same file is there already"))
        else:
            seen.add(digest)
            files.append((name, digest))
            identities.append(identity)
    if not files:
        why = f" (the first: {listing.refused[0][0]}, {listing.refused[0][1]})" if listing.refused else ""
        advice = "Name a folder of real videos and pictures that show faces."
        raise UsageError(f"No usable face in {folder}{why}", advice)
    labels = group_people(np.stack(identities))
    names = {
        label: _person([digest for (_, digest), other in zip(files, labels, strict=True) if other == label])
        for label in set(labels)
    }
    rows = [
        ClipRow(
            path=name, label="real", method=_method(name, methods), family="real", identity=names[label], sha256=digest
        )
        for (name, digest), label in zip(files, labels, strict=True)
    ]
    listing.rows = split_by_identity(rows, FRACTIONS, seed)
    return listing


def _person(digests: Sequence[str]) -> str:
    """A name for a person: it stays while the file that sorts first stays."""
    return "person-" + hashlib.sha256(min(digests).encode()).hexdigest()[:16]


def _method(path: str, methods: Sequence[tuple[str, str]]) -> str:
    return next((name for name, pattern in methods if fnmatch(path, pattern)), "camera")
