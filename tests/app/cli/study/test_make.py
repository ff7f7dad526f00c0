"""`sfumato study make`: what it says of the questions it made and of those it could not."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfumato.app.cli.main import main
from sfumato.app.study.key import read_key
from sfumato.exit_codes import ExitCode
from tests.study_fixtures import FULL, PAIR, TRIPLE, write_set


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("people") / "set"
    return write_set(folder, {"ada": FULL, "bo": TRIPLE, "cy": PAIR})


def test_the_page_is_printed_and_the_rest_is_told(people, tmp_path, capsys) -> None:
    (tmp_path / "study").mkdir()
    assert main(["study", "make", str(people), "-o", str(tmp_path / "study")]) == ExitCode.DONE
    told = capsys.readouterr()
    assert told.out == f"{tmp_path / 'study' / 'page' / 'index.html'}\n"
    assert "2 questions of 3 clips, of 2 of the 3 people with a fake" in told.err
    assert "30 were asked for; the list gives no more without showing a clip twice" in told.err
    assert "in 1 a real shows the moments of the fake, and who notices has one chance in two" in told.err
    assert "Left out: 1 of 2 real clips that fit cy-1.mp4" in told.err


def test_options_are_those_of_the_study(people, tmp_path) -> None:
    line = [
        "study",
        "make",
        str(people / "clips.jsonl"),
        "-o",
        str(tmp_path / "study"),
        "--choices",
        "2",
        "--questions",
        "2",
    ]
    assert main([*line, "--seed", "5", "--note", "Write to ada@example.org"]) == ExitCode.DONE
    key = read_key(tmp_path / "study")
    assert (key.choices, key.seed, len(key.questions)) == (2, 5, 2)
    assert "Write to ada@example.org" in (tmp_path / "study" / "page" / "index.html").read_text()


def test_a_clip_that_cannot_be_shown_is_told(people, tmp_path, capsys) -> None:
    folder = write_set(tmp_path / "set", {"ada": FULL, "bo": FULL})
    (folder / "bo-0.mp4").unlink()
    assert main(["study", "make", str(folder), "-o", str(tmp_path / "study")]) == ExitCode.DONE
    assert "1 clips cannot be shown, such as this: " in capsys.readouterr().err


def test_a_study_is_never_written_over(people, tmp_path, capsys) -> None:
    line = ["study", "make", str(people), "-o", str(tmp_path / "study")]
    assert main(line) == ExitCode.DONE
    before = (tmp_path / "study" / "key.json").read_text()
    assert main(line) == ExitCode.REQUEST
    assert "holds a study already" in capsys.readouterr().err
    assert (tmp_path / "study" / "key.json").read_text() == before


def test_without_a_question_it_ends_with_advice(tmp_path, capsys) -> None:
    folder = write_set(tmp_path / "set", {"ada": PAIR})
    assert main(["study", "make", str(folder), "-o", str(tmp_path / "study")]) == ExitCode.REQUEST
    assert "--choices 2" in capsys.readouterr().err
    assert not (tmp_path / "study").exists()
