"""Motions that were tracked, kept between workers and calls. In: a driver's digest, how to track it. Out: its motion.

Kept as it was, on the driver's own face: these files are for the making of a set and go with its folder of work.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

from sfumato.atomic import make_folder, write_bytes
from sfumato.errors import MediaError

if TYPE_CHECKING:
    from generator.motion.track import Motion


def kept_track(folder: Path, digest: str, backend: str, seconds: float, track: Callable[[], Motion]) -> Motion:
    """`seconds`: of the video, from its beginning, that are tracked. Raises what `track` raises, OutputError
    where nothing can be kept.
    """
    import numpy as np

    from generator.motion.track import Motion

    path = folder / f"{digest}-{backend}-{seconds:g}.npz"
    try:
        with np.load(path, allow_pickle=False) as kept:
            parts = {name: kept[name] for name in ("depth", "gaze") if name in kept}
            return Motion(kept["landmarks"], kept["times"], int(kept["neutral"]), backend, digest, **parts)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, MediaError):  # none, or half of one
        motion = track()
    arrays = {"landmarks": motion.landmarks, "times": motion.times, "neutral": np.array(motion.neutral)}
    arrays |= {name: part for name, part in (("depth", motion.depth), ("gaze", motion.gaze)) if part is not None}
    data = io.BytesIO()
    np.savez(data, **arrays)  # type: ignore[arg-type]
    make_folder(folder)
    write_bytes(path, data.getvalue())
    return motion
