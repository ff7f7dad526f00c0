"""People, sources, drivers, portraits and motions in two splits, each told as what it is."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from sfumato.app.sets.check.run import check_set
from sfumato.app.sets.layout import SetRow
from tests.set_fixtures import changed, faults, find

TESTED = "videos/00009-fake.mp4"


def with_clip(path: str, **values: Any):
    def change(rows: list[SetRow]) -> list[SetRow]:
        return [
            SetRow(dataclasses.replace(row.clip, **values), row.details) if row.clip.path == path else row
            for row in rows
        ]

    return change


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        ({"source_ids": ("source-0",)}, ["source in two splits"]),
        ({"driver_id": "driver-0"}, ["driver in two splits"]),
        ({"driver_id": "person-0"}, ["person in two splits", "driver in two splits"]),
        ({"source_ids": ("source-9", "driver-1")}, ["source in two splits", "driver in two splits"]),
    ],
    ids=str,
)
def test_a_name_in_two_splits(clouds: Path, seen: Path, values: dict[str, Any], kinds: list[str]) -> None:
    report = check_set(changed(clouds, with_clip(TESTED, **values)), journal=seen)
    assert faults(report) == {"splits": kinds}


def test_a_person_in_two_splits_is_named(clouds: Path, seen: Path) -> None:
    def change(rows: list[SetRow]) -> list[SetRow]:
        return [
            SetRow(dataclasses.replace(row.clip, identity="person-0"), row.details)
            if row.clip.identity == "person-9"
            else row
            for row in rows
        ]

    report = check_set(changed(clouds, change), journal=seen)
    assert faults(report) == {"splits": ["person in two splits"]}
    assert find(report, "splits").faults[0].names == ("person-0 (test and train)",)


def test_a_pair_that_was_torn_apart(clouds: Path, seen: Path) -> None:
    report = check_set(changed(clouds, with_clip(TESTED, split="train")), journal=seen)
    assert faults(report)["splits"] == [
        "person in two splits", "clip of a pair in two splits", "portrait in two splits",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "kind"), [("portrait", "portrait in two splits"), ("motion_sha256", "motion in two splits")]
)
def test_what_only_the_details_know(clouds: Path, seen: Path, key: str, kind: str) -> None:
    def change(rows: list[SetRow]) -> list[SetRow]:
        value = getattr(next(row.details for row in rows if row.clip.label == "fake"), key)
        return [
            SetRow(row.clip, dataclasses.replace(row.details, **{key: value}))
            if row.clip.identity == "person-9" and getattr(row.details, key) is not None
            else row
            for row in rows
        ]

    assert faults(check_set(changed(clouds, change), journal=seen)) == {"splits": [kind]}
