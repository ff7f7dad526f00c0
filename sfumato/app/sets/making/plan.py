"""Which pairs a set is made of: a recipe and its people in, numbered slots out, each with what to try in turn.

A slot is a combination that becomes a pair, or a pair a rung of a ladder. Whoever shows no usable face is followed by
the slot's next combination, whatever happens in the other slots: so workers need not wait for one another, and the set
is the same however many there are. Orders follow from hashes, never from the order of a list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sfumato.app.sets.making.recipe import MOST_PAIRS, OTHERS, OWN, FakeRule, Recipe
from sfumato.app.sets.making.sources import Source
from sfumato.errors import UsageError

_TRIES, _TRIES_POSE = 12, 60  # combinations of a slot: few photographs show a head that is turned
_MOST = 5_000_000  # combinations of a rule


@dataclass(frozen=True)
class Choice:
    """A combination. whom, driver: paths of sources; driver may also be a motion's name; made_with: a generator or an
    autoencoder; seed: of all draws.
    """

    whom: str
    made_with: str
    driver: str
    seed: int

    @property
    def key(self) -> str:
        return "\0".join((self.whom, self.made_with, self.driver, str(self.seed)))


@dataclass(frozen=True)
class Slot:
    """number: of its first pair; rule: the recipe's, by place; rungs: a pair each, of that crf."""

    number: int
    rule: int
    rungs: tuple[int | None, ...]
    choices: tuple[Choice, ...]


def plan_set(recipe: Recipe, sources: Sequence[Source]) -> list[Slot]:
    """Raises UsageError for a rule that can make nothing, or fewer pairs than it asks for."""
    slots: list[Slot] = []
    number = 0
    for place, rule in enumerate(recipe.fakes):
        ordered = _in_turn(recipe, rule, sources)
        if not ordered:
            raise UsageError(f"Nobody fits the {place + 1}. rule of fakes ({rule.kind}, {rule.case})", _why_none(rule))
        wanted = len(ordered) if rule.pairs is None else rule.pairs // len(rule.rungs)
        if wanted > len(ordered):
            raise UsageError(
                f"The {place + 1}. rule of fakes asks for {rule.pairs} pairs and has {len(ordered)} combinations",
                "Add people, generators, motions or seeds, or ask for fewer.",
            )
        tries = _TRIES_POSE if rule.case == "pose" else _TRIES
        for start in range(wanted):
            choices = tuple(ordered[start : start + tries * wanted : wanted])
            slots.append(Slot(number, place, rule.rungs, choices))
            number += len(rule.rungs)
    if number > MOST_PAIRS:
        raise UsageError(f"The recipe makes {number} pairs", f"{MOST_PAIRS} at most; give the rules `pairs`.")
    return slots


def seed_of(*parts: object) -> int:
    """A seed of 63 bits that these parts give, and no others."""
    return int.from_bytes(hashlib.sha256("\0".join(map(str, parts)).encode()).digest()[:8], "big") >> 1


def _in_turn(recipe: Recipe, rule: FakeRule, sources: Sequence[Source]) -> list[Choice]:
    """All combinations: one of each person before anybody's second."""
    able = [
        source for source in sources if source.row.split in rule.splits and (rule.case != "pose" or source.still)
    ]  # how a head is turned is known of photographs, not of the moment that a video's fake will show
    count = len(able) * len(rule.made_with) * len(rule.moved_by) * len(rule.seeds)
    if count > _MOST:
        raise UsageError(f"A rule has {count} combinations", f"{_MOST} at most; name fewer generators or seeds.")
    filmed: dict[str, list[Source]] = {}
    for source in sorted(sources, key=lambda each: each.row.path):
        if not source.still:
            filmed.setdefault(str(source.row.split), []).append(source)
    people: dict[str, list[Choice]] = {}
    for source in able:
        people.setdefault(source.row.identity, []).extend(_choices(recipe, rule, source, filmed))

    def draw(*parts: object) -> int:
        return seed_of(recipe.seed, rule.kind, rule.case, *parts)

    rounds: list[tuple[int, int, Choice]] = []
    for name, choices in people.items():
        place = draw("person", name)
        ordered = sorted(choices, key=lambda choice: (draw(choice.key), choice.key))
        rounds += [(turn, place, choice) for turn, choice in enumerate(ordered)]
    return [choice for _, _, choice in sorted(rounds, key=lambda each: (each[0], each[1], each[2].key))]


def _choices(recipe: Recipe, rule: FakeRule, source: Source, filmed: dict[str, list[Source]]) -> Iterator[Choice]:
    for motion in rule.moved_by:
        driver = motion
        if motion == OWN:
            driver = "" if source.still else source.row.path
        elif motion == OTHERS:
            driver = _another(recipe, source, filmed.get(str(source.row.split), []))
        elif motion and recipe.motions.get(motion, "train") != source.row.split:
            continue
        if motion and not driver:
            continue
        for made_with in rule.made_with:
            for seed in rule.seeds:
                yield Choice(source.row.path, made_with, driver, seed)


def _another(recipe: Recipe, source: Source, filmed: Sequence[Source]) -> str:
    """Of `filmed`, the first of another person from a drawn place on; "" where there is none."""
    start = seed_of(recipe.seed, "driver", source.row.path) % max(1, len(filmed))
    turned = (filmed[(start + step) % len(filmed)] for step in range(len(filmed)))
    return next((other.row.path for other in turned if other.row.identity != source.row.identity), "")


def _why_none(rule: FakeRule) -> str:
    if rule.case == "pose":
        return "It takes photographs, since how a head is turned is known of them; name a source that has some."
    if rule.kind == "animated":
        return (
            "Motions that ship drive people of the split that [motions] says, train unless said; "
            "'others' and 'own' need real videos of the same split."
        )
    return "Its splits have no source."
