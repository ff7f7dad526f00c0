"""The few-shot generator of Zakharov et al. (arXiv 1905.08233), and the warp-guided family built on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfumato.registry import lazy_names

if TYPE_CHECKING:
    from generator.motion.track import (
        Motion as Motion,
    )
    from generator.motion.track import (
        read_motion as read_motion,
    )
    from generator.motion.track import (
        track_video as track_video,
    )
    from generator.motion.track import (
        write_motion as write_motion,
    )
    from generator.networks.checkpoint import load_checkpoint as load_checkpoint

_PUBLIC = {
    "load_checkpoint": "generator.networks.checkpoint:load_checkpoint",
    "Motion": "generator.motion.track:Motion",
    "read_motion": "generator.motion.track:read_motion",
    "track_video": "generator.motion.track:track_video",
    "write_motion": "generator.motion.track:write_motion",
}
__all__ = ["load_checkpoint", "Motion", "read_motion", "track_video", "write_motion"]
__getattr__ = lazy_names(__name__, _PUBLIC)
