"""A set as Parquet: a row a clip, with the sealed video in it.

In: a job. Out: parquet/<split>-00000-of-00002.parquet, the columns of `columns.COLUMNS` and `video`, a struct of bytes
and path as Hugging Face's Video feature reads it (its features stand in the metadata of the schema). A reader of the
other columns alone never touches the bytes. Only one group of rows is held at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfumato.app.sets.forms.columns import COLUMNS, fields, record
from sfumato.app.sets.forms.job import Job, read_checked
from sfumato.app.sets.layout import SetRow
from sfumato.atomic import atomic_path, make_folder
from sfumato.errors import MediaError

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = "parquet"
_SHARD = 256 * 2**20  # bytes of video in a file, about: what the viewers of such files like
_GROUP = 16 * 2**20  # bytes of video that are held at a time, about
_LARGEST = 2**30  # bytes of one video; Arrow's offsets end at 2 GB
_KINDS = {"text": "string", "whole": "int64", "number": "float64"}


def write_parquet(job: Job) -> None:
    """Writes the files anew, each atomically, and takes away those of an earlier division. Raises MediaError for a
    video that is missing, changed or larger than a gigabyte; OutputError.
    """
    folder = job.out / FOLDER
    make_folder(folder)
    written = set()
    with job.stage("Writing Parquet", len(job.media.rows)) as advance:
        for split, rows in job.splits():
            shards = list(_divided(rows, _SHARD))
            for number, shard in enumerate(shards):
                path = folder / f"{split}-{number:05d}-of-{len(shards):05d}.parquet"
                _write(job, path, shard)
                written.add(path)
                advance(len(shard))
    for path in set(folder.glob("*-of-*.parquet")) - written:
        path.unlink()


def _write(job: Job, path: Path, rows: Sequence[SetRow]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema()
    columns = [column.name for column in COLUMNS]
    with (
        atomic_path(path) as temporary,
        # no dictionary and no statistics of whole videos
        pq.ParquetWriter(temporary, schema, use_dictionary=columns, write_statistics=columns) as writer,
    ):
        for group in _divided(rows, _GROUP):
            writer.write_table(pa.Table.from_pylist([_values(job, row) for row in group], schema=schema))


def _values(job: Job, row: SetRow) -> dict[str, Any]:
    source = job.source(row)
    if row.details.bytes > _LARGEST:
        raise MediaError(f"{source} is too large for Parquet", "Write the set as huggingface instead.")
    data = bytearray()
    for chunk in read_checked(source, row.clip.sha256):
        data += chunk
        if len(data) > _LARGEST:
            raise MediaError(f"{source} is too large for Parquet", "Write the set as huggingface instead.")
    return {"video": {"bytes": bytes(data), "path": Path(job.names[row.clip.path]).name}, **record(job, row)}


def _divided(rows: Sequence[SetRow], most: int) -> Iterator[list[SetRow]]:
    """The rows in order, as many at a time as have about `most` bytes of video, and a thousand at most."""
    part: list[SetRow] = []
    size = 0
    for row in rows:
        if part and (size + row.details.bytes > most or len(part) >= (1000 if most == _GROUP else len(rows))):
            yield part
            part, size = [], 0
        part.append(row)
        size += row.details.bytes
    if part:
        yield part


def _schema() -> pa.Schema:
    import pyarrow as pa

    video = pa.field("video", pa.struct({"bytes": pa.binary(), "path": pa.string()}))
    features: dict[str, Any] = {"video": {"_type": "Video"}}
    for column in COLUMNS:
        value = {"dtype": _KINDS.get(column.kind, "string"), "_type": "Value"}
        features[column.name] = {"feature": value, "_type": "Sequence"} if column.kind == "names" else value
    told = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.schema([video, *fields()], metadata=told)
