"""Temperaments: those that ship, and nonsense that is refused."""

from __future__ import annotations

from typing import Any

import pytest

from generator.acting.temperament import TEMPERAMENTS, Temperament
from generator.motion.track import shipped_motions
from sfumato.errors import UsageError


def test_each_motion_that_ships_is_a_temperament() -> None:
    assert sorted(TEMPERAMENTS) == shipped_motions()
    assert all(5 <= one.seconds <= 8 for one in TEMPERAMENTS.values())


@pytest.mark.parametrize(
    "wrong",
    [{"talk": 1.5}, {"smile": -0.1}, {"hold": (2.0, 1.0)}, {"hold": (0.0, 1.0)}, {"turn": 40.0}, {"blink": 0.2}],
)
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="mad"):
        Temperament("mad", "", 5.0, 1, **wrong)
