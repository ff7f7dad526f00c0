"""The table: every row has every column, in the type that it says; flat JSON leaves nothing to guess."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from sfumato.app.sets.forms.columns import COLUMNS, fields, flat, record, would_be_dates
from sfumato.app.sets.forms.job import Job


def test_a_record_has_every_column(job: Job) -> None:
    rows = [record(job, row) for row in job.media.rows]
    table = pa.Table.from_pylist(rows, schema=pa.schema(fields()))
    assert table.column_names == [column.name for column in COLUMNS] and table.num_rows == 6
    table.validate(full=True)
    for column in COLUMNS:
        assert column.optional or table[column.name].null_count == 0, column.name
    fake = rows[1]
    assert (fake["label"], fake["pair"], fake["pair_of"], fake["seed"], fake["rights_basis"]) == (
        "fake", "00000", "videos/00000-twin.mp4", 0, "consent",
    )  # fmt: skip


def test_flat_rows_are_of_one_type_each(job: Job) -> None:
    rows = [flat(record(job, row)) for row in job.media.rows]
    for column in COLUMNS:
        assert len({type(row[column.name]) for row in rows}) == 1, column.name
    assert (rows[0]["seed"], rows[1]["seed"], rows[0]["pair_of"]) == ("", "0", "")
    assert json.loads(rows[0]["source_ids"]) == ["source, of ada"]


@pytest.mark.parametrize(
    ("text", "dated"), [("2024-01-01", True), ("2024-01-01T10:00:00", True), ("00012", False), ("ada", False)]
)
def test_what_a_reader_would_take_for_a_date(text: str, dated: bool) -> None:
    assert would_be_dates({"identity": text, "width": 3}) == dated
