"""Parquet: records in, one row a file out, with types, for data frames and databases. Texts are as found. pyarrow,
which the data sets need anyway, writes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from sfumato.app.scan.outputs.table import COLUMNS, Record, row
from sfumato.atomic import atomic_path

_ROWS = 10_000  # held at once, and in one group of rows


def write_parquet(path: Path, records: Iterable[Record]) -> None:
    """Raises OutputError."""
    import pyarrow as arrow
    from pyarrow import parquet

    types = {"text": arrow.string(), "number": arrow.float64(), "count": arrow.int64(), "yes": arrow.bool_()}
    schema = arrow.schema([(column.name, types[column.kind]) for column in COLUMNS])
    rows = map(row, records)
    with atomic_path(path) as temporary, parquet.ParquetWriter(temporary, schema, compression="zstd") as writer:
        while group := _next(rows):
            writer.write_table(arrow.Table.from_pylist(group, schema=schema))


def _next(rows: Any) -> list[dict[str, Any]]:
    return list(islice(rows, _ROWS))
