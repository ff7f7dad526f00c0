"""Which clips stand side by side: one person, one fake, reals of other moments where there are any, no clip twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sfumato.app.study.films import Stock
from sfumato.app.study.questions import Drawn, draw
from sfumato.media.clips import read_clips
from tests.study_fixtures import FULL, PAIR, TRIPLE, Clip, write_set


def drawn(folder: Path, people: dict[str, Sequence[Clip]], choices: int = 3, count: int = 99, seed: int = 0) -> Drawn:
    clips = write_set(folder, people) / "clips.jsonl"
    return draw(list(read_clips(clips)), Stock(clips), count, choices, seed)


def paths(found: Drawn) -> list[tuple[str, list[str]]]:
    return [(each.fake.row.path, sorted(film.row.path for film in each.reals)) for each in found.questions]


def test_the_twin_gives_way_to_reals_of_other_moments(tmp_path) -> None:
    found = drawn(tmp_path / "set", {"ada": FULL})
    assert paths(found) == [("ada-1.mp4", ["ada-2.mp4", "ada-3.mp4"])]
    assert not found.questions[0].same_moments
    assert found.left_out == []


def test_the_twin_is_shown_where_other_reals_are_too_few_and_that_is_said(tmp_path) -> None:
    found = drawn(tmp_path / "set", {"ada": TRIPLE})
    assert paths(found) == [("ada-1.mp4", ["ada-0.mp4", "ada-2.mp4"])]
    assert found.questions[0].same_moments


def test_two_reals_of_the_same_moments_are_never_shown_together(tmp_path) -> None:
    found = drawn(tmp_path / "set", {"ada": [*PAIR, Clip(2), Clip(2), Clip(0)]})
    assert found.questions[0].same_moments  # the copy of the twin is no other moment either
    assert paths(found)[0][1] in (["ada-0.mp4", "ada-2.mp4"], ["ada-0.mp4", "ada-3.mp4"])


def test_a_real_that_the_fake_was_pasted_into_is_of_its_moments_even_if_nobody_says_so(tmp_path) -> None:
    found = drawn(tmp_path / "set", {"ada": [Clip(5), Clip(5, "swap"), Clip(2)]})
    assert found.questions == []
    assert found.left_out == [
        ("ada", "1 of 2 real clips that fit ada-1.mp4 (64 x 64, 25 frames/s, 1.2 s), each of other moments")
    ]


def test_pairs_are_of_the_fake_and_its_twin(tmp_path) -> None:
    found = drawn(tmp_path / "set", {"ada": FULL, "bo": PAIR}, choices=2)
    assert sorted(paths(found)) == [("ada-1.mp4", ["ada-0.mp4"]), ("bo-1.mp4", ["bo-0.mp4"])]
    assert not any(question.same_moments for question in found.questions)


def test_whom_no_question_can_be_made_of_is_told_with_the_reason(tmp_path) -> None:
    found = drawn(tmp_path / "set", {"ada": FULL, "bo": PAIR, "cy": [Clip(0)], "di": [Clip(0, "a")]})
    assert found.people == 3  # cy has no fake
    assert {name: why.partition(" real")[0] for name, why in found.left_out} == {"bo": "1 of 2", "di": "0 of 2"}


def test_reals_of_another_size_rate_or_length_are_no_choice(tmp_path) -> None:
    others = [Clip(2, width=128), Clip(3, rate=50, frames=60), Clip(4, frames=90)]
    found = drawn(tmp_path / "set", {"ada": [*PAIR, *others]})
    assert found.questions == []


def test_a_question_lasts_as_long_as_its_shortest_clip(tmp_path) -> None:
    found = drawn(tmp_path / "set", {"ada": [*PAIR, Clip(2, frames=20), Clip(3)]})
    assert found.questions[0].seconds == pytest.approx(0.8, abs=0.01)


def test_no_clip_is_shown_twice_and_people_take_turns(tmp_path) -> None:
    many = [Clip(0), Clip(1, "a", of=0), Clip(2, "a", of=0), *(Clip(moment) for moment in range(3, 8))]
    people = dict.fromkeys("abcd", many)
    found = drawn(tmp_path / "set", people, count=6)
    assert len(found.questions) == 6
    assert sorted(Counter(question.fake.row.identity for question in found.questions).values()) == [1, 1, 2, 2]
    shown = Counter(film.row.path for question in found.questions for film in (question.fake, *question.reals))
    assert max(shown.values()) == 1
    for question in found.questions:
        assert {film.row.identity for film in question.reals} == {question.fake.row.identity}
        assert {film.row.label for film in question.reals} == {"real"}


def test_moments_that_were_shown_before_are_not_shown_again_under_another_name(tmp_path) -> None:
    copies = [Clip(0), Clip(1, "a", of=0), Clip(2), Clip(3), Clip(9), Clip(8, "a", of=4), Clip(2), Clip(3)]
    found = drawn(tmp_path / "set", {"ada": copies})
    shown = [copies[int(path[4])].moment for _, reals in paths(found) for path in reals]
    assert len(shown) == 4
    assert len(set(shown)) == 4


def test_footage_as_it_came_is_not_shown_beside_a_fake_with_a_twin(tmp_path) -> None:
    folder = write_set(tmp_path / "set", {"ada": FULL})
    rows = [
        replace(row, method="camera") if row.path == "ada-3.mp4" else row for row in read_clips(folder / "clips.jsonl")
    ]
    found = draw(rows, Stock(folder / "clips.jsonl"), 5, 3, 0)
    assert paths(found) == [("ada-1.mp4", ["ada-0.mp4", "ada-2.mp4"])]
    rows = [replace(row, method="camera") if row.label == "real" else row for row in rows]
    found = draw(rows, Stock(folder / "clips.jsonl"), 5, 3, 0)  # of a data set whose reals are all such
    assert paths(found) == [("ada-1.mp4", ["ada-2.mp4", "ada-3.mp4"])]


def test_methods_are_drawn_evenly(tmp_path) -> None:
    both = [Clip(0), Clip(1, "swap", of=0), Clip(2, "animated", of=0), Clip(3, "animated", of=0), Clip(4), Clip(5)]
    found = drawn(tmp_path / "set", dict.fromkeys("abcdef", both), count=6)
    assert Counter(question.fake.row.method for question in found.questions) == {"swap": 3, "animated": 3}


def test_a_seed_draws_the_same_and_another_one_others(tmp_path) -> None:
    people = dict.fromkeys("abcdefgh", TRIPLE)
    clips = write_set(tmp_path / "set", people) / "clips.jsonl"
    rows = list(read_clips(clips))
    first, again, other = [
        paths(draw(listed, Stock(clips), 4, 3, seed)) for listed, seed in ((rows, 0), (rows[::-1], 0), (rows, 1))
    ]
    assert first == again
    assert first != other


def test_a_fake_that_cannot_be_read_gives_way_to_the_next(tmp_path) -> None:
    folder = write_set(tmp_path / "set", {"ada": [*FULL, Clip(6, "animated", of=0)]})
    (folder / "ada-1.mp4").unlink()
    clips = folder / "clips.jsonl"
    found = draw(list(read_clips(clips)), Stock(clips), 5, 3, 0)
    assert [path for path, _ in paths(found)] == ["ada-4.mp4"]
    (folder / "ada-4.mp4").write_text("")
    found = draw(list(read_clips(clips)), Stock(clips), 5, 3, 0)
    assert [name for name, _ in found.left_out] == ["ada"]
