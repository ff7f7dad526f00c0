"""The mark on frames: it survives what a platform does, is not found where it is not, and costs little."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import pytest

from provenance.watermark import REGISTRY, Geometry, WatermarkDetection
from provenance.watermark.detect import LIMIT, SpreadReader, tail
from provenance.watermark.embed import SpreadMarker
from provenance.watermark.geometry import transform
from provenance.watermark.pattern import BANDS, BLOCKS, CHIPS, analyse, basis, marked_bands, spread, synthesize
from provenance.watermark.spread import SpreadWatermark
from sfumato.errors import UsageError
from sfumato.media.video import VideoReader
from tests.watermark_fixtures import OTHER, PAYLOAD, cropped, encode, half, scene


@pytest.fixture(scope="module")
def plain() -> list[np.ndarray]:
    return list(scene())


@pytest.fixture(scope="module")
def marked(plain: list[np.ndarray]) -> list[np.ndarray]:
    marker = SpreadMarker(PAYLOAD)
    return [marker.mark(image, []) for image in plain]


def reader_of(images: list[np.ndarray] | VideoReader, key: bytes | None = None) -> SpreadReader:
    reader = SpreadReader(key)
    for image in images:
        reader.add(image if isinstance(image, np.ndarray) else image.image)
    return reader


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


def test_the_basis_is_orthonormal_and_synthesis_is_undone_by_analysis() -> None:
    rows = basis()
    np.testing.assert_allclose(rows @ rows.T, np.eye(len(rows)), atol=1e-5)
    chips = spread().chips(PAYLOAD)
    assert chips.shape == (BLOCKS, BLOCKS, len(BANDS))
    assert chips.size == CHIPS
    found = marked_bands(analyse(synthesize(chips)))
    np.testing.assert_array_equal(np.sign(found), chips)
    assert float(synthesize(chips).std()) == pytest.approx(1, abs=0.02)


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


def test_other_brightness_and_a_lower_rate_do_not_matter(marked: list[np.ndarray], tmp_path: Path) -> None:
    changed = [np.clip(image * 0.85 + 20.0, 0, 255).astype(np.uint8) for image in marked[::2]]
    assert read_file(encode(changed, tmp_path / "copy.mp4", 26, rate=12.5)).payload == PAYLOAD


def test_a_weaker_mark_is_enough_for_a_payload_that_is_known(plain: list[np.ndarray], marked: list[np.ndarray]) -> None:
    faint = [
        np.clip(a + 0.45 * (b.astype(float) - a), 0, 255).round().astype(np.uint8)
        for a, b in zip(plain[:6], marked[:6], strict=True)
    ]
    reader = reader_of(faint)
    known = reader.match([OTHER, PAYLOAD])
    assert known.payload == PAYLOAD
    assert known.bound < reader.read().bound
    assert not reader.match([OTHER]).detected


def test_without_a_mark_nothing_is_detected() -> None:
    for seed in range(3):
        reader = reader_of(list(scene(seed, frames=3)))
        found = reader.read()
        assert not found.detected
        assert found.bound > 1e-3
    assert not reader.match([PAYLOAD]).detected


def test_the_bound_holds_for_noise_and_random_keys() -> None:
    """The chance of one known codeword in one place is at most exp(-t^2 / 2); measured over keys, on a picture that
    stays the same.
    """
    from provenance.watermark.code import encode as codeword
    from provenance.watermark.detect import soft_values

    image = next(scene(3, frames=1))
    reader = reader_of([image])
    soft = soft_values(*reader._pictures(), Geometry())
    statistics = []
    for number in range(400):
        values = spread(b"key %d" % number).despread(soft)
        statistics.append(float((values * codeword(PAYLOAD)).sum() / np.sqrt((values * values).sum())))
    for level in (1.0, 2.0, 3.0):
        assert np.mean(np.array(statistics) >= level) <= math.exp(-(level**2) / 2) + 0.02
    assert np.std(statistics) == pytest.approx(1, abs=0.15)


def test_the_tail_is_hoeffdings_with_the_union_bound() -> None:
    assert tail(5.0, 0.0) == pytest.approx(math.exp(-12.5))
    assert tail(5.0, math.log(100)) == pytest.approx(100 * math.exp(-12.5))
    assert tail(-9.0, 0.0) == 1.0
    assert tail(0.5, 50.0) == 1.0


def test_another_key_reads_nothing(marked: list[np.ndarray]) -> None:
    assert not reader_of(marked, b"another key").read().detected


def test_quality_stays_above_its_floors(plain: list[np.ndarray], marked: list[np.ndarray]) -> None:
    from benchmarks.watermark.survival import quality

    errors = [quality(a, b) for a, b in zip(plain, marked, strict=True)]
    assert 10 * math.log10(255**2 / np.mean([error for error, _ in errors])) >= 40
    assert min(index for _, index in errors) >= 0.98


def test_faces_are_kept_cleaner(plain: list[np.ndarray]) -> None:
    image = plain[0]
    changed = SpreadMarker(PAYLOAD).mark(image, [(96.0, 48.0, 64.0, 80.0)]).astype(float) - image
    inside, outside = changed[64:112, 112:144], changed[:, :64]
    assert inside.std() < 0.5 * outside.std()


def test_black_and_plain_pictures_can_be_marked() -> None:
    for level in (0, 255, 128):
        image = np.full((96, 128, 3), level, np.uint8)
        marked = SpreadMarker(PAYLOAD).mark(image, [])
        assert marked.shape == image.shape
        assert np.abs(marked.astype(int) - level).max() < 20


def test_sizes_may_be_odd_large_or_tiny() -> None:
    for size in ((48, 64), (101, 333), (720, 406)):
        reader = reader_of([SpreadMarker(PAYLOAD).mark(image, []) for image in scene(1, 2, size)])
        assert len(reader.read().payload) == 8


def test_a_change_of_size_within_a_video_is_refused(plain: list[np.ndarray]) -> None:
    marker = SpreadMarker(PAYLOAD)
    marker.mark(plain[0], [])
    with pytest.raises(ValueError, match="one size"):
        marker.mark(plain[0][:100], [])


def test_without_frames_or_payloads_there_is_nothing_to_read() -> None:
    with pytest.raises(ValueError, match="frame"):
        SpreadReader().read()
    with pytest.raises(ValueError, match="payloads"):
        reader_of(list(scene(frames=1))).match([])
    with pytest.raises(ValueError, match="8 bytes"):
        SpreadWatermark().marker(b"short")


def test_memory_stays_flat_however_long_the_video_is() -> None:
    reader = SpreadReader()
    image = next(scene(frames=1))
    for _ in range(1000):
        reader.add(image)
    assert len(reader._groups) <= 16
    assert sum(reader._counts) == 1000


def test_a_new_scene_is_marked_anew(plain: list[np.ndarray]) -> None:
    marker = SpreadMarker(PAYLOAD)
    marker.mark(np.full_like(plain[0], 20), [])
    after = marker.mark(plain[0], [])
    np.testing.assert_array_equal(after, SpreadMarker(PAYLOAD).mark(plain[0], []))


def test_marking_costs_less_than_encoding_a_frame(plain: list[np.ndarray], tmp_path: Path) -> None:
    marker = SpreadMarker(PAYLOAD)
    marker.mark(plain[0], [])
    started = time.process_time()
    for image in plain * 3:
        marker.mark(image, [])
    marking = time.process_time() - started
    started = time.process_time()
    encode(plain * 3, tmp_path / "cost.mp4", 18)
    assert marking < time.process_time() - started


def test_transform_puts_a_crop_where_it_was() -> None:
    picture = np.random.default_rng(0).normal(0, 1, (256, 256)).astype(np.float32)
    same, seen = transform(picture, Geometry())
    np.testing.assert_array_equal(same, picture)
    assert seen.all()
    _, part = transform(picture, Geometry(False, 0.1, 0.0, 0.9, 1.0))
    assert part.mean() == pytest.approx(0.9, abs=0.01)
    mirrored, _ = transform(picture, Geometry(True))
    np.testing.assert_array_equal(mirrored, picture[:, ::-1])
