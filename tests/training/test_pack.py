"""Packs: clips come back as they were, pictures as WebP leaves them, and what is no pack of ours is refused."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from sfumato.errors import MediaError, UsageError
from sfumato.training.pack import (
    FORMAT,
    PackedClip,
    as_webp,
    read_pack,
    require_pack_name,
    side_of,
    write_pack,
)


def smooth(side: int = 48, seed: int = 0) -> NDArray[np.uint8]:
    colours = np.random.default_rng(seed).integers(0, 256, (3, 3, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(colours, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)


def clip(frames: int = 2, side: int = 48, seed: int = 0) -> PackedClip:
    rng = np.random.default_rng(seed)
    pictures = tuple(as_webp(smooth(side, seed + i), 80) for i in range(frames))
    points = rng.uniform(-5, side, (frames, 68, 2)).astype(np.float32)
    return PackedClip({"name": f"clip {seed}"}, pictures, points, np.arange(frames) / 8, rng.random(4).astype("f4"))


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    write_pack(tmp_path / "a.pack", "test", {"size": 48}, [clip(2), clip(1, 32, 7)])
    return tmp_path / "a.pack"


def changed(path: Path, **tensors: Any) -> Path:
    """The pack with other tensors, which the format itself allows."""
    header = {"format": FORMAT, "kind": "test", "about": json.dumps({"size": 48})}
    save_file({**load_file(path), **tensors}, path, metadata=header)
    return path


def deflated(data: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(zlib.compress(data), np.uint8)


def test_clips_come_back_as_they_were(packed: Path) -> None:
    pack = read_pack(packed, "test")
    assert pack.about == {"size": 48} and len(pack.clips) == 2
    for made, read in zip((clip(2), clip(1, 32, 7)), pack.clips, strict=True):
        assert (read.facts, read.pictures) == (made.facts, made.pictures)
        assert np.array_equal(read.places, made.places) and np.array_equal(read.features, made.features)
        assert read.points.dtype == np.float32 and np.abs(read.points - made.points).max() <= 1 / 64


def test_a_smooth_picture_survives_webp() -> None:
    image = smooth()
    data = as_webp(image, 90)
    back = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert side_of(data) == 48
    assert back is not None and np.abs(back[:, :, ::-1].astype(int) - image).mean() < 3


@pytest.mark.parametrize(
    "picture",
    [
        b"no picture",
        cv2.imencode(".png", smooth())[1].tobytes(),
        cv2.imencode(".webp", smooth(), [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes(),  # lossless: another layout
        cv2.imencode(".webp", np.zeros((32, 48, 3), np.uint8), [cv2.IMWRITE_WEBP_QUALITY, 80])[1].tobytes(),
        cv2.imencode(".webp", np.zeros((8, 8, 3), np.uint8), [cv2.IMWRITE_WEBP_QUALITY, 80])[1].tobytes(),
        as_webp(smooth(), 80)[:26] + b"\xff\x3f\xff\x3f",  # a header that promises 16383 x 16383
    ],
    ids=["text", "png", "lossless", "no square", "tiny", "giant"],
)
def test_another_picture_is_refused_by_its_header(picture: bytes, packed: Path) -> None:
    with pytest.raises(ValueError, match="a picture"):
        side_of(picture)
    stored = load_file(packed)
    lengths = np.array([len(picture), *stored["bytes"][1:]], np.int32)
    pictures = np.concatenate([np.frombuffer(picture, np.uint8), stored["pictures"][stored["bytes"][0] :]])
    with pytest.raises(MediaError, match="as a pack: a picture"):
        read_pack(changed(packed, bytes=lengths, pictures=pictures), "test")


FAULTS: dict[str, dict[str, Any]] = {
    "landmarks that unpack to gigabytes": {"points": deflated(bytes(2**24))},
    "too few landmarks": {"points": deflated(bytes(272))},
    "no deflated data": {"points": np.zeros(9, np.uint8)},
    "facts that are no list": {"facts": deflated(b"{}")},
    "facts nested without end": {"facts": deflated(b"[" * 100_000)},
    "facts of one clip": {"facts": deflated(b"[{}]")},
    "facts that are no objects": {"facts": deflated(b"[1, 2]")},
    "a clip of no frame": {"frames": np.array([3, 0], np.int32)},
    "a clip of -1 frames": {"frames": np.array([4, -1], np.int32)},
    "more frames than pictures": {"frames": np.array([2, 2], np.int32)},
    "lengths beyond the data": {"bytes": np.array([2**30, 9, 9], np.int32)},
    "lengths below 0": {"bytes": np.array([-1, 9, 9], np.int32)},
    "a table of another kind": {"frames": np.array([2.0, 1.0], np.float32)},
    "a place that is no number": {"places": np.array([0, np.nan, 0], np.float32)},
    "a place too few": {"places": np.zeros(2, np.float32)},
    "features that are no numbers": {"features": np.full((2, 4), np.inf, np.float32)},
    "features of one clip": {"features": np.zeros((1, 4), np.float32)},
}


@pytest.mark.parametrize("tensors", FAULTS.values(), ids=FAULTS)
def test_parts_that_do_not_fit_are_refused(tensors: dict[str, Any], packed: Path) -> None:
    with pytest.raises(MediaError, match="as a pack") as refused:
        read_pack(changed(packed, **tensors), "test")
    assert "sfumato pack" in refused.value.advice


def test_what_is_no_pack_is_refused(packed: Path) -> None:
    with pytest.raises(MediaError, match="no pack for a generator"):
        read_pack(packed, "generator")
    (packed.parent / "text.pack").write_text("no pack")
    save_file({"a": np.zeros(2)}, packed.parent / "net.pack")
    save_file({}, packed.parent / "bare.pack", metadata={"format": FORMAT, "kind": "test", "about": "{}"})
    for name in ("text", "net", "bare", "gone"):
        with pytest.raises(MediaError, match="as a pack"):
            read_pack(packed.parent / f"{name}.pack", "test")


def test_a_pack_is_named_so() -> None:
    require_pack_name(Path("a.pack"))
    with pytest.raises(UsageError, match="does not end in"):
        require_pack_name(Path("a.zip"))
