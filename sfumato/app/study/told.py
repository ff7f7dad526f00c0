"""A score in words and as one record: what stands on the screen, and what a program reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sfumato.app.study.score import BY_PARTICIPANTS, BY_PEOPLE, EXACT, FEWEST, TWO_WAY, Rate, Score
from sfumato.text import printable
from sfumato.version import __version__

SCHEMA = 1
_OVER = {
    TWO_WAY: "participants and people drawn anew",
    BY_PEOPLE: f"of these participants alone, who are fewer than {FEWEST}",
    BY_PARTICIPANTS: f"of these clips alone: they show fewer than {FEWEST} people",
    EXACT: "",
}
_AGAINST = {
    "above": "people find it more often than by chance",
    "below": "people find it less often than by chance",
    "undecided": "not told apart from chance by these answers",
    None: f"no interval: there are fewer than {FEWEST} participants, and fewer than {FEWEST} people are shown",
}
_SHOWN = 20  # participants


def record_of(score: Score) -> dict[str, Any]:
    """What `--json` prints, as docs/schemas/study-score.schema.json describes it."""
    key = score.key
    return {
        "schema_version": SCHEMA, "program": __version__,
        "study": {"id": key.study, "program": key.program, "seed": key.seed, "clips_sha256": key.clips_sha256},
        "choices": key.choices, "chance": key.chance, "questions": len(key.questions),
        "people": len({question.identity for question in key.questions}),
        "unplayed": score.unplayed, "all": _rate(score.rate, key.chance),
        "without_remarks": _rate(score.careful, key.chance),
        "methods": {name: _rate(rate, key.chance) for name, rate in score.methods.items()},
        "same_moments": _rate(score.moments, key.chance), "other_moments": _rate(score.other_moments, key.chance),
        "participants": [
            {"participant": each.code, "answered": each.answered, "unplayed": each.unplayed,
             "rate": _rate(each.rate, key.chance), "remarks": list(each.remarks)}
            for each in score.participants
        ],
    }  # fmt: skip


def lines_of(score: Score) -> Iterator[str]:
    """The score for people, line by line."""
    key, chance = score.key, score.key.chance
    count = len(score.participants)
    yield (
        f"{count} participant{'' if count == 1 else 's'}, {score.rate.of} answers to {len(key.questions)} questions of "
        f"{key.choices} clips; by chance {chance:.1%} would be found"
    )
    yield f"found the fake: {_said(score.rate)}: {_AGAINST[score.rate.against(chance)]}"
    if score.careful:
        remarked = sum(bool(each.remarks) for each in score.participants)
        yield f"without the {remarked} with a remark: {_said(score.careful)}"
    if len(score.methods) > 1:
        for name, rate in sorted(score.methods.items(), key=lambda item: item[1].rate):
            yield f"  {printable(name, 60)}: {_said(rate)}"
    if score.moments:
        yield f"where a real shows the moments of the fake: {_said(score.moments)}"
    if score.other_moments:
        yield f"elsewhere: {_said(score.other_moments)}"
    if score.unplayed:
        yield f"{score.unplayed} questions could not be played, and count for nothing"
    yield "participants, each with the exact interval of their own answers:"
    # those with a remark first: they are what somebody has to look at
    ordered = sorted(score.participants, key=lambda each: not each.remarks)
    for each in ordered[:_SHOWN]:
        missing = len(key.questions) - each.answered
        said = _said(each.rate) if each.rate else "nothing could be played"
        remarks = "".join(f"; {remark}" for remark in each.remarks)
        yield f"  {each.code}: {said}{f'; {missing} not answered' if missing else ''}{remarks}"
    if count > _SHOWN:
        yield f"  and {count - _SHOWN} more; --json has all"


def _said(rate: Rate) -> str:
    bounds = ""
    if rate.interval is not None and rate.over is not None:
        over = f", {_OVER[rate.over]}" if _OVER[rate.over] else ""
        bounds = f" (95 %: {rate.interval[0]:.1%} to {rate.interval[1]:.1%}{over})"
    return f"{rate.rate:.1%}{bounds}, {rate.right} of {rate.of}, median {rate.seconds:.1f} s"


def _rate(rate: Rate | None, chance: float) -> dict[str, Any] | None:
    if rate is None:
        return None
    return {
        "right": rate.right, "of": rate.of, "rate": rate.rate,
        "interval": list(rate.interval) if rate.interval else None, "interval_over": rate.over,
        "against_chance": rate.against(chance), "median_seconds": rate.seconds,
    }  # fmt: skip
