"""Degradations: the same pass does the same to both pictures, sizes stay, sharpness is matched downwards only."""

import numpy as np
import pytest

from detector.config import DegradeConfig
from detector.data.degradations import Pass, draw_pass, draw_way, h264, jpeg, match_sharpness, shift_colours
from detector.inference.quality_norm import sharpness

ALWAYS = DegradeConfig(colour=1, tone=1, resize=1, blur=1, noise=1, jpeg=1, h264=1, generator_side_share=0)


def picture(seed: int = 0, shape: tuple[int, int] = (64, 72)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


def test_a_pass_is_a_recipe_and_not_a_draw() -> None:
    recipe = draw_pass(np.random.default_rng(3), ALWAYS)
    assert np.array_equal(recipe(picture()), recipe(picture()))


def test_a_way_is_drawn_from_its_seed_and_may_shrink() -> None:
    shapes = []
    for seed in range(40):
        first, second = (draw_way(np.random.default_rng(seed))(picture(0, (96, 96))) for _ in range(2))
        assert np.array_equal(first, second) and first.dtype == np.uint8
        shapes.append(first.shape)
    assert all(side == height and 32 <= side <= 96 for height, side, _ in shapes)
    assert len(set(shapes)) > 3 and shapes.count((96, 96, 3)) > 10


def test_what_was_made_smaller_was_mostly_encoded_again() -> None:
    def encoded(shrink: float) -> float:
        config = DegradeConfig(h264=0.1, shrink=shrink)
        return float(
            np.mean(["h264" in dict(draw_pass(np.random.default_rng(seed), config).steps) for seed in range(400)])
        )

    assert encoded(0.0) < 0.2 and 0.7 < encoded(1.0) < 0.9


def test_both_of_a_pair_get_the_same_noise() -> None:
    recipe = Pass((("noise", (5.0, 9.0)),))
    first, second = np.full((32, 32, 3), 100, np.uint8), np.full((32, 32, 3), 120, np.uint8)
    assert np.array_equal(recipe(first).astype(int) - 100, recipe(second).astype(int) - 120)


def test_same_seed_same_pass() -> None:
    draws = [draw_pass(np.random.default_rng(7), DegradeConfig()) for _ in range(2)]
    assert draws[0] == draws[1]


@pytest.mark.parametrize("name", ["colour", "tone", "resize", "blur", "noise", "jpeg", "h264", "generator_side_share"])
def test_each_operation_changes_the_picture_and_keeps_its_size(name: str) -> None:
    never = dict.fromkeys(("colour", "tone", "resize", "blur", "noise", "jpeg", "h264", "generator_side_share"), 0.0)
    recipe = draw_pass(np.random.default_rng(1), DegradeConfig(**(never | {name: 1.0}), generator_side=40))
    result = recipe(picture())
    assert result.shape == (64, 72, 3)
    assert result.dtype == np.uint8
    assert not np.array_equal(result, picture())


def test_h264_returns_as_many_frames_of_odd_size() -> None:
    frames = h264([picture(i, (33, 47)) for i in range(3)], 30)
    assert [frame.shape for frame in frames] == [(33, 47, 3)] * 3


def test_stronger_h264_and_jpeg_lose_more() -> None:
    image = np.asarray(np.kron(picture(0, (16, 16)), np.ones((4, 4, 1), np.uint8)))
    assert _error(h264([image], 40)[0], image) > _error(h264([image], 18)[0], image)
    assert _error(jpeg(image, 20), image) > _error(jpeg(image, 95), image)


def test_sharpness_is_matched_downwards() -> None:
    sharp, soft = picture(), np.asarray(Pass((("blur", (1.5,)),))(picture()))
    matched = match_sharpness(sharp, soft)
    assert sharpness(matched) == pytest.approx(sharpness(soft), rel=0.25)
    assert match_sharpness(soft, sharp) is soft


def test_colours_stay_in_range() -> None:
    extreme = np.where(picture() > 127, 255, 0).astype(np.uint8)
    assert shift_colours(extreme, np.random.default_rng(0), 1.0).dtype == np.uint8


def _error(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(int) - b).mean())
