"""The one table that all forms share: a row a clip, what clips.jsonl, details.jsonl and rights.json say of it.

In: rows of a set. Out: records with the values of COLUMNS, as Arrow or as flat JSON.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sfumato.app.sets.forms.job import Job
from sfumato.app.sets.layout import SetRow

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["text", "whole", "number", "names"]
_DATED = re.compile(r"\s*[+-]?[0-9]{4,}-[0-9]{2}")


@dataclass(frozen=True)
class Column:
    """`kind`: text, whole number, number, or a list of names; optional ones have None where there is nothing."""

    name: str
    kind: Kind
    about: str
    optional: bool = False


COLUMNS = (
    Column("label", "text", "real or fake"),
    Column("method", "text", "What made it: a method of fakes, or twin for the real counterpart of one"),
    Column("family", "text", "real, or the kind of fake: blend, reenact, synthesis and others"),
    Column("split", "text", "train, validation, calibration or test"),
    Column("case", "text", "plain, pose, light, compressed or several-faces"),
    Column("pair", "text", "Number that a fake and its real twin share"),
    Column("pair_of", "text", "Of a fake: the path of its real twin in the set", True),
    Column("identity", "text", "The person to be seen"),
    Column("source_ids", "names", "Recordings and pictures it was made from"),
    Column("driver_id", "text", "Whose motion it shows", True),
    Column("generator", "text", "The model that made it", True),
    Column("generator_digest", "text", "SHA-256 of that model's weights", True),
    Column("motion", "text", "The motion that it follows", True),
    Column("motion_sha256", "text", "SHA-256 of the file of that motion", True),
    Column("portrait_sha256", "text", "SHA-256 of the source picture or footage"),
    Column("seed", "whole", "Of everything random in its making", True),
    Column("dataset", "text", "The collection that its source comes from", True),
    Column("compression", "text", "As that collection names it", True),
    Column("width", "whole", "Pixels"),
    Column("height", "whole", "Pixels"),
    Column("frames", "whole", "How many"),
    Column("rate", "number", "Frames a second"),
    Column("codec", "text", "Of the video"),
    Column("crf", "number", "Of the encoder: 0 is best, 51 is worst"),
    Column("bytes", "whole", "Of the file"),
    Column("sha256", "text", "Of the file"),
    Column("decoded_sha256", "text", "Of its decoded frames, which a new signature leaves as they are"),
    Column("path", "text", "Of the file in the set that this was written from"),
    Column("rights", "text", "Name of the record in rights.json"),
    Column("rights_basis", "text", "consent, licence, public-domain or own"),
    Column("rights_holder", "text", "Of the source"),
    Column("rights_licence", "text", "Of the source"),
    Column("rights_terms", "text", "Address of that licence", True),
)
_FROM_DETAILS = {"portrait_sha256": "portrait", "decoded_sha256": "decoded"}


def record(job: Job, row: SetRow) -> dict[str, Any]:
    """The values of COLUMNS, None where there is nothing."""
    rights = job.media.rights[row.details.rights]
    values: dict[str, Any] = {}
    for column in COLUMNS:
        if column.name.startswith("rights_"):
            values[column.name] = getattr(rights, column.name.removeprefix("rights_"))
        elif hasattr(row.clip, column.name):
            values[column.name] = getattr(row.clip, column.name)
        else:
            values[column.name] = getattr(row.details, _FROM_DETAILS.get(column.name, column.name))
    values["source_ids"] = list(row.clip.source_ids)
    return values


def fields() -> list[pa.Field]:
    """COLUMNS as Arrow has them."""
    import pyarrow as pa

    kinds = {"text": pa.string(), "whole": pa.int64(), "number": pa.float64(), "names": pa.list_(pa.string())}
    return [pa.field(column.name, kinds[column.kind], nullable=column.optional) for column in COLUMNS]


def flat(values: dict[str, Any]) -> dict[str, Any]:
    """The same for readers that guess what a column holds: nothing is "", and what may be nothing is text; lists of
    names are JSON.
    """
    shown = dict(values)
    for column in COLUMNS:
        value = values[column.name]
        if column.kind == "names":
            shown[column.name] = json.dumps(value, ensure_ascii=False)
        elif column.optional:
            shown[column.name] = "" if value is None else str(value)
        elif column.kind == "number":
            shown[column.name] = float(value)
    return shown


def would_be_dates(values: dict[str, Any]) -> bool:
    """Whether a reader that guesses may take a text of these for a point in time."""
    return any(isinstance(value, str) and _DATED.match(value) for value in values.values())
