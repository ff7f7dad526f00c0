"""What happens to a video on its way: encoded again, made smaller, cut, mirrored. A path in, frames in, an mp4 out.

Each treatment is H.264 (x264, its default preset, medium) after a change of the frames; nothing of the file's manifest
is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sfumato.media.x264 import x264_options

Image = NDArray[np.uint8]
Timed = Iterable[tuple[Image, float]]  # frames and their times in seconds
_BT601 = 6  # SMPTE 170M in H.264's table


@dataclass(frozen=True)
class Reencoding:
    """`change` of the frames, then H.264 at `crf`."""

    crf: int
    change: Callable[[Timed], Timed] = lambda frames: frames

    def apply(self, source: Path, destination: Path) -> None:
        """Raises MediaError for a source that is no video."""
        from sfumato.media.video import VideoReader

        with VideoReader(source) as video:
            encode(destination, self.change((frame.image, frame.time) for frame in video), self.crf, video.info.rate)


def encode(
    path: Path, frames: Timed, crf: int, rate: float, codec: str = "libx264", options: Mapping[str, str] | None = None
) -> None:
    """Writes a video without any metadata of ours, by the suffix of `path`. options: of the encoder, instead of `crf`
    alone.
    """
    import av

    settings = dict(options) if options is not None else {"crf": str(crf)}
    settings = x264_options(**settings) if codec == "libx264" else settings
    with av.open(str(path), "w") as container:
        stream: Any = None
        for index, (image, time) in enumerate(frames):
            if stream is None:
                stream = container.add_stream(codec, rate=Fraction(rate).limit_denominator(1001), options=settings)
                stream.width, stream.height, stream.pix_fmt = image.shape[1], image.shape[0], "yuv420p"
                stream.codec_context.thread_count = 1
                stream.codec_context.colorspace = (
                    _BT601  # what the conversion from RGB uses; untagged HD would be read as BT.709
                )
                stream.codec_context.time_base = Fraction(1, 90_000)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame.pts, frame.time_base = max(round(time * 90_000), index), Fraction(1, 90_000)
            container.mux(stream.encode(frame))
        if stream is not None:
            container.mux(stream.encode(None))


def half_size(frames: Timed) -> Iterator[tuple[Image, float]]:
    """Half of both sides, rounded to even pixels."""
    import cv2

    for image, time in frames:
        size = (image.shape[1] // 4 * 2, image.shape[0] // 4 * 2)
        yield cv2.resize(image, size, interpolation=cv2.INTER_AREA), time  # type: ignore[misc]


def crop_tenth(frames: Timed) -> Iterator[tuple[Image, float]]:
    """A tenth of both sides is lost: 4 % of it left and on top, 6 % right and below."""
    for image, time in frames:
        height, width = image.shape[:2]
        top, left, high, wide = (
            round(height * 0.04),
            round(width * 0.04),
            round(height * 0.45) * 2,
            round(width * 0.45) * 2,
        )
        yield image[top : top + high, left : left + wide], time


def fifteen_a_second(frames: Timed) -> Iterator[tuple[Image, float]]:
    """The frame that is shown at each fifteenth of a second."""
    next_time, count = 0.0, 0
    for image, time in frames:
        if time + 1e-6 >= next_time:
            yield image, count / 15
            count += 1
            next_time = max(count / 15, time - 1 / 15)


def brighter(frames: Timed) -> Iterator[tuple[Image, float]]:
    """Contrast times 1.15, brightness plus 12."""
    import cv2

    for image, time in frames:
        yield cv2.convertScaleAbs(image, alpha=1.15, beta=12), time  # type: ignore[misc]


def mirror(frames: Timed) -> Iterator[tuple[Image, float]]:
    """Left and right exchanged."""
    for image, time in frames:
        yield image[:, ::-1], time


# name -> one after the other
REENCODINGS: Mapping[str, tuple[Reencoding, ...]] = {
    "crf 18": (Reencoding(18),),
    "crf 23": (Reencoding(23),),
    "crf 28": (Reencoding(28),),
    "crf 33": (Reencoding(33),),
    "half size, crf 28": (Reencoding(28, half_size),),
    "10 % crop, crf 23": (Reencoding(23, crop_tenth),),
    "15 fps, crf 23": (Reencoding(23, fifteen_a_second),),
    "brightness, crf 23": (Reencoding(23, brighter),),
    "mirrored, crf 23": (Reencoding(23, mirror),),
    "mirrored, crf 28; then half size, crf 28": (Reencoding(28, mirror), Reencoding(28, half_size)),
}


def reencode(name: str, source: Path, folder: Path) -> Path:
    """Applies `name` to `source`; the result lies in `folder`."""
    current = source
    for step, reencoding in enumerate(REENCODINGS[name]):
        destination = folder / f"treated-{step}.mp4"
        reencoding.apply(current, destination)
        current = destination
    return current
