"""A set as Hugging Face's VideoFolder: a folder a split, each with its videos and one table of them.

In: a job. Out: data/<split>/ with the sealed files as they are and metadata.jsonl, whose `file_name` is the name beside
it (huggingface.co/docs/datasets/video_dataset). That JSON is read by readers which guess types; where a text would be
taken for a date, the table is metadata.parquet instead. The README beside it: hub_card.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sfumato.app.sets.forms.columns import fields, flat, record, would_be_dates
from sfumato.app.sets.forms.job import DATA, Job, copy_checked
from sfumato.atomic import atomic_path, make_folder, write_text

JSON, PARQUET = "metadata.jsonl", "metadata.parquet"


def write_folder(job: Job) -> None:
    """Copies the videos, each against its digest, and writes the tables; whole copies are kept. Raises MediaError,
    OutputError.
    """
    with job.stage("Copying videos", len(job.media.rows)) as advance:
        for row in job.media.rows:
            target = job.out / job.names[row.clip.path]
            make_folder(target.parent)
            copy_checked(job.source(row), target, row.clip.sha256)
            advance(1)
    tables = {
        split: [
            {"file_name": Path(job.names[row.clip.path]).name, **flat(record(job, row))} for row in rows
        ]
        for split, rows in job.splits()
    }  # fmt: skip
    guessed = any(would_be_dates(values) for table in tables.values() for values in table)
    for split, table in tables.items():
        folder = job.out / DATA / split
        (folder / (JSON if guessed else PARQUET)).unlink(missing_ok=True)  # a reader takes one kind of table, not two
        if guessed:
            _write_parquet(folder / PARQUET, table)
        else:
            lines = (json.dumps(values, ensure_ascii=False) + "\n" for values in table)
            write_text(folder / JSON, "".join(lines))


def _write_parquet(path: Path, table: list[dict[str, Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            pa.field("file_name", pa.string()),
            *(
                pa.field(each.name, pa.string() if each.nullable or pa.types.is_list(each.type) else each.type)
                for each in fields()
            ),
        ]
    )
    with atomic_path(path) as temporary:
        pq.write_table(pa.Table.from_pylist(table, schema=schema), temporary)
