"""Slots: people in turn, everybody in a pair of one split, alternatives that no other slot has, nothing by chance."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from sfumato.app.sets.layout import Rights
from sfumato.app.sets.making.plan import plan_set
from sfumato.app.sets.making.recipe import FakeRule, Recipe, SourceRule
from sfumato.app.sets.making.sources import Source
from sfumato.errors import UsageError
from tests.detector_fixtures import clip_row

RIGHTS = Rights("Ada", "CC0", "own", "mine", "here")


def sources(count: int = 12) -> list[Source]:
    """Of every split a third of filmed people."""
    found = []
    for split in ("train", "test"):
        for number in range(count):
            name = f"{split}{number}.{'mp4' if number % 3 == 0 else 'png'}"
            found.append(Source(clip_row(name, split=split), Path("/nowhere") / name, "own", number % 3 != 0))
    return found


def recipe(*rules: FakeRule, **more: Any) -> Recipe:
    return Recipe(
        "a", "b", "1", "CC0", (SourceRule(Path("clips.jsonl"), rights="own"),), rules, {"own": RIGHTS}, **more
    )


def test_all_combinations_are_made_unless_a_number_is_named() -> None:
    rule = FakeRule("animated", generators=("a", "b"), motions=("serene", "own"), seeds=(0, 1, 2), splits=("train",))
    slots = plan_set(recipe(rule), sources())
    assert len(slots) == (12 + 4) * 2 * 3  # 12 people follow a motion that ships, 4 are filmed
    choices = [choice for slot in slots for choice in slot.choices[:1]]
    assert len({choice.key for choice in choices}) == len(choices)
    assert [slot.number for slot in slots] == list(range(len(slots)))


def test_everybody_has_a_turn_before_anybody_has_two() -> None:
    slots = plan_set(recipe(FakeRule("composite", pairs=24, generators=("a", "b"), seeds=(0, 1))), sources())
    assert len({slot.choices[0].whom for slot in slots}) == 24


def test_no_alternative_is_in_two_slots() -> None:
    slots = plan_set(recipe(FakeRule("swap", pairs=5)), sources())
    tried = [choice.key for slot in slots for choice in slot.choices]
    assert len(set(tried)) == len(tried) == 24
    assert min(len(slot.choices) for slot in slots) == 4


def test_a_driver_is_of_the_split_of_whom_it_drives() -> None:
    by_path = {source.row.path: source.row for source in sources()}
    rule = FakeRule("animated", motions=("others", "own", "serene", "eloquent"))
    slots = plan_set(recipe(rule, motions={"eloquent": "test"}), sources())
    seen = set()
    for choice in (choice for slot in slots for choice in slot.choices):
        whom, driver = by_path[choice.whom], by_path.get(choice.driver)
        expected = {"serene": "train", "eloquent": "test"}.get(choice.driver) or (driver and driver.split)
        assert whom.split == expected
        seen.add(choice.driver if driver is None else "own" if driver == whom else "others")
    assert seen == {"others", "own", "serene", "eloquent"}


def test_a_ladder_is_a_pair_a_rung_of_the_same_frames() -> None:
    slots = plan_set(
        recipe(FakeRule("swap", pairs=6, case="compressed", ladder=(20, 30, 40)), FakeRule("swap")), sources()
    )
    assert [(slot.number, slot.rungs) for slot in slots[:3]] == [(0, (20, 30, 40)), (3, (20, 30, 40)), (6, (None,))]


def test_the_case_of_poses_takes_photographs_alone() -> None:
    slots = plan_set(recipe(FakeRule("swap", case="pose")), sources())
    assert {choice.whom[-3:] for slot in slots for choice in slot.choices} == {"png"}


def test_the_plan_follows_from_the_seed_and_not_from_the_order() -> None:
    plans = [
        plan_set(recipe(FakeRule("swap", pairs=6), seed=seed), people)
        for seed, people in ((1, sources()), (1, sources()[::-1]), (2, sources()))
    ]
    assert plans[0] == plans[1] != plans[2]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (FakeRule("swap", splits=("validation",)), r"Nobody fits the 1\. rule of fakes \(swap, plain\)"),
        (FakeRule("animated", motions=("serene",), splits=("test",)), "Nobody fits"),
        (FakeRule("swap", pairs=25), "asks for 25 pairs and has 24 combinations"),
        (FakeRule("swap", seeds=tuple(range(300_000))), "has 7200000 combinations"),
        (FakeRule("swap", seeds=tuple(range(30_000))), "The recipe makes 720000 pairs"),
    ],
)
def test_what_cannot_be_made_is_told_before(rule: FakeRule, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        plan_set(recipe(rule), sources())


def test_a_rule_of_pictures_alone_has_nobody_to_be_driven() -> None:
    stills = [dataclasses.replace(source, still=True) for source in sources()]
    with pytest.raises(UsageError, match="Nobody fits") as caught:
        plan_set(recipe(FakeRule("animated")), stills)
    assert "real videos" in caught.value.advice
