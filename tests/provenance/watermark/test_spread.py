"""The mark on frames: it survives what a platform does, is not found where it is not, and costs little."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from provenance.watermark import REGISTRY, WatermarkDetection
from provenance.watermark.detect import LIMIT
from sfumato.errors import UsageError
from sfumato.media.video import VideoReader
from tests.watermark_fixtures import PAYLOAD, cropped, encode, half, reader_of


def read_file(path: Path) -> WatermarkDetection:
    with VideoReader(path) as video:
        return reader_of(video).read()


def test_every_registered_mark_marks_and_reads(plain: list[np.ndarray]) -> None:
    for name in REGISTRY.names():
        watermark = REGISTRY.load(name)()
        marker, reader = watermark.marker(PAYLOAD), watermark.reader()
        for image in plain:
            reader.add(marker.mark(image, []))
        found = reader.read()
        assert found.detected, name
        assert found.payload == PAYLOAD, name
        assert "." in watermark.alg


def test_an_unknown_mark_is_named() -> None:
    with pytest.raises(UsageError, match="watermark"):
        REGISTRY.load("none such")


@pytest.mark.parametrize("crf", [23, 28])
def test_it_outlives_encoding(marked: list[np.ndarray], tmp_path: Path, crf: int) -> None:
    found = read_file(encode(marked, tmp_path / "copy.mp4", crf))
    assert found.detected
    assert found.payload == PAYLOAD
    assert found.bound <= LIMIT


def test_it_outlives_half_size_and_encoding(marked: list[np.ndarray], tmp_path: Path) -> None:
    assert read_file(encode(half(marked), tmp_path / "copy.mp4", 26)).payload == PAYLOAD


def test_it_is_read_mirrored(marked: list[np.ndarray], tmp_path: Path) -> None:
    found = read_file(encode([np.ascontiguousarray(image[:, ::-1]) for image in marked], tmp_path / "copy.mp4"))
    assert found.payload == PAYLOAD
    assert found.geometry.mirrored


def test_it_is_read_after_a_crop(marked: list[np.ndarray], tmp_path: Path) -> None:
    found = read_file(encode(cropped(marked), tmp_path / "copy.mp4", 23))
    assert found.detected
    assert found.payload == PAYLOAD
    assert found.geometry.width == pytest.approx(0.9, abs=0.03)
    assert found.geometry.left == pytest.approx(0.03, abs=0.02)


def test_a_short_look_finds_it_as_it_lies_and_not_after_a_crop(marked: list[np.ndarray]) -> None:
    assert reader_of(marked[:8]).read(cut=False).payload == PAYLOAD
    assert not reader_of(cropped(marked)).read(cut=False).detected


def test_other_brightness_and_a_lower_rate_do_not_matter(marked: list[np.ndarray], tmp_path: Path) -> None:
    changed = [np.clip(image * 0.85 + 20.0, 0, 255).astype(np.uint8) for image in marked[::2]]
    assert read_file(encode(changed, tmp_path / "copy.mp4", 26, rate=12.5)).payload == PAYLOAD
