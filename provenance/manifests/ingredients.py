"""The files that a manifest names as its ingredients, and their digests.

In: paths. Out: `IngredientFile`s, each with a name inside the manifest and the media type that its first bytes show.
The files are streamed, and read again when the manifest is signed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from provenance.formats.containers import media_type_of_content
from sfumato.errors import MediaError, SealError
from sfumato.media import clips
from sfumato.regular_file import open_regular


@dataclass(frozen=True)
class IngredientFile:
    """One file as an ingredient: `reference` names it inside the manifest; its file name stays private.

    relationship: inputTo (a model was given it), componentOf (it is in the picture), parentOf (the asset is an edit of
    it). title: what readers are shown; empty: the reference.
    """

    path: Path
    reference: str
    media_type: str
    digest: str = ""  # sha256, hex, where the manifest states it
    relationship: str = "inputTo"
    title: str = ""

    def definition(self) -> dict[str, str]:
        return {"title": self.title or self.reference, "relationship": self.relationship, "label": self.reference}


def portrait_ingredients(portraits: Sequence[Path], known_digests: Sequence[str] = ()) -> list[IngredientFile]:
    """Reads the type of each portrait and (streaming) its digest; `known_digests`: those taken already, one each.
    Raises SealError if one cannot be read.
    """
    found = []
    known = dict(zip(portraits, known_digests, strict=True)) if known_digests else {}
    for number, path in enumerate(portraits, start=1):
        try:
            with open_regular(path) as file:
                media_type = media_type_of_content(file)
                file.seek(0)
                digest = known.get(path) or hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise SealError(
                f"Cannot read the portrait {path}: {error.strerror}", "Keep it in place until the video is done."
            ) from error
        reference = "portrait" if len(portraits) == 1 else f"portrait-{number}"
        found.append(IngredientFile(path, reference, media_type, digest))
    return found


def ingredient_file(path: Path, reference: str, relationship: str, title: str = "") -> IngredientFile:
    """One ingredient; only its first bytes are read. Raises SealError if they cannot be."""
    try:
        with open_regular(path) as file:
            return IngredientFile(path, reference, media_type_of_content(file), "", relationship, title)
    except OSError as error:
        raise SealError(
            f"Cannot read the ingredient {path}: {error.strerror}", "Give a file that can be read."
        ) from error


def file_digest(path: Path) -> str:
    """SHA-256 in hex, streaming. Raises SealError if the file cannot be read."""
    try:
        return clips.file_digest(path)
    except MediaError as error:
        raise SealError(error.message, "Give a file that can be read.") from error
