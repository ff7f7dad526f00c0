"""Distortions do what their names say, keep the size, and are the same each time."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from benchmarks.attacks import distortions as d
from detector.inference.quality_norm import sharpness
from tests.watermark_fixtures import scene

IMAGE = next(scene(3, 1, (120, 160)))
SOFTER = {
    "scaled": (d.scaled(0.75), d.scaled(0.25)),
    "blurred": (d.blurred(1), d.blurred(3)),
    "df1 blur": (d.df1_blur(7), d.df1_blur(21)),
    "pixelation": (d.df1_pixelation(2), d.df1_pixelation(6)),
}


@pytest.mark.parametrize("name", SOFTER)
def test_what_softens_softens_more_at_a_higher_level(name: str) -> None:
    light, heavy = (change(IMAGE) for change in SOFTER[name])
    assert light.shape == heavy.shape == IMAGE.shape
    assert sharpness(IMAGE) > sharpness(light) > sharpness(heavy)


@pytest.mark.parametrize("sigma", [5, 20])
def test_noise_has_its_standard_deviation_and_is_other_noise_each_frame(sigma: int) -> None:
    grey = np.full((80, 80, 3), 128, np.uint8)
    first, second = (d.noisy(sigma)(grey, number).astype(float) - 128 for number in (0, 1))
    assert first.std() == pytest.approx(sigma, rel=0.05)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.05
    assert np.array_equal(first, d.noisy(sigma)(grey, 0).astype(float) - 128)


def test_noise_of_deeper_forensics_has_its_variance_in_luma() -> None:
    grey = np.full((200, 200, 3), 128, np.uint8)
    luma = cv2.cvtColor(d.df1_noise(0.001)(grey, 0), cv2.COLOR_RGB2YCrCb)[:, :, 0]
    assert luma.std() == pytest.approx(0.001**0.5 * 255 * 255 / 219, rel=0.1)


def test_colours_of_known_pixels() -> None:
    pixel = np.full((4, 4, 3), (200, 100, 50), np.uint8)
    assert (d.brightness(40)(pixel)[0, 0] == (240, 140, 90)).all()
    assert (d.brightness(-60)(pixel)[0, 0] == (140, 40, 0)).all()
    assert np.abs(d.contrast(0.5)(pixel)[0, 0].astype(int) - (164, 114, 89)).max() <= 1
    assert (d.df1_contrast(0.5)(pixel)[0, 0] == (100, 50, 25)).all()
    for change in (d.saturation(0), d.df1_saturation(0.0)):
        assert np.ptp(change(pixel)[0, 0].astype(int)) <= 1
    assert np.ptp(d.df1_saturation(0.4)(pixel)[0, 0].astype(int)) == pytest.approx(60, abs=4)


def test_blocks_are_grey_and_more_of_them_cover_more() -> None:
    few, many = (np.all(d.df1_blocks(count)(IMAGE, 0) == 128, axis=2).mean() for count in (16, 80))
    assert 0.02 < few < many < 0.5


def test_an_overlay_covers_a_part_and_leaves_the_given_picture_alone() -> None:
    before = IMAGE.copy()
    share = np.any(d.overlaid(IMAGE) != IMAGE, axis=2).mean()
    assert 0.04 < share < 0.3
    assert np.array_equal(before, IMAGE)


def test_streams_are_changed_frame_by_frame() -> None:
    frames = [(IMAGE[:119, :159], i / 25) for i in range(5)]
    assert [time for _, time in d.every_second(frames)] == [0, 2 / 25, 4 / 25]
    assert {image.shape for image, _ in d.even(frames)} == {(118, 158, 3)}
    drawn = []

    def endless():
        for number in range(1000):
            drawn.append(number)
            yield IMAGE, number / 25

    stream = iter(d.each(d.brightness(1))(d.even(endless())))
    next(stream)
    assert len(drawn) == 1  # one frame is held, not the video
