"""A scan record as one flat row: what a spreadsheet or a data frame shows of a file. In: a record, of any version that
this program reads. Out: values by the names of COLUMNS. Texts are as found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Record = Mapping[str, Any]
Kind = Literal["text", "number", "count", "yes"]
_HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Column:
    """kind: "text" (str), "number" (float), "count" (int), "yes" (bool); any may be None."""

    name: str
    kind: Kind
    of: Callable[[Record], Any]


def _at(*path: str) -> Callable[[Record], Any]:
    """What lies there in a record; None where it, or what should hold it, is not there."""

    def find(record: Record) -> Any:
        value: Any = record
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    return find


def _joined(values: Callable[[Record], Any], key: str = "") -> Callable[[Record], str]:
    """A list as one text, its items apart by a blank."""

    def join(record: Record) -> str:
        found = values(record)
        items = found if isinstance(found, list) else []
        return " ".join(str(item.get(key) if key and isinstance(item, Mapping) else item) for item in items)

    return join


COLUMNS = (
    Column("path", "text", _at("file", "path")),
    Column("sha256", "text", _at("file", "sha256")),
    Column("size", "count", _at("file", "size")),
    Column("verdict", "text", _at("verdict")),
    Column("review", "yes", _at("review")),
    Column("status", "text", _at("status")),
    Column("score", "number", _at("score")),
    Column("threshold", "number", _at("threshold", "score")),
    Column("fpr", "number", _at("threshold", "fpr")),
    Column("reasons", "text", _joined(_at("reasons"), "code")),
    Column("kind", "text", _at("media", "kind")),
    Column("codec", "text", _at("media", "codec")),
    Column("width", "count", _at("media", "width")),
    Column("height", "count", _at("media", "height")),
    Column("seconds", "number", _at("media", "duration")),
    Column("frames_sampled", "count", _at("frames", "sampled")),
    Column("frames_with_face", "count", _at("frames", "with_face")),
    Column("credential", "text", _at("provenance", "outcome")),
    Column("signer", "text", _at("provenance", "signer")),
    Column("declares", "text", _joined(_at("provenance", "declares"))),
    Column("watermark", "text", _at("watermark", "finding")),
    Column("manifest", "text", _at("watermark", "manifest", "id")),
    Column("model_sha256", "text", _at("model", "sha256")),
    Column("calibration", "text", _at("scan", "calibration")),
    Column("program", "text", _at("scan", "program")),
    Column("scanned", "text", _at("scan", "time")),
)
_TYPES: dict[Kind, type | tuple[type, ...]] = {"text": str, "number": (int, float), "count": int, "yes": bool}


def row(record: Record) -> dict[str, Any]:
    """By the columns' names. A value of another kind than the column's is None: records may come from elsewhere."""
    return {column.name: _value(column, column.of(record)) for column in COLUMNS}


def _value(column: Column, value: Any) -> Any:
    known = isinstance(value, _TYPES[column.kind]) and (column.kind == "yes" or not isinstance(value, bool))
    if not known or (column.kind == "count" and not -(2**63) <= value < 2**63):
        return None
    if column.kind == "text":
        return _HALF.sub("\ufffd", value)
    return float(value) if column.kind == "number" else value
