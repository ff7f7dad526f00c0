"""Fingerprints: near for copies, far for other videos, and safe to read back."""

from __future__ import annotations

import numpy as np
import pytest

from provenance.durable.fingerprint import INTERVAL, LONGEST, THRESHOLD, Fingerprint, FingerprintBuilder, distance
from sfumato.media.video import VideoReader
from tests.watermark_fixtures import encode, half, scene


def of(images, rate: float = 25) -> Fingerprint:
    builder = FingerprintBuilder()
    for index, image in enumerate(images):
        builder.add(image, index / rate)
    return builder.done()


@pytest.fixture(scope="module")
def images() -> list[np.ndarray]:
    return list(scene(0, frames=75))


@pytest.fixture(scope="module")
def stored(images) -> Fingerprint:
    return of(images)


def test_two_looks_a_second(stored) -> None:
    assert len(stored.hashes) == round(75 / 25 / INTERVAL)
    assert distance(stored, stored) == 0


def test_a_small_copy_encoded_again_is_near(images, stored, tmp_path) -> None:
    with VideoReader(encode(half(images), tmp_path / "copy.mp4", 30)) as video:
        builder = FingerprintBuilder()
        for frame in video:
            builder.add(frame.image, frame.time)
    assert distance(stored, builder.done()) < 0.1


@pytest.mark.parametrize(
    "change",
    [
        lambda images: [image[:, ::-1] for image in images],
        lambda images: [image[9:183, 12:244] for image in images],
        lambda images: [image[:174, :232] for image in images],
        lambda images: images[1:],
        lambda images: [np.clip(image * 1.2 + 10.0, 0, 255).astype(np.uint8) for image in images],
        lambda images: images[25:],
    ],
    ids=[
        "mirrored",
        "cropped around the middle",
        "cropped to a corner",
        "one frame later",
        "brighter",
        "beginning cut off",
    ],
)
def test_changed_copies_are_near(images, stored, change) -> None:
    assert distance(stored, of(change(images))) < THRESHOLD


def test_another_rate_changes_little(images, stored) -> None:
    assert distance(stored, of(images[::2], 12.5)) < 0.1


def test_other_videos_are_far(stored) -> None:
    for seed in range(1, 8):
        assert distance(stored, of(scene(seed, frames=75))) > THRESHOLD


def test_it_is_stored_and_read_back(stored) -> None:
    again = Fingerprint.from_bytes(stored.to_bytes())
    np.testing.assert_array_equal(again.hashes, stored.hashes)
    np.testing.assert_array_equal(again.mirrored, stored.mirrored)


def test_damaged_bytes_are_refused(stored) -> None:
    data = stored.to_bytes()
    lengths = (data[:4] + b"\xff\xff" + data[6:], data[:4] + b"\0\0" + data[6:])
    for wrong in (b"", b"SFP1", b"SFP2" + data[4:], data[:-1], data + b"x", *lengths):
        with pytest.raises(ValueError, match="fingerprint"):
            Fingerprint.from_bytes(wrong)


def test_long_videos_are_taken_in_up_to_two_minutes() -> None:
    builder = FingerprintBuilder()
    image = next(scene(frames=1))
    for index in range(LONGEST + 20):
        builder.add(image, index * INTERVAL)
    assert len(builder.done().hashes) == LONGEST


def test_without_frames_there_is_none() -> None:
    with pytest.raises(ValueError, match="no frame"):
        FingerprintBuilder().done()
