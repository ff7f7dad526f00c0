"""Twins that differ in more than the forgery, and fakes without one."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from sfumato.app.sets.check.run import check_set
from sfumato.app.sets.layout import SetRow
from tests.set_fixtures import changed, encode, faults, find, reseal

TWIN_FILE, FAKE = "videos/00001-twin.mp4", "videos/00001-fake.mp4"


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ({"frames": 12}, ["length"]),
        ({"scale": 0.75}, ["size"]),
        ({"rate": 20}, ["rate"]),
        ({"codec": "mpeg4"}, ["codec"]),
        ({"sound": True}, ["sound"]),
    ],
    ids=lambda value: "-".join(value),
)
def test_a_twin_of_another_kind(clouds: Path, seen: Path, encoding: dict[str, Any], words: list[str]) -> None:
    new = encode(clouds / TWIN_FILE, clouds.parent / "new.mp4", **encoding)
    reseal(clouds / TWIN_FILE, "real", new)
    report = check_set(changed(clouds, lambda rows: None), journal=seen)
    assert faults(report) == {"twins": [f"twin of another {word}" for word in words]}
    assert find(report, "twins").faults[0].names == (FAKE,)


def test_a_fake_without_a_twin_and_a_twin_without_a_fake(clouds: Path, seen: Path) -> None:
    def change(rows: list[SetRow]) -> list[SetRow]:
        return [
            SetRow(dataclasses.replace(row.clip, pair_of=None), row.details) if row.clip.path == FAKE else row
            for row in rows
        ]

    report = check_set(changed(clouds, change), journal=seen)
    assert faults(report) == {"twins": ["fake without a twin", "twin without a fake"]}


def test_a_twin_that_was_taken_out(clouds: Path, seen: Path) -> None:
    (clouds / TWIN_FILE).unlink()
    report = check_set(changed(clouds, lambda rows: [row for row in rows if row.clip.path != TWIN_FILE]), journal=seen)
    assert faults(report) == {"twins": ["fake whose twin is not in the list", "pair number of other than two clips"]}
