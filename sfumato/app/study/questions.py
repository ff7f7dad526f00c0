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
    shown: list[Film] = field(default_factory=list)  # reals, in questions before
    why: str = ""


def draw(
    rows: Sequence[ClipRow], stock: Stock, count: int, choices: int, seed: int,
    cut: Cut = lambda recordings, fake: iter(()), advance: Callable[[float], None] = lambda amount: None,
) -> Drawn:  # fmt: skip
    """At most `count` questions of `choices` clips. People take turns in an order drawn by `seed`, methods are as even
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
    drawn.left_out = [(name, person.why) for name, person in people.items() if person.why and not person.shown]
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
            person.shown += question.reals
            return question
    return None


def _question(fake: Film, person: _Person, stock: Stock, choices: int, cut: Cut) -> Question | None:
    wanted = choices - 1
    own, others = _reals(fake, person, stock)
    spare = own if own is not None and not _repeats(own, person.shown) else None
    chosen = [spare] if choices == 2 and spare is not None else []
    known = [fake, *([own] if own is not None else []), *person.shown]  # whose moments no other real may show
    recordings = [row for row in person.reals if row.method != TWIN]
    for film in chain(others, cut(recordings, fake) if len(chosen) < wanted else ()):
        if len(chosen) == wanted:
            break
        if not _repeats(film, [*known, *chosen]):
            chosen.append(film)
    same = len(chosen) < wanted and spare is not None
    if same and spare is not None:
        chosen.append(spare)
    if len(chosen) < wanted:
        person.why = _lacking(fake, len(chosen), wanted)
        return None
    return Question(fake, tuple(chosen), same)


def _reals(fake: Film, person: _Person, stock: Stock) -> tuple[Film | None, list[Film]]:
    """The fake's twin, and other reals that fit, the most alike in bytes a second first. Beside a fake with a twin only
    what was made as its twin was: footage as it came from the camera is framed otherwise.
    """
    twin = next((row for row in person.reals if row.path == fake.row.pair_of), None)
    listed = [row for row in person.reals if twin is None or row.method == twin.method]
    listed = sorted(listed, key=lambda row: row is not twin)[:_LOOKED_AT]  # keeps the drawn order
    films = [film for row in listed if (film := stock.film(row)) is not None and film.fits(fake)]
    own = next((film for film in films if twin is not None and film.row.path == twin.path), None)
    others = [film for film in films if film is not own]
    others.sort(key=lambda film: abs(math.log(film.size / film.seconds) - math.log(fake.size / fake.seconds)))
    return own, others


def _repeats(film: Film, shown: Sequence[Film]) -> bool:
    return any(film.shows_the_moments_of(other) for other in shown)


def _lacking(fake: Film, found: int, wanted: int) -> str:
    return (
        f"{found} of {wanted} real clips that fit {fake.row.path} ({fake.width} x {fake.height}, "
        f"{fake.rate:g} frames/s, {fake.seconds:.1f} s), each of other moments"
    )
