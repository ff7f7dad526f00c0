"""The clips of a list as a participant would see them: rows of clips.jsonl in, `Film`s out, each opened once.

A film says what has to be equal within a question (size, rate), how long it is, and how it looks at three moments: by
that two files are known to show the same moments of a recording, whatever they are called.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sfumato.errors import MediaError
from sfumato.media.clips import ClipRow, clip_file, file_digest

MOMENTS = (0, 12, 24)  # frames that are compared: the first second
_SIDE = 32  # px of their small grey pictures
_ALIKE = 2.0  # grey levels of 255 that those of the same moments differ by at most, on average: another compression
_CODECS = frozenset({"h264", "vp8", "vp9", "av1"})  # what every browser plays
_SUFFIXES = {"mov": ".mp4", "matroska": ".webm"}  # of a container's copies
_SHORTEST, _LONGEST = 0.1, 120.0  # seconds


@dataclass(frozen=True)
class Film:
    """width, height: px; rate: frames a second; seconds: how long it is; size: bytes; looks: (3 or fewer, 32, 32) grey
    levels, 0 to 255; suffix: of a copy, for browsers.
    """

    row: ClipRow
    file: Path
    width: int
    height: int
    rate: float
    seconds: float
    size: int
    looks: NDArray[np.float32]
    suffix: str

    def fits(self, other: Film) -> bool:
        """Whether the two can stand side by side: of one size and rate, neither shorter than half of the other."""
        shorter, longer = sorted((self.seconds, other.seconds))
        same = (self.width, self.height) == (other.width, other.height)
        return same and abs(self.rate / other.rate - 1) <= 0.01 and shorter >= longer / 2

    def shows_the_moments_of(self, other: Film) -> bool:
        """Whether the two are of the same moments, as twins of one recording are."""
        count = min(len(self.looks), len(other.looks))
        return bool(np.abs(self.looks[:count] - other.looks[:count]).mean() <= _ALIKE)


@dataclass
class Stock:
    """clips: the list; refused: what cannot be shown, by its path, and why."""

    clips: Path
    refused: dict[str, str] = field(default_factory=dict)
    _opened: dict[str, Film] = field(default_factory=dict)

    def film(self, row: ClipRow) -> Film | None:
        """None for a file that cannot be shown; `refused` then says why."""
        if row.path in self.refused:
            return None
        if row.path not in self._opened:
            try:
                self._opened[row.path] = open_film(row, clip_file(self.clips, row))
            except MediaError as error:
                self.refused[row.path] = error.message
                return None
        return self._opened[row.path]


def open_film(row: ClipRow, file: Path) -> Film:
    """Raises MediaError: no video, one that changed since it was listed, that browsers do not play, or is too long."""
    from sfumato.execution.find_files import is_picture
    from sfumato.media.video import VideoReader

    if is_picture(file):
        raise MediaError(f"{row.path} is a picture, and only videos are shown")
    looks: list[NDArray[np.float32]] = []
    with VideoReader(file) as video:
        info = video.info
        kind = info.container.split(",")[0]
        if info.codec not in _CODECS or kind not in _SUFFIXES:
            raise MediaError(f"{row.path} is {info.codec} in {kind}, which not every browser plays")
        seconds = info.duration or video.count_frames() / info.rate
        if not _SHORTEST <= seconds <= _LONGEST:
            raise MediaError(f"{row.path} has {seconds:.1f} seconds; from {_SHORTEST:g} to {_LONGEST:g} are shown")
        for frame in video.chosen(lambda index: index in MOMENTS):
            looks.append(_look(frame.image))
            if frame.index == MOMENTS[-1]:
                break
    if file_digest(file) != row.sha256:
        raise MediaError(f"{row.path} changed since it was listed")
    size = file.stat().st_size
    return Film(row, file, info.width, info.height, info.rate, seconds, size, np.stack(looks), _SUFFIXES[kind])


def _look(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    import cv2

    small = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.float32)
