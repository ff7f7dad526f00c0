"""`sfumato study score`: from the files of participants to a rate, in words and as a record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sfumato.app.cli.main import main
from sfumato.app.study.key import write_key
from sfumato.exit_codes import ExitCode
from tests.study_fixtures import answered, toy_key


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """The key of a study, and a folder of answers by six participants beside it."""
    write_key(tmp_path / "key.json", toy_key(questions=10))
    (tmp_path / "answers").mkdir()
    for number in range(6):
        (tmp_path / "answers" / f"{number}.json").write_text(json.dumps(answered(tmp_path, number, 1.0)))
    return tmp_path


def test_a_folder_of_answers_is_scored_in_words(study, capsys) -> None:
    assert main(["study", "score", str(study), str(study / "answers")]) == ExitCode.DONE
    told = capsys.readouterr().out
    assert told.startswith("6 participants, 60 answers to 10 questions of 3 clips; by chance 33.3% would be found\n")
    assert "60 of 60, median 4.0 s: people find it more often than by chance" in told


def test_a_record_is_one_line(study, capsys) -> None:
    files = [str(path) for path in sorted((study / "answers").iterdir())]
    assert main(["study", "score", str(study), *files, "--json", "--seed", "3"]) == ExitCode.DONE
    record = json.loads(capsys.readouterr().out)
    assert record["all"]["right"] == 60
    assert record["all"]["against_chance"] == "above"


def test_answers_of_another_study_end_it_and_are_named(study, capsys) -> None:
    foreign = answered(study, 9, 1.0) | {"study": "0" * 16}
    (study / "answers" / "foreign.json").write_text(json.dumps(foreign))
    assert main(["study", "score", str(study), str(study / "answers")]) == ExitCode.INPUT
    assert "foreign.json holds no answers of this study: it is of the study" in capsys.readouterr().err


def test_the_page_is_not_the_study(study, capsys) -> None:
    (study / "page").mkdir()
    assert main(["study", "score", str(study / "page"), str(study / "answers")]) == ExitCode.INPUT
    assert "not its page/" in capsys.readouterr().err
