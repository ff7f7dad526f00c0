"""Parquet: the rows of the table, with their types, in groups."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyarrow import parquet

from sfumato.app.scan.outputs import parquet_file
from sfumato.app.scan.outputs.parquet_file import write_parquet
from sfumato.app.scan.outputs.table import COLUMNS, row
from sfumato.errors import OutputError
from tests.app.scan.outputs.test_csv_file import named


def test_the_rows_come_back_with_their_types(tmp_path: Path) -> None:
    records = [named("a.mp4"), named("=1\n\u202e\ud800") | {"score": None}]
    write_parquet(tmp_path / "out.parquet", records)
    table = parquet.read_table(tmp_path / "out.parquet")
    assert table.to_pylist() == [row(record) for record in records]
    assert [str(kind) for kind in table.schema.types[:7]] == [
        "string",
        "string",
        "int64",
        "string",
        "bool",
        "string",
        "double",
    ]


def test_no_record_is_a_table_without_rows(tmp_path: Path) -> None:
    write_parquet(tmp_path / "out.parquet", [])
    table = parquet.read_table(tmp_path / "out.parquet")
    assert (table.num_rows, table.column_names) == (0, [column.name for column in COLUMNS])


def test_many_records_are_written_a_group_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_file, "_ROWS", 3)
    write_parquet(tmp_path / "out.parquet", (named(f"{number}.mp4") for number in range(7)))
    found = parquet.ParquetFile(tmp_path / "out.parquet")
    assert [found.metadata.row_group(number).num_rows for number in range(found.num_row_groups)] == [3, 3, 1]


def test_a_folder_that_is_not_there_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_parquet(tmp_path / "gone" / "out.parquet", [])
