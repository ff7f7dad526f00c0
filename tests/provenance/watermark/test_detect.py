"""What is read: known payloads from less, nothing where no mark is, with a bound that holds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from provenance.watermark import Geometry
from provenance.watermark.detect import SpreadReader, tail
from provenance.watermark.pattern import spread
from provenance.watermark.spread import SpreadWatermark
from tests.watermark_fixtures import OTHER, PAYLOAD, reader_of, scene


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
