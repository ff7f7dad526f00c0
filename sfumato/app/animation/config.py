"""How a portrait is animated. In: settings, as somebody gave them. Out: one frozen `AnimateConfig`, or the reason why
not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sfumato.errors import UsageError
from sfumato.media.frame_size import LARGEST, LARGEST_WHOLE, require_frame_size

SLOWEST, FASTEST = 1.0, 120.0  # frames a second


@dataclass(frozen=True)
class AnimateConfig:
    """How a portrait is animated."""

    # pixels of the square video (None: 256, the paper's); of the longer side with paste_back (None: the picture's)
    size: int | None = None
    fps: float | None = None  # None: the motion's own frames and times
    seconds: float | None = None  # None: the whole motion
    # which face, counted from the largest: none (the largest), one for all portraits, or one for each
    faces: tuple[int, ...] = ()
    mode: Literal["relative", "absolute"] = "relative"  # relative keeps the portrait's own pose
    strength: float = 1.0  # of the expression; 0 leaves only head motion
    neutral: float | None = None  # seconds into the motion at which its face is calm; None: such a frame is looked for
    smooth: float = 1.0  # how much of the jitter is taken out of a video's or camera's motion; 0: nothing
    paste_back: bool = False  # the face goes back into its whole picture
    tune_seconds: float = 0.0  # fine-tuning on the portraits; the shipped checkpoint gives a good likeness without
    tune_iterations: int = 0  # the same, counted; whichever ends first
    seed: int = 0
    sound: bool = False  # copy the sound of the motion's video
    sound_from: Path | None = None  # or of another file

    def __post_init__(self) -> None:
        if self.size is not None:
            require_frame_size(self.size, LARGEST_WHOLE if self.paste_back else LARGEST)
        if self.fps is not None and not SLOWEST <= self.fps <= FASTEST:
            raise UsageError(f"The rate is {self.fps:g} frames a second", f"Choose {SLOWEST:g} to {FASTEST:g}.")
        if self.seconds is not None and not self.seconds > 0:
            raise UsageError(f"The length is {self.seconds:g} seconds", "Choose more than 0.")
        if not 0 <= self.strength <= 3 or not 0 <= self.tune_seconds <= 86_400:
            raise UsageError(
                f"Strength {self.strength:g} or fine-tuning of {self.tune_seconds:g} s is out of range",
                "Choose 0 to 3, and 0 to 86400 s.",
            )
        if (
            not 0 <= self.smooth <= 3
            or self.tune_iterations < 0
            or (self.neutral is not None and not self.neutral >= 0)
        ):
            raise UsageError(
                "smooth, neutral or tune_iterations is out of range",
                "Choose 0 to 3 for smooth, 0 or more for the others.",
            )
        if self.sound and self.sound_from is not None:
            raise UsageError("The sound can come from one place only", "Leave --sound or --sound-from out.")
