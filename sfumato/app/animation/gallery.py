"""The portraits somebody names, and those that come with the program: paintings in the public domain. In: a name or a
path. Out: a file on disk, and which painting it is, if it is one of them.

Where each comes from, and why it is free, stands in portraits/SOURCES.md. A picture counts as one of them by its
digest, not by its name.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from sfumato.errors import MediaError, MissingFileError, UsageError, choose_from
from sfumato.regular_file import open_regular


@dataclass(frozen=True)
class ShippedPortrait:
    """A painting: `name` is what the command line calls it, `digest` the SHA-256 of the file."""

    name: str
    title: str
    painter: str
    year: str
    about: str
    digest: str

    @property
    def path(self) -> Path:
        return Path(str(files("sfumato.app.animation") / "portraits" / f"{self.name}.jpg"))


@dataclass(frozen=True)
class PortraitFile:
    """A picture, or a person file, that was named. Its content is hashed when it is first asked for, and never again:
    one request is about one content.
    """

    path: Path

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file, hex. Raises MediaError where it cannot be read."""
        try:
            with open_regular(self.path) as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            advice = "Check the name and the permissions."
            raise MediaError(f"Cannot read {self.path}: {error.strerror}", advice) from error

    @property
    def shipped(self) -> ShippedPortrait | None:
        """The shipped painting that this very file is, byte for byte, wherever it lies; None for any other picture.
        Raises MediaError.
        """
        return next((portrait for portrait in _PORTRAITS if portrait.digest == self.digest), None)


_PORTRAITS = (
    ShippedPortrait(
        "mona-lisa", "Mona Lisa", "Leonardo da Vinci", "c. 1503–1519", "Oil on poplar panel. Musée du Louvre, Paris.",
        "ceca41cb48b88caa71983b7cb5783d5744d6bd8154308ee98f253344675c9060",
    ),
    ShippedPortrait(
        "la-velata", "La Velata", "Raphael", "c. 1516", "Oil on canvas. Galleria Palatina, Palazzo Pitti, Florence.",
        "8c7f0a04286f610b95cbc7f6a92ab2f9bfdac3f64d6f51f53be5174bcdbe8457",
    ),
    ShippedPortrait(
        "lady-agnew", "Lady Agnew of Lochnaw", "John Singer Sargent", "1892",
        "Oil on canvas. National Galleries of Scotland, Edinburgh.",
        "cab579025caac4f869cf05566d95c797459dd0ef27f5ebd2610ddd877a289f4d",
    ),
)  # fmt: skip


def shipped_portraits() -> dict[str, ShippedPortrait]:
    """The paintings by name, the Mona Lisa first."""
    return {portrait.name: portrait for portrait in _PORTRAITS}


def portrait_path(name: str | Path) -> Path:
    """A file as given, or a shipped painting by its name. Raises MissingFileError when it is neither,
    UsageError for a folder.
    """
    path = Path(name)
    if path.is_file():
        return path
    shipped = shipped_portraits().get(str(name))
    if shipped is not None:
        return shipped.path
    if path.is_dir():
        advice = "Name a picture in it, or animate all of them: --each -o OUT."
        raise UsageError(f"{name} is a folder, and one portrait is wanted", advice)
    raise MissingFileError(f"There is no portrait {name}", choose_from(name, shipped_portraits(), "a picture, or "))
