"""Tiny media made on the spot for the tests: `from tests.media_fixtures import make_video`. No file is ever downloaded
or shipped.

The picture moves: frame i has a bright bar whose place tells i, so that a test can see which frame it got.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, FRAMES, RATE = 64, 48, 20, 10
KEYS = Path(tempfile.mkdtemp(prefix="sfumato-test-keys-"))  # of `mark_seal`, made when it first seals
atexit.register(shutil.rmtree, KEYS, ignore_errors=True)


def picture(index: int, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """(height, width, 3): red grows to the right, green downwards, blue is a bar that moves right with `index`."""
    y, x = np.mgrid[0:height, 0:width]
    blue = np.where(np.abs(x - (index * 3) % width) < 4, 255, 0)
    return np.stack([x * 255 // max(1, width - 1), y * 255 // max(1, height - 1), blue], axis=-1).astype(np.uint8)


def make_video(
    path: Path,
    *,
    frames: int = FRAMES,
    width: int = WIDTH,
    height: int = HEIGHT,
    rate: float = RATE,
    times: Sequence[float] | None = None,
    rotation: float = 0,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    sound: str | None = None,
    sound_seconds: float | None = None,
    images: Sequence[NDArray[np.uint8]] | None = None,
    aspect: Fraction | None = None,
) -> Path:
    """Writes a video of `frames` pictures, by the suffix of `path`.

    `rotation` is in degrees clockwise, for the player to apply; `sound` names an encoder.
    """
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream: Any = container.add_stream(codec, rate=Fraction(rate).limit_denominator(1001), options=options or {})
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
            stream.codec_context.max_b_frames = 0
        if rotation:
            stream.set_display_rotation(-rotation)
        voice: Any = container.add_stream(sound, rate=44100, layout="mono") if sound else None
        container.start_encoding()
        for index in range(frames):
            image = images[index] if images is not None else picture(index, width, height)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = round(times[index] * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        if voice is not None:
            _add_tone(container, voice, sound_seconds if sound_seconds is not None else frames / rate)
        container.mux(stream.encode(None))
    return path


def make_sound(path: Path, seconds: float = 1.0, codec: str = "aac") -> Path:
    """Writes a file that holds a tone and no picture."""
    with av.open(str(path), "w") as container:
        _add_tone(container, container.add_stream(codec, rate=44100, layout="mono"), seconds)
    return path


def cut_off(source: Path, destination: Path, fraction: float = 0.5) -> Path:
    """Keeps the first part of a file, as an interrupted copy does."""
    data = source.read_bytes()
    destination.write_bytes(data[: int(len(data) * fraction)])
    return destination


def damage(source: Path, destination: Path, *, start: float = 0.4, stop: float = 0.5) -> Path:
    """Overwrites the bytes between two fractions of a file with noise."""
    data = bytearray(source.read_bytes())
    first, last = int(len(data) * start), int(len(data) * stop)
    data[first:last] = np.random.default_rng(0).integers(0, 256, last - first, dtype=np.uint8).tobytes()
    destination.write_bytes(bytes(data))
    return destination


def mark_seal(unsealed: Path, destination: Path, facts: Any) -> None:
    """A seal for tests: the real one, with keys of the tests' own, without a watermark."""
    from provenance.signing.seal import C2paSeal

    C2paSeal(KEYS, mark=False)(unsealed, destination, facts)


def box_seal(unsealed: Path, destination: Path, facts: Any) -> None:
    """No seal at all: copies the file and appends a box that players skip."""
    shutil.copyfile(unsealed, destination)
    note = b"sealed: " + facts.title.encode()
    with destination.open("ab") as file:
        file.write((len(note) + 8).to_bytes(4, "big") + b"free" + note)


def _add_tone(container: Any, stream: Any, seconds: float) -> None:
    rate = stream.rate
    samples = (np.sin(np.arange(int(seconds * rate)) * 2 * np.pi * 440 / rate) * 8000).astype(np.int16)
    context = stream.codec_context
    context.open(strict=False)
    resampler = av.AudioResampler(
        format=context.format, layout="mono", rate=rate, frame_size=context.frame_size or 1024
    )
    frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
    frame.sample_rate, frame.pts = rate, 0
    for piece in [*resampler.resample(frame), *resampler.resample(None)]:
        container.mux(stream.encode(piece))
    container.mux(stream.encode(None))
