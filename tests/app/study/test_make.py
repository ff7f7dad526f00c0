"""A study on the disk: a page to hand out, a key that stays, copies that say nothing, whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfumato.app.study import make as making
from sfumato.app.study.key import read_key
from sfumato.app.study.make import StudyConfig, make_study
from sfumato.errors import MediaError, OutputError, UsageError
from sfumato.media.clips import file_digest
from tests.review_fixtures import HOSTILE
from tests.study_fixtures import FULL, PAIR, Clip, fakes_of, write_set

ASKED = StudyConfig(questions=3)


@pytest.fixture(scope="module")
def people(tmp_path_factory) -> Path:
    return write_set(tmp_path_factory.mktemp("people") / "set", dict.fromkeys("abcd", FULL))


def test_the_page_holds_copies_of_what_the_key_names(people, tmp_path) -> None:
    made = make_study(people, tmp_path / "study", ASKED)
    key = read_key(tmp_path / "study")
    copies = {path.stem: path for path in (made.page.parent / "clips").iterdir()}
    named = {clip.name: clip for question in key.questions for clip in question.clips}
    assert copies.keys() == named.keys()
    assert len(copies) == 9
    for name, clip in named.items():
        assert file_digest(copies[name]) == clip.sha256 == file_digest(people / clip.path)
    assert {copies[name].stat().st_mtime for name in copies} == {1e9}
    assert sorted(path.name for path in (tmp_path / "study").iterdir()) == ["key.json", "page"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["study"]
    assert key.clips_sha256 == file_digest(people / "clips.jsonl")


def test_a_seed_draws_the_same_under_other_names(people, tmp_path) -> None:
    keys = []
    for number in range(2):
        make_study(people, tmp_path / str(number), ASKED)
        keys.append(read_key(tmp_path / str(number)))
    first, second = keys
    assert [[clip.path for clip in each.clips] for each in first.questions] == [
        [clip.path for clip in each.clips] for each in second.questions
    ]
    assert not fakes_of(first) & fakes_of(second)
    assert first.study != second.study


def test_fakes_stand_anywhere(people, tmp_path) -> None:
    places = set()
    for seed in range(6):
        make_study(people, tmp_path / str(seed), StudyConfig(seed=seed))
        key = read_key(tmp_path / str(seed))
        places |= {question.clips.index(question.fake) for question in key.questions}
    assert places == {0, 1, 2}


def test_a_list_and_its_folder_are_the_same(people, tmp_path) -> None:
    make_study(people / "clips.jsonl", tmp_path / "study", ASKED)
    assert len(read_key(tmp_path / "study").questions) == 3


def test_an_empty_folder_is_filled_and_another_is_left_alone(people, tmp_path) -> None:
    (tmp_path / "study").mkdir()
    make_study(people, tmp_path / "study", ASKED)
    before = (tmp_path / "study" / "key.json").read_text()
    with pytest.raises(OutputError, match="study"):
        make_study(people, tmp_path / "study", ASKED)
    assert (tmp_path / "study" / "key.json").read_text() == before


def test_a_stopped_call_leaves_nothing(people, tmp_path, monkeypatch) -> None:
    def stopped(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(making, "write_key", stopped)
    with pytest.raises(KeyboardInterrupt):
        make_study(people, tmp_path / "study", ASKED)
    assert list(tmp_path.iterdir()) == []


def test_without_a_question_nothing_is_written_and_the_reason_is_given(tmp_path) -> None:
    folder = write_set(tmp_path / "set", dict.fromkeys("abcde", PAIR))
    with pytest.raises(UsageError, match=r"1 of 2 real clips that fit .*\(and 2 more people\).*--choices 2"):
        make_study(folder, tmp_path / "study", StudyConfig())
    with pytest.raises(UsageError, match="no fake"):
        make_study(write_set(tmp_path / "reals", {"a": [Clip(0)]}), tmp_path / "study", StudyConfig())
    with pytest.raises(MediaError, match=r"clips\.jsonl"):
        make_study(tmp_path, tmp_path / "study", StudyConfig())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["reals", "set"]


def test_a_note_is_text_and_nothing_else(people, tmp_path) -> None:
    made = make_study(people, tmp_path / "study", StudyConfig(note=f"{HOSTILE}\n\nsecond"))
    page = made.page.read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert page.count('<p class="note">') == 2
