"""What participants send back: taken as the page wrote it, refused by name when it is anything else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sfumato.app.study.answers import answer_files, read_answers
from sfumato.app.study.key import Key, read_key, write_key
from sfumato.errors import MediaError, UsageError
from sfumato.limits import STUDY_ANSWERS
from tests.study_fixtures import answered, toy_key


@pytest.fixture
def study(tmp_path: Path) -> Path:
    write_key(tmp_path / "key.json", toy_key(questions=4))
    return tmp_path


def written(path: Path, values: Any) -> Path:
    path.write_text(values if isinstance(values, str) else json.dumps(values))
    return path


def test_answers_are_right_or_wrong_by_the_key(study, tmp_path) -> None:
    key = read_key(study)
    files = [
        written(tmp_path / "a.json", answered(study, 1, 1.0)),
        written(tmp_path / "b.json", answered(study, 2, 0.0)),
    ]
    right, wrong = read_answers(files, key)
    assert [answer.right for answer in right.answers] == [True] * 4
    assert [answer.right for answer in wrong.answers] == [False] * 4
    assert right.participant == f"{1:016x}"
    assert {answer.seconds for answer in right.answers} == {4.0}


def test_places_are_those_of_the_page(study, tmp_path) -> None:
    (sheet,) = read_answers([written(tmp_path / "a.json", answered(study, 1, 0.5, place=2))], read_key(study))
    assert {answer.place for answer in sheet.answers} == {3}


def test_half_a_study_and_what_could_not_be_played_are_taken(study, tmp_path) -> None:
    values = answered(study, 1, 1.0, first=2)
    values["answers"][0]["chosen"] = None
    (sheet,) = read_answers([written(tmp_path / "a.json", values)], read_key(study))
    assert sorted(str(answer.right) for answer in sheet.answers) == ["None", "True"]


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "another study": (lambda sheet: sheet.update(study="0" * 16), "it is of the study '0000000000000000', and this is"),
    "another format": (lambda sheet: sheet.update(format="x"), "not of the format"),
    "an unknown key": (lambda sheet: sheet.update(name="Ada"), "unknown key 'name'"),
    "a missing key": (lambda sheet: sheet.pop("answers"), "'answers' is missing"),
    "a name": (lambda sheet: sheet.update(participant="\u202eAda"), r"the participant is"),
    "other questions": (lambda sheet: sheet.update(questions=5), "it is of 5 questions, and the study has 4"),
    "no list": (lambda sheet: sheet.update(answers={}), "its answers are no list"),
    "no object": (lambda sheet: sheet.update(answers=[1]), "an answer is no object"),
    "a question twice": (lambda sheet: sheet["answers"].append(sheet["answers"][0]), "is answered twice"),
    "a question of none": (lambda sheet: sheet["answers"][0].update(question=5), "there is no question 5"),
    "a question of nought": (lambda sheet: sheet["answers"][0].update(question=0), "there is no question 0"),
    "a question that is true": (lambda sheet: sheet["answers"][0].update(question=True), "there is no question True"),
    "clips of another": (lambda sheet: sheet["answers"][0].update(shown=["0" * 16] * 3), "did not show these"),
    "clips that are none": (lambda sheet: sheet["answers"][0].update(shown=[[1], 2, 3]), "did not show these"),
    "a clip twice": (lambda sheet: sheet["answers"][0].update(shown=2 * sheet["answers"][0]["shown"]), "none of its"),
    "a choice of none": (lambda sheet: sheet["answers"][0].update(chosen="0" * 16), "none of its clips"),
    "a choice of several": (lambda sheet: sheet["answers"][0].update(chosen=[]), "none of its clips"),
    "time before it began": (lambda sheet: sheet["answers"][0].update(seconds=-1), "took -1 seconds"),
    "time without end": (lambda sheet: sheet["answers"][0].update(seconds=1e9), "seconds"),
    "time in words": (lambda sheet: sheet["answers"][0].update(seconds="4"), "took '4' seconds"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "said"), CHANGES.values(), ids=CHANGES)
def test_answers_that_nobody_gave_are_refused(study, tmp_path, change, said) -> None:
    values = answered(study, 1, 0.5)
    change(values)
    with pytest.raises(MediaError, match=r"bad\.json holds no answers of this study: .*" + said):
        read_answers([written(tmp_path / "bad.json", values)], read_key(study))


@pytest.mark.parametrize("text", ["", "7", "[]", "{" * 4000, '{"a": NaN}', "participant,question\n1,2\n", "\x00\xff"])
def test_a_file_that_is_none_is_refused(study, tmp_path, text) -> None:
    with pytest.raises(MediaError, match=r"bad\.json holds no answers"):
        read_answers([written(tmp_path / "bad.json", text)], read_key(study))


def test_a_participant_counts_once(study, tmp_path) -> None:
    files = [written(tmp_path / name, answered(study, 1, 0.5)) for name in ("a.json", "b.json")]
    with pytest.raises(MediaError, match=r"b\.json .*participant is in .*a\.json already; keep the later"):
        read_answers(files, read_key(study))


def test_a_huge_file_and_one_that_is_gone_are_refused(study, tmp_path) -> None:
    (tmp_path / "huge.json").write_bytes(b" " * (STUDY_ANSWERS.most + 1))
    key: Key = read_key(study)
    with pytest.raises(MediaError, match="more than 4 MB"):
        read_answers([tmp_path / "huge.json"], key)
    with pytest.raises(MediaError, match=r"Cannot read .*gone\.json"):
        read_answers([tmp_path / "gone.json"], key)


def test_a_folder_is_all_json_files_in_it(tmp_path) -> None:
    for name in ("b.json", "a.json", "a.csv"):
        (tmp_path / name).write_text("")
    assert answer_files([tmp_path, tmp_path / "a.csv"]) == [tmp_path / name for name in ("a.json", "b.json", "a.csv")]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"no answers in .*empty"):
        answer_files([tmp_path / "empty"])
