"""Which clips a participant chooses among: fakes and reals of one person in, questions out.

Section 4 of the paper: three clips of one person, from three recordings, two real and one a fake. The reals are of
other moments than the fake where there are enough of them: who sees two clips move alike knows that the fake is one of
the two. No clip is shown twice in a study, since one that came before beside another would be known to be real.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from sfumato.app.study.films import Film, Stock
from sfumato.media.clips import TWIN, ClipRow

_LOOKED_AT = 40  # reals of one person that are opened for a question
Cut = Callable[[Sequence[ClipRow], Film], Iterator[Film]]  # (a person's recordings, the fake) -> further reals like it


@dataclass(frozen=True)
class Question:
    """fake and reals: of one person, alike in size and rate. same_moments: of three clips or more, one real shows the
    fake's own moments.
    """

    fake: Film
    reals: tuple[Film, ...]
    same_moments: bool

    @property
    def seconds(self) -> float:
        """How long each clip is shown before it starts again."""
        return min(film.seconds for film in (self.fake, *self.reals))


@dataclass
class Drawn:
    """people: how many have a fake; left_out: (person, why) of those for whom no question can be made, as far as they
    were looked at.
    """

    questions: list[Question] = field(default_factory=list)
    people: int = 0
    left_out: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class _Person:
    fakes: list[ClipRow]
    reals: list[ClipRow]
    used: set[str] = field(default_factory=set)
    asked: int = 0
    why: str = ""


def draw(
    rows: Sequence[ClipRow], stock: Stock, count: int, choices: int, seed: int,
    cut: Cut = lambda recordings, fake: iter(()), advance: Callable[[float], None] = lambda amount: None,
) -> Drawn:  # fmt: skip
    """At most `count` questions of `choices` clips. People take turns in an order drawn by `seed`, and methods as evenly
    as their fakes allow. `advance` gets 1 a question.
    """
    rng = random.Random(seed)
    people = _people(rows, rng)
    drawn, methods = Drawn(people=len(people)), Counter[str]()
    turn = list(people)
    while turn and len(drawn.questions) < count:
        following = []
        for name in turn:
            if len(drawn.questions) >= count:
                break
            question = _next(people[name], stock, choices, methods, cut)
            if question is None:
                continue
            drawn.questions.append(question)
            methods[question.fake.row.method] += 1
            following.append(name)
            advance(1)
        turn = following
    drawn.left_out = [(name, person.why) for name, person in people.items() if person.why and not person.asked]
    rng.shuffle(drawn.questions)
    return drawn


def _people(rows: Sequence[ClipRow], rng: random.Random) -> dict[str, _Person]:
    """Those with a fake, in an order drawn by `rng`."""
    fakes: defaultdict[str, list[ClipRow]] = defaultdict(list)
    reals: defaultdict[str, list[ClipRow]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.path):
        (fakes if row.label == "fake" else reals)[row.identity].append(row)
    names = sorted(fakes)
    rng.shuffle(names)
    for name in names:
        rng.shuffle(fakes[name])
        rng.shuffle(reals[name])
    return {name: _Person(fakes[name], reals[name]) for name in names}


def _next(person: _Person, stock: Stock, choices: int, methods: Counter[str], cut: Cut) -> Question | None:
    """The person's next question; None where there is none, with the reason in `why`."""
    while person.fakes:
        row = min(person.fakes, key=lambda fake: methods[fake.method])
        person.fakes.remove(row)
        fake = stock.film(row)
        if fake is None:
            person.why = stock.refused[row.path]
            continue
        question = _question(fake, person, stock, choices, cut)
        if question is not None:
            person.used |= {film.row.path for film in question.reals}
            person.asked += 1
            return question
    return None


def _question(fake: Film, person: _Person, stock: Stock, choices: int, cut: Cut) -> Question | None:
    wanted = choices - 1
    own, free = _reals(fake, person, stock)
    chosen = [own] if choices == 2 and own is not None else []
    recordings = [row for row in person.reals if row.method != TWIN]
    known = [fake, *([own] if own is not None else [])]  # whose moments no other real may show
    for film in chain(free, cut(recordings, fake) if len(chosen) < wanted else ()):
        if len(chosen) == wanted:
            break
        if not any(film.shows_the_moments_of(other) for other in (*known, *chosen)):
            chosen.append(film)
    same = len(chosen) < wanted and own is not None
    if same and own is not None:
        chosen.append(own)
    if len(chosen) < wanted:
        person.why = _lacking(fake, len(chosen), wanted)
        return None
    return Question(fake, tuple(chosen), same)


def _reals(fake: Film, person: _Person, stock: Stock) -> tuple[Film | None, list[Film]]:
    """The fake's twin, and other reals, the most alike in bytes a second first; what was shown or does not fit is in
    neither.
    """
    listed = sorted(person.reals, key=lambda row: row.path != fake.row.pair_of)[:_LOOKED_AT]  # keeps the drawn order
    found = [film for row in listed if row.path not in person.used and (film := stock.film(row)) is not None]
    found = [film for film in found if film.fits(fake)]
    own = next((film for film in found if film.row.path == fake.row.pair_of), None)
    others = [film for film in found if film is not own]
    others.sort(key=lambda film: abs(math.log(film.size / film.seconds) - math.log(fake.size / fake.seconds)))
    return own, others


def _lacking(fake: Film, found: int, wanted: int) -> str:
    return (
        f"{found} of {wanted} real clips that fit {fake.row.path} ({fake.width} x {fake.height}, {fake.rate:g} frames/s,"
        f" {fake.seconds:.1f} s), each of other moments"
    )
