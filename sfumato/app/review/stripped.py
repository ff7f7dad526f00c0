"""The same clip without its credential: what a careless upload leaves of it, the picture and the watermark in it. In: a
video. Out: what a function says of its re-encoded copy.

The copy is made for judging only: it lies in a private temporary folder while the function looks at it and is gone
afterwards. It is encoded harder than the original, as the sites do that people upload to.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

from sfumato.media.video import VideoReader
from sfumato.media.video.private_folder import private_folder
from sfumato.media.x264 import x264_options

T = TypeVar("T")
CRF = 26  # of x264; uploads usually end between 23 and 28


def judge_without_credential(path: Path, judge: Callable[[Path], T]) -> T:
    """Returns `judge(copy)`. Raises MediaError for a video that cannot be read, OutputError when there is no room."""
    with private_folder() as folder:
        copy = folder / "re-encoded.mp4"
        _re_encode(path, copy)
        return judge(copy)


def _re_encode(source: Path, copy: Path) -> None:
    import av

    with VideoReader(source) as video, av.open(str(copy), "w", format="mp4") as container:
        rate = Fraction(video.info.rate or 25.0).limit_denominator(1001)
        stream: Any = container.add_stream(
            "libx264", rate=rate, options=x264_options(crf=str(CRF), preset="veryfast", bf="0")
        )
        stream.width, stream.height, stream.pix_fmt = video.info.width // 2 * 2, video.info.height // 2 * 2, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 90_000)
        for frame in video:
            picture = av.VideoFrame.from_ndarray(frame.image[: stream.height, : stream.width], format="rgb24")
            picture.pts, picture.time_base = round(frame.time * 90_000), Fraction(1, 90_000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
