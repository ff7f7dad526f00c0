"""A piece of a run: over when its minutes are, on every rank alike."""

import pytest

from sfumato.training.distributed import Ranks
from sfumato.training.piece import Piece


def test_without_minutes_it_is_never_over() -> None:
    assert not Piece().over(Ranks())


def test_its_minutes_are_of_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([100.0, 100.0 + 89, 100.0 + 90])
    monkeypatch.setattr("time.monotonic", lambda: next(now))
    piece = Piece(1.5)
    assert not piece.over(Ranks())
    assert piece.over(Ranks())


def test_it_is_over_for_all_ranks_when_it_is_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ranks, "mean", lambda self, values: dict.fromkeys(values, 0.25))  # one of four
    assert Piece(60).over(Ranks(world=4))
