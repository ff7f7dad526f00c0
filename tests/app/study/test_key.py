"""The key of a study: read as it was written, and refused when it was changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sfumato.app.study.key import read_key, write_key
from sfumato.errors import MediaError, MissingFileError
from tests.study_fixtures import toy_key


def test_a_key_is_read_as_it_was_written(tmp_path) -> None:
    write_key(tmp_path / "key.json", toy_key(2))
    key = read_key(tmp_path)
    assert key == toy_key(2)
    assert key.chance == pytest.approx(1 / 3)
    assert [question.fake.name for question in key.questions] == [f"{10:016x}", f"{20:016x}"]


CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "another format": lambda key: key.update(format="sfumato-study-9"),
    "no format": lambda key: key.pop("format"),
    "an unknown key": lambda key: key.update(surprise=1),
    "a missing key": lambda key: key.pop("seed"),
    "no study": lambda key: key.update(study="../x"),
    "no question": lambda key: key.update(questions=[]),
    "questions that are none": lambda key: key.update(questions=7),
    "a number twice": lambda key: key["questions"][1].update(number=1),
    "a clip twice": lambda key: key["questions"].__setitem__(1, key["questions"][0] | {"number": 2}),
    "two fakes": lambda key: key["questions"][0]["clips"][1].update(label="fake"),
    "no fake": lambda key: key["questions"][0]["clips"][0].update(label="real"),
    "another label": lambda key: key["questions"][0]["clips"][1].update(label="perhaps"),
    "a clip too few": lambda key: key["questions"][0]["clips"].pop(),
    "other choices": lambda key: key.update(choices=2),
    "choices that are none": lambda key: key.update(choices=[3]),
    "a name that is no text": lambda key: key["questions"][0].update(identity=7),
    "a clip named otherwise": lambda key: key["questions"][0]["clips"][0].update(name="../../a"),
    "no length": lambda key: key["questions"][0].update(seconds=0),
    "a length that is no number": lambda key: key["questions"][0].update(seconds="1"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_key_that_was_changed_is_refused(tmp_path, change) -> None:
    write_key(tmp_path / "key.json", toy_key(2))
    values = json.loads((tmp_path / "key.json").read_text())
    change(values)
    (tmp_path / "key.json").write_text(json.dumps(values))
    with pytest.raises(MediaError, match="is no key of a study"):
        read_key(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "null", "[" * 5000, '{"format": "sfumato-study-1"}', "\x00"])
def test_a_file_that_is_none_is_refused(tmp_path, text) -> None:
    (tmp_path / "key.json").write_text(text)
    with pytest.raises(MediaError, match="is no key of a study"):
        read_key(tmp_path)


def test_a_folder_without_one_says_which_folder_is_meant(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"study make.*not its page/"):
        read_key(tmp_path)
