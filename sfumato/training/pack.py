"""A pack: pictures of faces and their landmarks in one file, small enough to travel to the machine that trains.

In: clips, a picture a frame. Out: one safetensors file, and the clips once more. Pictures are WebP, which every
OpenCV reads, landmarks whole 32nds of a pixel. A pack of
strangers is held to what this module writes before a picture of it is decoded.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sfumato.atomic import atomic_path
from sfumato.errors import MediaError, OutputError, UsageError
from sfumato.limits import RECORD
from sfumato.structure.tensors import hold_tensors

FORMAT = "sfumato-pack-1"
SUFFIX = ".pack"
SIDES = (16, 1024)  # px of a picture, at least and at most
_GRAIN = 32  # steps a pixel: rounding is far below what a landmark net misses by
_TENSORS = {"facts": "u1", "points": "u1", "pictures": "u1", "bytes": "i4", "frames": "i4", "places": "f4"}


@dataclass(frozen=True)
class PackedClip:
    """facts: what there is to say, as JSON; pictures: WebP, square; points: (n, 68, 2) px in them; places: (n,), where
    each lies in the clip; features: (k,) of the whole clip, with one k for all of a pack.
    """

    facts: dict[str, Any]
    pictures: tuple[bytes, ...]
    points: NDArray[np.float32]
    places: NDArray[np.float64]
    features: NDArray[np.float32]


@dataclass(frozen=True)
class Pack:
    """`about`: what holds for all clips."""

    about: dict[str, Any]
    clips: tuple[PackedClip, ...]


def as_webp(image: NDArray[np.uint8], quality: int) -> bytes:
    """image: (S, S, 3) uint8 RGB; quality: 1 to 100."""
    done, data = cv2.imencode(".webp", np.ascontiguousarray(image[:, :, ::-1]), [cv2.IMWRITE_WEBP_QUALITY, quality])
    if not done:
        raise MediaError("A picture could not be stored as WebP")
    return bytes(data.tobytes())


def side_of(picture: bytes) -> int:
    """px of a picture, from its header. Raises ValueError for anything but a square WebP of a side within SIDES."""
    width, height = (int.from_bytes(picture[at : at + 2], "little") & 0x3FFF for at in (26, 28))
    if picture[:4] != b"RIFF" or picture[8:16] != b"WEBPVP8 " or picture[23:26] != b"\x9d\x01\x2a":
        raise ValueError("a picture is no plain WebP")
    if width != height or not SIDES[0] <= width <= SIDES[1]:
        raise ValueError(f"a picture has {width} x {height} px")
    return width


def require_pack_name(path: Path) -> None:
    """Raises UsageError where a pack would be written as something else: before the work, not after it."""
    if path.suffix != SUFFIX:
        raise UsageError(f"{path} does not end in {SUFFIX}", f"Name the output something{SUFFIX}.")


def write_pack(path: Path, kind: str, about: dict[str, Any], clips: Sequence[PackedClip]) -> None:
    """Writes atomically. kind: what reads it. Raises OutputError."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    pictures = [picture for clip in clips for picture in clip.pictures]
    points = np.concatenate([clip.points for clip in clips])
    tensors: dict[str, NDArray[Any]] = {
        "facts": _deflated(json.dumps([clip.facts for clip in clips]).encode()),
        "points": _deflated((points * _GRAIN).round().clip(-(2**15), 2**15 - 1).astype("<i2").tobytes()),
        "pictures": np.frombuffer(b"".join(pictures), np.uint8),
        "bytes": np.array([len(picture) for picture in pictures], np.int32),
        "frames": np.array([len(clip.pictures) for clip in clips], np.int32),
        "places": np.concatenate([clip.places for clip in clips]).astype(np.float32),
        "features": np.stack([clip.features for clip in clips]).astype(np.float32),
    }
    header = {"format": FORMAT, "kind": kind, "about": json.dumps(about)}
    with atomic_path(path) as temporary:
        try:
            save_file(tensors, temporary, metadata=header)
        except SafetensorError as error:  # a full disk, which here is no OSError
            raise OutputError(f"Cannot write {path}: {error}", "Make room, or choose another folder.") from error


def read_pack(path: Path, kind: str) -> Pack:
    """Raises MediaError for a file that is no pack of this kind, is damaged, or holds what no pack of ours does."""
    from safetensors import SafetensorError, safe_open

    try:
        hold_tensors(path)
        with safe_open(str(path), framework="np") as file:
            header = file.metadata() or {}
            if (header.get("format"), header.get("kind")) != (FORMAT, kind):
                raise ValueError(f"it is no pack for a {kind}")
            found = {name: file.get_tensor(name) for name in (*_TENSORS, "features")}
        return _checked(json.loads(header["about"]), found)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RecursionError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise MediaError(f"Cannot read {path} as a pack: {reason}", "Make one: sfumato pack --help.") from error


def _checked(about: Any, found: dict[str, NDArray[Any]]) -> Pack:
    """Raises ValueError, TypeError where the parts do not fit together."""
    for name, kind in _TENSORS.items():
        if found[name].dtype != np.dtype(kind) or found[name].ndim != 1:
            raise ValueError(f"{name} is of another kind")
    facts, lengths, frames = json.loads(_inflated(found["facts"], RECORD.most)), found["bytes"], found["frames"]
    count, features = len(lengths), found["features"]
    if not isinstance(about, dict) or not isinstance(facts, list) or not all(isinstance(f, dict) for f in facts):
        raise TypeError("its facts are no objects")
    if (frames < 1).any() or frames.sum() != count or len(frames) != len(facts):
        raise ValueError("its clips do not divide its pictures")
    if (lengths < 1).any() or lengths.sum(dtype=np.int64) != len(found["pictures"]):
        raise ValueError("its pictures do not fill their place")
    if len(found["places"]) != count or features.ndim != 2 or len(features) != len(facts):
        raise ValueError("a place or a feature is missing")
    if features.dtype != np.float32 or not (np.isfinite(features).all() and np.isfinite(found["places"]).all()):
        raise ValueError("a place or a feature is no number")
    data = _inflated(found["points"], count * 68 * 2 * 2)
    points = (np.frombuffer(data, "<i2").reshape(count, 68, 2) / _GRAIN).astype(np.float32)
    ends, whole = np.cumsum(lengths, dtype=np.int64), found["pictures"].tobytes()
    pictures = [whole[end - length : end] for end, length in zip(ends.tolist(), lengths.tolist(), strict=True)]
    for picture in pictures:
        side_of(picture)
    clips, first = [], 0
    for fact, number, feature in zip(facts, frames.tolist(), features, strict=True):
        here = slice(first, first := first + number)
        places = found["places"][here].astype(np.float64)
        clips.append(PackedClip(fact, tuple(pictures[here]), points[here], places, feature))
    return Pack(about, tuple(clips))


def _deflated(data: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(zlib.compress(data, 9), np.uint8)


def _inflated(data: NDArray[np.uint8], most: int) -> bytes:
    """Raises ValueError where more than `most` bytes come of it."""
    found = zlib.decompressobj().decompress(data.tobytes(), most + 1)
    if len(found) > most:
        raise ValueError("it unpacks to more than it may hold")
    return found
