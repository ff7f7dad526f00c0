"""Writes generated pictures: an image in, one sealed PNG or JPEG out, or nothing.

Generated faces leave by the same door as a picture as they do as a video: the picture is made in a private folder,
sealed, read as a stranger would read it, and only then appears. Who hands in no seal gets the one below, by name: the
wings do not know each other, and a preview of a training run is no exception.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sfumato.media.video.private_folder import private_folder, private_path
from sfumato.media.video.published import require_sealed
from sfumato.registry import Registry

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sfumato.media.video.seal import GeneratedFacts, Seal

DEFAULT = "c2pa"
REGISTRY = Registry("seal of pictures", {DEFAULT: "provenance.signing.seal:C2paSeal"})


def write_generated_picture(
    path: Path, image: NDArray[np.uint8], facts: GeneratedFacts, seal: Seal | None = None
) -> None:
    """image: (H, W, 3) uint8 RGB. `seal`: None for the development keys of this machine. Replaces what is at `path`.

    Raises SealError without keys or for a seal that does not hold, OutputError for a path that cannot be written.
    """
    from sfumato.media.images import write_image

    with private_folder() as folder:
        unsealed = folder / f"unsealed{path.suffix}"
        write_image(unsealed, image)
        seal_picture(unsealed, path, facts, seal)


def seal_picture(unsealed: Path, path: Path, facts: GeneratedFacts, seal: Seal | None = None) -> None:
    """The same of a picture that lies in a private folder already."""
    make: Seal = seal or REGISTRY.load(DEFAULT)(mark=False)  # the watermark is for videos
    with private_path(path) as sealed:
        make(unsealed, sealed, facts)
        require_sealed(sealed, path, None)
