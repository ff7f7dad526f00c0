"""A small file of every format that `sfumato sign` writes, made on the spot.

In: a format and a path. Out: a file of noise there, always the same. The formats are those of
provenance/formats/containers.py, by their suffixes; those that are large enough to be hashed in pieces; and files whose
manifest lies beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from benchmarks.verifiers.heic import HEIC
from provenance.formats.containers import FORMATS
from provenance.library.settings import LARGE
from sfumato.media.x264 import x264_options

SIDE = 48  # px of a picture or video
FRAMES = 8  # of a video: FFmpeg takes parts of a manifest for frames of an AVI until it has seen five in a row
SAMPLES = 8 * 1152  # of sound: eight frames of an mp3
RATE = 44_100  # samples a second


@dataclass(frozen=True)
class Format:
    """What is signed. in_pieces: it is so large that it is hashed in pieces. sidecar: its manifest lies beside it."""

    name: str
    suffix: str
    media_type: str
    in_pieces: bool = False
    sidecar: bool = False


def formats() -> dict[str, Format]:
    """Every format, by its name."""
    inside = [Format(suffix[1:], suffix, media_type) for suffix, media_type in FORMATS.items()]
    pieces = [Format(f"{name} in pieces", f".{name}", FORMATS[f".{name}"], in_pieces=True) for name in ("mp4", "mov")]
    beside = [
        Format(f"{name} with sidecar", f".{name}", media_type, sidecar=True)
        for name, media_type in (("mkv", "video/x-matroska"), ("webm", "video/webm"), ("mp4", "video/mp4"))
    ]
    return {each.name: each for each in (*inside, *pieces, *beside)}


def write_specimen(kind: Format, path: Path) -> None:
    """Writes a file of that format to `path`, whatever it is called."""
    (LONG if kind.in_pieces else SHORT)[kind.media_type](path)


def _picture(path: Path, *, form: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, form)


def _drawing(path: Path) -> None:
    places = np.random.default_rng(0).integers(10, 99, (40, 2))
    shapes = "".join(f'<rect x="{x}" y="{y}" width="3" height="2"/>' for x, y in places)
    path.write_text(f'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg">{shapes}</svg>', encoding="utf-8")


def _still(path: Path) -> None:
    path.write_bytes(HEIC)


def _video(path: Path, *, container: str, codec: str = "libx264", pixels: str = "yuv420p") -> None:
    noise = np.random.default_rng(0)
    with av.open(str(path), "w", format=container) as output:
        options = x264_options() if codec == "libx264" else {}
        stream: Any = output.add_stream(codec, rate=10, options=options)
        stream.width = stream.height = SIDE
        stream.pix_fmt = pixels
        for _ in range(FRAMES):
            picture = noise.integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(stream.encode())


def _sound(path: Path, *, container: str, codec: str, samples: int = SAMPLES) -> None:
    noise = np.random.default_rng(0).integers(-9000, 9000, (1, samples), dtype=np.int16)
    with av.open(str(path), "w", format=container) as output:
        stream: Any = output.add_stream(codec, rate=RATE)
        stream.layout = "mono"
        whole = av.AudioFrame.from_ndarray(noise, format="s16", layout="mono")
        whole.sample_rate = RATE
        for frame in av.AudioResampler(stream.format.name, "mono", RATE, stream.frame_size or 1152).resample(whole):
            output.mux(stream.encode(frame))
        output.mux(stream.encode())


SHORT: Mapping[str, Callable[[Path], None]] = {
    "video/mp4": partial(_video, container="mp4"),
    "video/quicktime": partial(_video, container="mov"),
    "video/avi": partial(_video, container="avi", codec="mjpeg", pixels="yuvj420p"),
    "video/x-matroska": partial(_video, container="matroska"),
    "video/webm": partial(_video, container="webm", codec="libvpx"),
    "image/jpeg": partial(_picture, form="JPEG"),
    "image/png": partial(_picture, form="PNG"),
    "image/webp": partial(_picture, form="WEBP"),
    "image/gif": partial(_picture, form="GIF"),
    "image/tiff": partial(_picture, form="TIFF"),
    "image/avif": partial(_picture, form="AVIF"),
    "image/heic": _still,
    "image/heif": _still,
    "image/svg+xml": _drawing,
    "audio/wav": partial(_sound, container="wav", codec="pcm_s16le"),
    "audio/mpeg": partial(_sound, container="mp3", codec="libmp3lame"),
    "audio/mp4": partial(_sound, container="ipod", codec="aac"),
    "audio/flac": partial(_sound, container="flac", codec="flac"),
}
_LONG = LARGE // 2 + 2**17  # samples of two bytes
LONG: Mapping[str, Callable[[Path], None]] = {  # sound of two bytes a sample: little work for so many bytes
    "video/mp4": partial(_sound, container="mp4", codec="pcm_s16le", samples=_LONG),
    "video/quicktime": partial(_sound, container="mov", codec="pcm_s16le", samples=_LONG),
}
