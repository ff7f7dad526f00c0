"""The Seal: what every generated video must be given before it may leave the program.

The media layer only knows the protocol; the provenance layer supplies the seal that writes Content Credentials.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class GeneratedFacts:
    """What a generated video must say of itself.

    `model_digest` is the sha256 (64 lower-case hex digits) of the generator's weights; `portraits` are the pictures it
    was made from, `known_digests` their SHA-256 where they were taken already, `portrait_digests` the SHA-256 of those
    that are no longer at hand (a person file); `motion_digest` names the motion that drove it; `parameters` are the
    settings that shaped it. Raises ValueError for an empty title
    or model name, and for a digest of another form.
    """

    title: str
    model_name: str
    model_digest: str
    seed: int
    portraits: tuple[Path, ...]
    motion_digest: str
    parameters: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    portrait_digests: tuple[str, ...] = ()
    known_digests: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.title.strip() or not self.model_name.strip():
            raise ValueError("a generated video has a title and names its model")
        if not re.fullmatch(r"[0-9a-f]{64}", self.model_digest):
            raise ValueError(f"model_digest is a sha256 of 64 lower-case hex digits, not {self.model_digest!r}")


class Seal(Protocol):
    """Writes a sealed copy of a generated video."""

    def __call__(self, unsealed: Path, destination: Path, facts: GeneratedFacts) -> None:
        """Reads the finished mp4 `unsealed`, writes its sealed copy to `destination`, which may exist, empty, and is
        replaced.

        `unsealed` is not changed. The caller publishes `destination` afterwards, if its credential holds for these very
        frames. Raises SealError when it cannot seal.
        """
        ...


class Binding(Protocol):
    """A watermark as a manifest names it: its algorithm, and its value in base64."""

    @property
    def alg(self) -> str: ...

    @property
    def value(self) -> str: ...


class MarkingSeal(Seal, Protocol):
    """The seal of one video that changes its frames too: `mark` each frame, in order, before it is encoded; then call
    it. The manifest it writes has to name `binding`, the mark.
    """

    @property
    def binding(self) -> Binding: ...

    def mark(
        self, image: NDArray[np.uint8], time: float, faces: Sequence[tuple[float, float, float, float]] | None = None
    ) -> NDArray[np.uint8]:
        """image: HWC uint8 RGB, `time` in seconds after the first frame. Returns it with its mark, of the same size.

        `faces`: boxes (x, y, width, height) in pixels that are to be kept cleaner; None: not known.
        """
        ...


class SealMaker(Protocol):
    """A seal for any number of videos, whose `begin` gives the one for the next video. A writer calls it if it is
    there.
    """

    def begin(self, facts: GeneratedFacts) -> Seal:
        """A Seal for the video of these facts, or a MarkingSeal. Raises SealError when it could not seal."""
        ...
