"""How large a frame may be: one range and one sentence, whichever command makes it."""

from __future__ import annotations

from sfumato.errors import UsageError

SMALLEST, LARGEST, LARGEST_WHOLE = (
    64,
    1024,
    3840,
)  # px: of a square frame, and of the longer side of a whole picture with the face in it


def require_frame_size(size: int, largest: int = LARGEST) -> None:
    """Raises UsageError for a side of `size` pixels that is out of range, or odd, which no common video may be."""
    if not SMALLEST <= size <= largest or size % 2:
        raise UsageError(
            f"Frames of {size} pixels cannot be made", f"Choose an even --size from {SMALLEST} to {largest}."
        )
