"""How often people found the fake: checked answers in, rates with their intervals and the time taken out.

Answers of one participant hang together, and so do those about one person's clips: both are drawn anew, together, as in
the pigeonhole bootstrap (Owen 2007, arXiv 0712.1111). Where one of the two is too few for that, the other alone is
drawn, and the interval says of whom it then speaks. Nobody is left out: whoever answered without looking is named, and
the rate without them stands beside the rate of all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from detector.evaluation.intervals import DRAWS, Interval, rate_bounds
from sfumato.app.study.answers import Answer, Sheet
from sfumato.app.study.key import Key
from sfumato.errors import UsageError

FEWEST = 5  # participants, or people shown: below, drawing them anew says nothing
QUICK = 1.0  # seconds, or one showing where that is shorter: nobody has compared the clips by then
_OFTEN = 0.2  # of a participant's answers that may be that quick
_UNLIKELY = 0.001  # the chance of as many answers at one place, from somebody who looks
_CHUNK = 100  # draws held at a time
TWO_WAY, BY_PEOPLE, BY_PARTICIPANTS, EXACT = "participants and people", "people", "participants", "answers"


@dataclass(frozen=True)
class Rate:
    """right of `of` answers found the fake. interval: at 95 %, None where there are too few; over: what it is drawn
    over; seconds: the median of an answer's time.
    """

    right: int
    of: int
    seconds: float
    interval: Interval | None
    over: str | None

    @property
    def rate(self) -> float:
        return self.right / self.of

    def against(self, chance: float) -> str | None:
        """Whether the interval lies "above" or "below" `chance`, or holds it: "undecided". None without one."""
        if self.interval is None:
            return None
        return "above" if self.interval[0] > chance else "below" if self.interval[1] < chance else "undecided"


@dataclass(frozen=True)
class Participant:
    """answered: of the study's questions; rate: None where nothing could be played; remarks: what speaks against these
    answers.
    """

    code: str
    answered: int
    unplayed: int
    rate: Rate | None
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Score:
    """rate: of all; careful: without those with a remark, None where there is none, or nobody else; methods: by that of
    the fake; moments: of questions in which a real shows the moments of the fake, None where there is none.
    """

    key: Key
    rate: Rate
    participants: tuple[Participant, ...]
    careful: Rate | None
    methods: dict[str, Rate]
    moments: Rate | None
    other_moments: Rate | None
    unplayed: int


_Given = tuple[str, Answer]  # (participant, what was chosen)


def score(key: Key, sheets: Sequence[Sheet], seed: int = 0) -> Score:
    """Raises UsageError where nothing was answered."""
    given = [(sheet.participant, each) for sheet in sheets for each in sheet.answers if each.right is not None]
    if not given:
        raise UsageError("No question was answered", "Collect the answers first.")
    participants = tuple(_participant(sheet, key) for sheet in sheets)
    remarked = {each.code for each in participants if each.remarks}
    careful = [each for each in given if each[0] not in remarked]
    methods = sorted({answer.question.fake.method for _, answer in given})

    def among(wanted: Callable[[Answer], bool]) -> Rate | None:
        chosen = [each for each in given if wanted(each[1])]
        return rate_of(chosen, seed) if chosen else None

    moments = among(lambda answer: answer.question.same_moments)
    by_method = {name: among(lambda answer, name=name: answer.question.fake.method == name) for name in methods}  # type: ignore[misc]
    return Score(
        key, rate_of(given, seed), participants, rate_of(careful, seed) if remarked and careful else None,
        {name: rate for name, rate in by_method.items() if rate is not None}, moments,
        among(lambda answer: not answer.question.same_moments) if moments else None,
        sum(each.unplayed for each in participants),
    )  # fmt: skip


def rate_of(given: Sequence[_Given], seed: int = 0) -> Rate:
    """The rate of answers by several participants, or by one, whose answers are then taken to be independent."""
    who = _numbered([participant for participant, _ in given])
    whom = _numbered([answer.question.identity for _, answer in given])
    right = np.array([bool(answer.right) for _, answer in given], np.float64)
    count, total = int(right.sum()), len(given)
    interval, over = _interval(right, who, whom, seed)
    return Rate(count, total, median(answer.seconds for _, answer in given), interval, over)


def _interval(
    right: NDArray[np.float64], who: NDArray[np.int64], whom: NDArray[np.int64], seed: int
) -> tuple[Interval | None, str | None]:
    participants, people = int(who.max()) + 1, int(whom.max()) + 1
    if participants == 1:
        return rate_bounds(int(right.sum()), len(right)), EXACT
    drawn = [name for name, count in ((BY_PARTICIPANTS, participants), (BY_PEOPLE, people)) if count >= FEWEST]
    if not drawn:
        return None, None
    over = TWO_WAY if len(drawn) == 2 else drawn[0]
    if right.min() == right.max():  # every draw would give the same
        few = min(participants, people) if over == TWO_WAY else participants if over == BY_PARTICIPANTS else people
        return rate_bounds(few if right[0] else 0, few), over
    shape = (participants, people)
    answers, found = np.zeros(shape), np.zeros(shape)
    np.add.at(answers, (who, whom), 1.0)
    np.add.at(found, (who, whom), right)
    return _resampled(answers, found, drawn, seed), over


def _resampled(answers: NDArray[np.float64], found: NDArray[np.float64], drawn: list[str], seed: int) -> Interval:
    """answers, found: (participants, people). The 95 % percentile interval of found / answers."""
    rng = np.random.default_rng(seed)
    rates = []
    for _ in range(DRAWS // _CHUNK):
        rows, columns = (
            rng.multinomial(count, np.full(count, 1 / count), _CHUNK) if name in drawn else np.ones((_CHUNK, count))
            for name, count in zip((BY_PARTICIPANTS, BY_PEOPLE), answers.shape, strict=True)
        )  # (draws, participants), (draws, people)
        total = ((rows @ answers) * columns).sum(1)  # (draws,)
        rates.append(((rows @ found) * columns).sum(1)[total > 0] / total[total > 0])
    low, high = np.percentile(np.concatenate(rates), [2.5, 97.5])
    return float(low), float(high)


def _participant(sheet: Sheet, key: Key) -> Participant:
    given = [answer for answer in sheet.answers if answer.right is not None]
    rate = rate_of([(sheet.participant, answer) for answer in given]) if given else None
    unplayed = len(sheet.answers) - len(given)
    return Participant(sheet.participant, len(sheet.answers), unplayed, rate, tuple(_remarks(given, key.choices)))


def _remarks(given: Sequence[Answer], choices: int) -> list[str]:
    """What speaks against somebody's answers, in words."""
    from scipy.stats import binom

    if not given:
        return []
    remarks = []
    place, often = Counter(answer.place for answer in given).most_common(1)[0]
    if choices * binom.sf(often - 1, len(given), 1 / choices) < _UNLIKELY:
        remarks.append(f"chose clip {place} in {often} of {len(given)} answers, wherever the fake stood")
    quick = sum(answer.seconds < min(QUICK, answer.question.seconds) for answer in given)
    if quick > _OFTEN * len(given):
        remarks.append(
            f"{quick} of {len(given)} answers came within {QUICK:g} s, or before the clips were through once"
        )
    return remarks


def _numbered(names: Sequence[str]) -> NDArray[np.int64]:
    return np.unique(np.asarray(names, object).astype(str), return_inverse=True)[1].astype(np.int64)
