"""A likeness: serves again only for the same content read and learned in the same way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sfumato.app.animation.config import AnimateConfig
from sfumato.app.animation.likeness import Likeness
from sfumato.app.animation.subject import Subject

SUBJECT = Subject((Path("me.png"),), "it is me", ("ab" * 32,), ())
CONFIG = AnimateConfig(size=64, tune_iterations=3)


def test_the_same_request_is_served_by_what_was_learned() -> None:
    known = Likeness(SUBJECT, CONFIG, [], 64)
    assert known.serves(SUBJECT, CONFIG)
    assert known.serves(replace(SUBJECT, paths=(Path("copy.png"),), right="asked again"), replace(CONFIG, strength=2.0))


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"size": 128}, {"faces": (1,)}, {"paste_back": True}, {"tune_seconds": 1.0}, {"tune_iterations": 4}],
    ids=lambda change: next(iter(change)),
)
def test_another_way_of_learning_is_not_served(change: dict[str, Any]) -> None:
    assert not Likeness(SUBJECT, CONFIG, [], 64).serves(SUBJECT, replace(CONFIG, **change))


def test_another_picture_is_not_served() -> None:
    assert not Likeness(SUBJECT, CONFIG, [], 64).serves(replace(SUBJECT, digests=("cd" * 32,)), CONFIG)
