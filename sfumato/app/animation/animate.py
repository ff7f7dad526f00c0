"""One video from one call, for Python programs: portraits, a motion and a right in; a sealed mp4 out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sfumato.app.animation.config import AnimateConfig
from sfumato.app.animation.driver import find_driver
from sfumato.app.animation.gallery import portrait_path
from sfumato.app.animation.living_portrait import LivingPortrait
from sfumato.app.animation.studio import Studio


def animate(
    portraits: Sequence[str | Path], motion: str | Path, output: str | Path, *, consent: str | None = None,
    config: AnimateConfig | None = None, checkpoint: str | Path = "portrait-256", device: Any = "cpu",
    overwrite: bool = False,
) -> LivingPortrait:  # fmt: skip
    """Lets the person of `portraits` follow `motion` and writes the sealed mp4 `output`.

    portraits: pictures of one person, one person file, or a shipped painting by its name; motion: a video, a .motion
    file or a shipped motion by its name; consent: by what right the portrait is used, needed for all but the shipped
    paintings;
    checkpoint: the generator, a path or a shipped name. For several videos a `Studio` of sfumato.app.animation.studio
    loads the nets once. Raises SfumatoError: MissingFileError, UsageError (no consent, contradictions), NoFaceError,
    MediaError, CheckpointError, OutputError, SealError. Nothing is written then.
    """
    from generator.networks.checkpoint import checkpoint_path

    studio = Studio(checkpoint_path(checkpoint), device=device)
    return studio.animate(
        [portrait_path(name) for name in portraits],
        find_driver(motion),
        Path(output),
        config,
        consent,
        overwrite=overwrite,
    )
