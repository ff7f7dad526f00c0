"""CSV: reads back as it was, and no cell is one that a spreadsheet runs."""

from __future__ import annotations

import csv
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfumato.app.scan.outputs.csv_file import guarded, write_csv
from sfumato.app.scan.outputs.table import COLUMNS, row
from sfumato.errors import OutputError
from sfumato.text import printable
from tests.scan_fixtures import scan_record

ANY_TEXT = st.text() | st.text("=+-@'\"\t\r\n,;|%\x00\x1b\u202e\ud800 \uff1dABC1(", max_size=12)


def named(name: str) -> dict:
    record = scan_record().as_json()
    return record | {"file": record["file"] | {"path": name}}


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@given(st.lists(ANY_TEXT, max_size=4))
def test_every_name_comes_back_from_its_cell(names: list[str]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "out.csv"
        write_csv(path, map(named, names))
        found = [each["path"] for each in read(path)]
    assert [_unguarded(cell) for cell in found] == [printable(row(named(name))["path"]) for name in names]


def _unguarded(cell: str) -> str:
    return cell.removeprefix("'")


@given(ANY_TEXT)
def test_no_cell_is_run_and_one_apostrophe_is_all_that_is_added(text: str) -> None:
    cell = guarded(text)
    assert not cell.lstrip().startswith(
        ("=", "+", "-", "@", "\t", "\r", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
    )
    assert _unguarded(cell) == printable(text)
    assert cell.isprintable() or not printable(text).isprintable()


@pytest.mark.parametrize(
    "name", ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", " =1", "'quoted", "\uff1d1", "\t=1"]
)
def test_a_name_that_is_a_formula_is_quoted(tmp_path: Path, name: str) -> None:
    write_csv(tmp_path / "out.csv", [named(name)])
    line = (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()[1]
    first = next(csv.reader([line]))[0]
    assert first == printable(name) or first == f"'{printable(name)}"
    assert not first.lstrip().startswith(("=", "+", "-", "@", "\uff1d"))


def test_numbers_stay_numbers_and_nothing_stays_empty(tmp_path: Path) -> None:
    record = named("a.mp4") | {"score": None}
    write_csv(tmp_path / "out.csv", [named("a.mp4"), record])
    assert list(read(tmp_path / "out.csv")[0]) == [column.name for column in COLUMNS]
    first, second = read(tmp_path / "out.csv")
    assert (first["score"], first["size"], first["review"], first["watermark"]) == ("0.8", "1000", "yes", "")
    assert second["score"] == ""
    text = (tmp_path / "out.csv").read_bytes().decode()
    assert '"a.mp4",' in text
    assert text.endswith("\r\n")


def test_a_file_that_cannot_be_written_leaves_the_former_one(tmp_path: Path) -> None:
    write_csv(tmp_path / "out.csv", [named("a.mp4")])
    before = (tmp_path / "out.csv").read_bytes()

    def broken() -> object:
        yield named("b.mp4")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_csv(tmp_path / "out.csv", broken())
    assert (tmp_path / "out.csv").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
    with pytest.raises(OutputError):
        write_csv(tmp_path / "gone" / "out.csv", [])
