"""One journal: what was added is there after a kill, and nothing but a journal is ever opened or changed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfumato.errors import OutputError
from sfumato.execution.journal import APPLICATION, VERSION, Journal, options_digest


def test_a_record_is_found_again_under_the_same_content_model_and_options(tmp_path: Path) -> None:
    path = tmp_path / "new" / "j.sqlite3"
    with Journal(path, "m", {"frames": 8, "fpr": 0.01}) as journal:
        assert journal.find("c") is None
        journal.add("c", {"score": 0.5})
    with Journal(path, "m", {"fpr": 0.01, "frames": 8}) as journal:
        assert journal.find("c") == {"score": 0.5}
        assert list(journal.entries()) == [("c", {"score": 0.5})]


@pytest.mark.parametrize(("model", "options", "content"), [("n", 1, "c"), ("m", 2, "c"), ("m", 1, "d")])
def test_another_model_option_or_content_is_another_entry(
    tmp_path: Path, model: str, options: int, content: str
) -> None:
    with Journal(tmp_path / "j", "m", 1) as journal:
        journal.add("c", {"a": 1})
    with Journal(tmp_path / "j", model, options) as journal:
        assert journal.find(content) is None


def test_the_last_record_of_a_content_counts(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", "m") as journal:
        journal.add("c", {"a": 1})
        journal.add("c", {"a": 2})
        assert journal.find("c") == {"a": 2}


def test_without_a_path_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Journal(None, "m") as journal:
        journal.add("c", {"a": 1})
        assert journal.find("c") == {"a": 1}
    assert not list(tmp_path.iterdir())


def test_what_was_added_outlives_a_kill(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from sfumato.execution.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]), 'm')\n"
        "for i in range(50): journal.add(str(i), {'i': i})\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "j")], check=False, cwd=Path.cwd())
    assert done.returncode == -signal.SIGKILL
    with Journal(tmp_path / "j", "m") as journal:
        assert len(list(journal.entries())) == 50


@pytest.mark.parametrize("text", [b'{"key": 1}\n', b"SQLite format 3\0" + bytes(84), b"x"])
def test_a_file_that_is_no_journal_is_refused_and_left_as_it_is(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "j").write_bytes(text)
    with pytest.raises(OutputError, match="not a journal of this version"):
        Journal(tmp_path / "j", "m")
    assert (tmp_path / "j").read_bytes() == text


@pytest.mark.parametrize(("application", "version"), [(0, 0), (APPLICATION, VERSION + 1), (1, VERSION)])
def test_a_database_of_another_program_or_version_is_refused(tmp_path: Path, application: int, version: int) -> None:
    with sqlite3.connect(tmp_path / "j") as other:
        other.execute("CREATE TABLE theirs (x)")
        other.execute(f"PRAGMA application_id = {application}")
        other.execute(f"PRAGMA user_version = {version}")
    other.close()
    before = (tmp_path / "j").read_bytes()
    with pytest.raises(OutputError, match="not a journal of this version"):
        Journal(tmp_path / "j", "m")
    assert (tmp_path / "j").read_bytes() == before


def test_a_journal_with_something_built_into_it_is_refused(tmp_path: Path) -> None:
    Journal(tmp_path / "j", "m").close()
    with sqlite3.connect(tmp_path / "j") as other:
        other.execute("CREATE TRIGGER t AFTER INSERT ON entries BEGIN DELETE FROM entries; END")
    other.close()
    with pytest.raises(OutputError, match="not a journal of this version"):
        Journal(tmp_path / "j", "m")


def test_a_cut_off_journal_is_refused_with_advice(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", "m") as journal:
        for i in range(2000):
            journal.add(str(i), {"i": "x" * 100})
    os.truncate(tmp_path / "j", 30_000)
    with pytest.raises(OutputError, match="Name a new file"), Journal(tmp_path / "j", "m") as journal:
        list(journal.entries())


def test_an_entry_that_is_no_record_counts_as_none(tmp_path: Path) -> None:
    Journal(tmp_path / "j", "m").close()
    with sqlite3.connect(tmp_path / "j") as other:
        for content, record in (("a", "not json"), ("b", "[1]")):
            other.execute("INSERT INTO entries VALUES (?, 'm', ?, ?)", (content, options_digest(None), record))
    other.close()
    with Journal(tmp_path / "j", "m") as journal:
        assert journal.find("a") is None
        assert list(journal.entries()) == []


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be used"):
        Journal(tmp_path, "m")


JSON: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_any_json_comes_back_as_it_was(record: dict[str, object]) -> None:
    with Journal(None, "m") as journal:
        journal.add("c", record)
        assert journal.find("c") == record
