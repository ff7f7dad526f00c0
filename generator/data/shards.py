"""Shards: what is stored of one shot of one file, as Parquet; rows in, rows out.

A row is a frame: its crop as JPEG, 68 landmarks in it, the identity, and what the screening measured. The file's
metadata says where it came from. Landmarks and identities are read at once; pictures when they are asked for, a few
shards at a time in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from sfumato.atomic import atomic_path
from sfumato.errors import UsageError
from sfumato.limits import ROWS

_SHARDS_IN_MEMORY = 48  # of about .6 MB each (64 crops at 192 px); every decoding process has its own


@dataclass(frozen=True)
class Shard:
    """All of a shard but its pictures. `facts`: source, sha256, picture, and for newer ones person, held_out, shot."""

    facts: dict[str, Any]
    indices: NDArray[np.int32]  # (frames,) of the file
    times: NDArray[np.float64]  # (frames,) seconds
    landmarks: NDArray[np.float32]  # (frames, 68, 2) px of the crop
    identities: NDArray[np.float32]  # (frames, 128)
    measures: dict[str, NDArray[np.float32]]  # sharpness, face_pixels, and for newer shards turn: (frames,) each


def write_shard(path: Path, rows: list[dict[str, Any]], facts: dict[str, Any]) -> None:
    """One shot's rows, `facts` as the file's metadata; atomic. Raises OutputError."""
    import pyarrow
    import pyarrow.parquet

    schema = pyarrow.schema(
        [
            ("index", pyarrow.int32()),
            ("time", pyarrow.float64()),
            ("jpeg", pyarrow.binary()),
            ("landmarks", pyarrow.list_(pyarrow.float32(), 136)),
            ("identity", pyarrow.list_(pyarrow.float32(), 128)),
            ("sharpness", pyarrow.float32()),
            ("face_pixels", pyarrow.float32()),
            ("turn", pyarrow.float32()),
        ],
        metadata={"sfumato": json.dumps(facts, sort_keys=True)},
    )
    with atomic_path(path) as temporary:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema), temporary)


def load_shard(path: Path) -> Shard:
    """Everything but the pictures. Raises UsageError when the shard is damaged."""
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            ROWS.hold(path, file.metadata.num_rows, UsageError, "Delete it and run prepare again.")
            columns = [name for name in file.schema_arrow.names if name != "jpeg"]
            table = file.read(columns, use_threads=False)
        facts = json.loads(table.schema.metadata[b"sfumato"])
        if not isinstance(facts, dict):
            raise TypeError("the facts are no object")
        landmarks = np.stack(table["landmarks"].to_numpy()).reshape(-1, 68, 2).astype(np.float32)
        identities = np.stack(table["identity"].to_numpy()).astype(np.float32)
        measures = {name: table[name].to_numpy() for name in ("sharpness", "face_pixels", "turn") if name in columns}
        return Shard(facts, table["index"].to_numpy(), table["time"].to_numpy(), landmarks, identities, measures)
    except (OSError, KeyError, ValueError, TypeError, pyarrow.ArrowException) as error:
        raise _damaged(path) from error


class StoredCrops(Sequence[bytes]):
    """The JPEGs of a shard, read when one is asked for; a few shards at a time are kept. Cheap to pickle for other
    processes.
    """

    def __init__(self, path: Path, count: int) -> None:
        self.path, self.frames = path, count
        self.changed = path.stat().st_mtime_ns  # a shard that was made again is read again

    def __len__(self) -> int:
        return self.frames

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[bytes, ...]: ...
    def __getitem__(self, index: int | slice) -> bytes | tuple[bytes, ...]:
        return _crops(self.path, self.changed)[index]

    def __iter__(self) -> Iterator[bytes]:
        return iter(_crops(self.path, self.changed))


@lru_cache(maxsize=_SHARDS_IN_MEMORY)
def _crops(path: Path, changed: int) -> tuple[bytes, ...]:
    return read_crops(path)


def read_crops(path: Path) -> tuple[bytes, ...]:
    """The JPEGs of a shard. Raises UsageError when it is damaged or gone."""
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            return tuple(file.read(["jpeg"], use_threads=False)["jpeg"].to_pylist())
    except (OSError, KeyError, ValueError, pyarrow.ArrowException) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> UsageError:
    return UsageError(f"The shard {path} is damaged or gone", "Delete it and run prepare again.")
