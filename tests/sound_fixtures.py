"""Videos that beep, made on the spot, whose sound and picture start when, and are stored as, a test wants; and when a
video beeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.media_fixtures import HEIGHT, WIDTH, picture

BEEP = 0.1  # seconds; one begins at every full second of the sound


def make_beeping(
    path: Path,
    seconds: float = 3.0,
    *,
    rate: int = 25,
    start: float = 0.0,
    late_video: float = 0.0,
    late_sound: float = 0.0,
    codec: str = "libx264",
    sound: str = "aac",
    layout: str = "stereo",
    sample_rate: int = 48_000,
    other_sound: bool = False,
    still: bool = False,
    key_every: int = 12,
) -> Path:
    """Writes a video whose clock begins at `start` seconds. `other_sound` puts an even tone before the beeps, `still` a
    video stream of one picture before the video; the beeps and the video then are the default ones.
    """
    with av.open(str(path), "w") as container:
        first: Any = container.add_stream("mjpeg", rate=rate) if still else None
        if first is not None:
            first.width, first.height, first.pix_fmt, first.disposition = 32, 32, "yuvj420p", 0
        video: Any = container.add_stream(codec, rate=rate, options={"g": str(key_every)})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        base = Fraction(1, 90_000) if codec == "libx264" else Fraction(1, rate)
        video.codec_context.time_base = base
        tone: Any = container.add_stream(sound, rate=sample_rate, layout=layout) if other_sound else None
        beeps: Any = container.add_stream(sound, rate=sample_rate, layout=layout)
        if tone is not None:
            from av.stream import Disposition

            tone.disposition, beeps.disposition = 0, Disposition.default
        if first is not None:
            from av.stream import Disposition

            video.disposition = Disposition.default
        container.start_encoding()
        packets: list[Any] = []
        if first is not None:
            frame = av.VideoFrame.from_ndarray(picture(0, 32, 32), format="rgb24").reformat(format="yuvj420p")
            frame.pts = round(start * rate)
            packets += [*first.encode(frame), *first.encode(None)]
        for index in range(round(seconds * rate)):
            frame = av.VideoFrame.from_ndarray(picture(index), format="rgb24")
            frame.pts, frame.time_base = round((start + late_video + index / rate) / base), base
            packets += video.encode(frame)
        packets += video.encode(None)
        for stream in (beeps, *([tone] if tone is not None else [])):
            packets += _sound(stream, seconds, start + late_sound, beeping=stream is beeps)
        for packet in sorted(packets, key=lambda packet: float((packet.dts or 0) * packet.time_base)):
            container.mux(packet)
    return path


def joined(path: Path, *parts: Path) -> Path:
    """The parts one after the other, as they are."""
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def beeps_of(path: Path) -> list[float]:
    """The seconds at which a video that sfumato wrote begins to beep."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        loud = np.zeros(round(600 * stream.rate / 240))  # windows of 1/240 s
        for frame in container.decode(stream):
            samples = frame.to_ndarray()
            samples = samples.reshape(-1, frame.layout.nb_channels).T if frame.format.is_packed else samples
            first = float(frame.time or 0) * stream.rate
            places = ((first + np.arange(samples.shape[1])) / stream.rate * 240).astype(int)
            np.maximum.at(loud, np.maximum(places, 0), np.abs(samples.astype(float)).max(axis=0))
    on = loud > 0.25 * loud.max()
    return [place / 240 for place in np.flatnonzero(on) if not on[max(0, place - 24) : place].any()]


def _sound(stream: Any, seconds: float, start: float, *, beeping: bool) -> Sequence[Any]:
    context = stream.codec_context
    context.open(strict=False)
    channels, rate = context.layout.nb_channels, stream.rate
    time = np.arange(round(seconds * rate)) / rate
    level = np.where(time % 1 < BEEP, 16_000, 0) if beeping else np.full(len(time), 12_000)
    wave = (np.sin(2 * np.pi * (1000 if beeping else 300) * time) * level).astype(np.int16)
    found = list[Any]()
    for first in range(0, len(wave), 1024):
        piece = np.repeat(wave[first : first + 1024], channels)[None]  # packed: PyAV makes no planes of 8 channels
        frame = av.AudioFrame.from_ndarray(piece, format="s16", layout=context.layout.name)
        frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), round(start * rate) + first
        found += stream.encode(frame)
    return found + list(stream.encode(None))
