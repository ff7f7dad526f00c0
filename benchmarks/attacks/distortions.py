"""What a platform, an editor or a bad line does to frames, one function each: HWC uint8 RGB pictures in and out, of the
same size.

The amounts are those of the robustness grid (`benchmarks.detector.grid`). `df1_*` are the seven distortions of
DeeperForensics-1.0 (Jiang et al. 2020), made again from their description: what it calls JPEG is pixelation. Noise
follows from the frame's number, so that a run can be repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.data.degradations import jpeg as jpeg  # the same pass that training uses
from detector.data.degradations import round_trip

Image = NDArray[np.uint8]
Timed = Iterable[tuple[Image, float]]  # frames and their times in seconds
Change = Callable[[Timed], Timed]
_BLOCK, _GREY = 8, 128  # px and value of DeeperForensics' blocks


def each(change: Callable[[Image], Image]) -> Change:
    """Every frame by itself."""

    def changed(frames: Timed) -> Iterator[tuple[Image, float]]:
        for image, time in frames:
            yield change(image), time

    return changed


def each_numbered(change: Callable[[Image, int], Image]) -> Change:
    """Every frame by itself, with its number."""

    def changed(frames: Timed) -> Iterator[tuple[Image, float]]:
        for number, (image, time) in enumerate(frames):
            yield change(image, number), time

    return changed


def even(frames: Timed) -> Iterator[tuple[Image, float]]:
    """An odd last row or column is dropped: 4:2:0 has none."""
    for image, time in frames:
        yield image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2], time


def every_second(frames: Timed) -> Iterator[tuple[Image, float]]:
    """Half the frame rate."""
    for number, frame in enumerate(frames):
        if number % 2 == 0:
            yield frame


def scaled(share: float) -> Callable[[Image], Image]:
    """Both sides to `share` of their length and back: what was finer is gone."""
    return lambda image: round_trip(image, round(image.shape[1] * share), round(image.shape[0] * share), up=1)


def blurred(sigma: float) -> Callable[[Image], Image]:
    """A Gaussian of `sigma` pixels."""
    return lambda image: np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


def noisy(sigma: float) -> Callable[[Image, int], Image]:
    """Gaussian noise of `sigma` of 255 on each channel, other noise each frame."""
    return lambda image, number: _rounded(image + np.random.default_rng([7, number]).normal(0, sigma, image.shape))


def brightness(amount: float) -> Callable[[Image], Image]:
    """`amount` of 255 added."""
    return lambda image: _rounded(image.astype(np.float32) + amount)


def contrast(factor: float) -> Callable[[Image], Image]:
    """Away from mid-grey by `factor`."""
    return lambda image: _rounded((image.astype(np.float32) - 127.5) * factor + 127.5)


def saturation(factor: float) -> Callable[[Image], Image]:
    """Away from the pixel's grey by `factor`; 0: no colour."""

    def change(image: Image) -> Image:
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)[:, :, None]
        return _rounded(grey + (image - grey) * factor)

    return change


def overlaid(image: Image) -> Image:
    """A line of white text near the lower edge and a yellow smiling disc over the upper right corner, both scaled with
    the picture.
    """
    drawn = np.ascontiguousarray(image).copy()
    height, width = drawn.shape[:2]
    unit = min(height, width) / 100
    origin, thickness = (round(5 * unit), height - round(7 * unit)), max(1, round(unit))
    for colour, weight in (((0, 0, 0), 3 * thickness), ((255, 255, 255), thickness)):
        cv2.putText(drawn, "wait for it...", origin, cv2.FONT_HERSHEY_SIMPLEX, 0.4 * unit, colour, weight, cv2.LINE_AA)
    centre, radius = (width - round(18 * unit), round(18 * unit)), max(2, round(13 * unit))
    cv2.circle(drawn, centre, radius, (255, 205, 40), -1, cv2.LINE_AA)
    for side in (-1, 1):
        cv2.circle(
            drawn,
            (centre[0] + side * radius // 3, centre[1] - radius // 4),
            max(1, radius // 8),
            (60, 40, 10),
            -1,
            cv2.LINE_AA,
        )
    cv2.ellipse(drawn, centre, (radius // 2, radius // 2), 0, 20, 160, (60, 40, 10), thickness, cv2.LINE_AA)
    return np.asarray(drawn, np.uint8)


def df1_saturation(factor: float) -> Callable[[Image], Image]:
    """CS: both colour differences towards grey."""

    def change(image: Image) -> Image:
        values = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb).astype(np.float32)
        values[:, :, 1:] = 128 + (values[:, :, 1:] - 128) * factor
        return np.asarray(cv2.cvtColor(_rounded(values), cv2.COLOR_YCrCb2RGB), np.uint8)

    return change


def df1_contrast(factor: float) -> Callable[[Image], Image]:
    """CC: every value times `factor`; darker rather than flatter."""
    return lambda image: np.asarray(image.astype(np.float32) * factor, np.uint8)


def df1_blocks(count: int) -> Callable[[Image, int], Image]:
    """BW: `count` grey blocks of 8 x 8 px for each 256 px of the shorter side, elsewhere each frame. A smaller picture
    gets `count`, where the original does nothing.
    """

    def change(image: Image, number: int) -> Image:
        blocked = np.ascontiguousarray(image).copy()
        height, width = blocked.shape[:2]
        rng = np.random.default_rng([11, number])
        for _ in range(max(1, min(height, width) // 256) * count):
            top, left = int(rng.integers(max(1, height - _BLOCK))), int(rng.integers(max(1, width - _BLOCK)))
            blocked[top : top + _BLOCK, left : left + _BLOCK] = _GREY
        return blocked

    return change


def df1_noise(variance: float) -> Callable[[Image, int], Image]:
    """GNC: noise of `variance` of luma and colour differences in their studio range, 219 and 224 of 255."""

    def change(image: Image, number: int) -> Image:
        values = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb).astype(np.float32)
        noise = np.random.default_rng([13, number]).normal(0, variance**0.5 * 255, image.shape)
        values += (noise * np.array([255 / 219, 255 / 224, 255 / 224])).astype(np.float32)
        return np.asarray(cv2.cvtColor(_rounded(values), cv2.COLOR_YCrCb2RGB), np.uint8)

    return change


def df1_blur(window: int) -> Callable[[Image], Image]:
    """GB: a Gaussian of a sixth of `window` pixels, cut off at the window."""
    return lambda image: np.asarray(cv2.GaussianBlur(image, (window, window), window / 6), np.uint8)


def df1_pixelation(factor: int) -> Callable[[Image], Image]:
    """JPEG, as it is called there: sampled down by `factor` and up again."""
    return lambda image: round_trip(image, image.shape[1] // factor, image.shape[0] // factor, down=1)


def _rounded(values: NDArray[np.floating]) -> Image:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)
