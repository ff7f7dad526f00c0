"""Lines to one unit: of reals, for any numbers and units; of a probability, the least cost and the right direction."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.inference.fusion import probability
from detector.training.scaling import WORST, level, platt

RNG = np.random.default_rng(7)
VALUES = RNG.normal(size=200)


@given(st.floats(1e-2, 1e3), st.floats(-1e3, 1e3))
def test_the_unit_of_reals_is_the_same_whatever_they_were_in(unit: float, shift: float) -> None:
    numbers = unit * VALUES + shift
    scale, offset = level(numbers)
    found = scale * numbers + offset
    assert np.quantile(found, [0.5, WORST]) == pytest.approx([0.0, 1.0], abs=1e-5)
    assert scale > 0


@pytest.mark.parametrize("reals", [[3.0], [3.0, 3.0, 3.0]])
def test_reals_that_are_all_alike_have_a_unit(reals: list[float]) -> None:
    scale, offset = level(reals)
    assert np.isfinite([scale, offset]).all() and scale * 3.0 + offset == pytest.approx(0.0)


def test_a_line_gives_back_the_probability_it_was_drawn_with() -> None:
    values = RNG.normal(size=20_000) * 3
    fake = RNG.random(len(values)) < probability(0.5 * values - 1.0)
    weight = np.full(len(values), 1 / len(values))
    assert platt(values, fake, weight, 1e-6) == pytest.approx((0.5, -1.0), abs=0.1)


def test_evidence_never_speaks_for_its_contrary() -> None:
    values, fake = np.linspace(-2, 2, 40), np.arange(40) < 20
    scale, _ = platt(values, fake, np.full(40, 1 / 40), 1e-3)
    assert 0 < scale < 0.1


def test_a_prior_holds_the_line_of_cleanly_separated_clips() -> None:
    values, fake = np.repeat([-1.0, 1.0], 20), np.repeat([False, True], 20)
    weak, strong = (platt(values, fake, np.full(40, 1 / 40), prior)[0] for prior in (1e-4, 1e-1))
    assert weak > 2 * strong > 1
