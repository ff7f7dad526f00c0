"""What a page shows of one record: the record with its texts made printable, and where its file and pictures are.

In: a record, the page it is shown on, the folder that its paths may be relative to. Out: an entry, plain values for the
page's script. Nothing is loaded from elsewhere: a file that is named by an address has no player.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sfumato.app.review.credential_tree import credential_tree
from sfumato.app.review.page_parts import address, data_address, shown, tone_of
from sfumato.app.review.records import Record
from sfumato.atomic import write_bytes
from sfumato.errors import MediaError
from sfumato.limits import RECORD
from sfumato.media.clips import file_digest
from sfumato.regular_file import read_regular
from sfumato.text import printable

_PNG = b"\x89PNG\r\n\x1a\n"
WITHOUT_TREE = ("none", "unreadable")


@dataclass(frozen=True)
class Surroundings:
    """page: where it will lie; base: the folder of the records; sheets: the folder that heat maps are copied into,
    None to put them into the page itself.
    """

    page: Path
    base: Path
    sheets: Path | None = None


def entry_of(record: Record, number: int, around: Surroundings) -> dict[str, Any]:
    """The entry of the record that stands at `number` in the list. Raises OutputError for a sheet that cannot be
    copied.
    """
    named = record["file"]["path"]
    path = located(named, around.base)
    return {
        "id": number,
        "name": printable(last_part(named), 300),
        "folder": printable(named, 1000),
        "address": address(path, around.page) if path is not None else None,
        "absent": None if path is not None else absence(named, around.base),
        "tone": tone_of(record["verdict"]),
        "record": shown(record),
        "sheet": _sheet_address(record, number, around),
        "tree": _tree(record, path),
    }


def last_part(named: str) -> str:
    """The name of a file without its folders."""
    return named.replace("\\", "/").rstrip("/").rpartition("/")[2] or named


def located(named: str, base: Path) -> Path | None:
    """The file that a record names: as it stands, or from the folder of the records. None where neither is there."""
    return None if "://" in named else _first(named, base, Path.is_file)


def _first(named: str, base: Path, fits: Callable[[Path], bool]) -> Path | None:
    for path in (Path(named), base / named):
        try:
            if fits(path):
                return path
        except (OSError, ValueError):  # a name that is too long, or that holds what no name can
            continue
    return None


def absence(named: str, base: Path) -> str:
    """Why there is no file to play: "elsewhere" (under an address), "frames" (a folder of them), "missing"."""
    if "://" in named:
        return "elsewhere"
    return "frames" if _first(named, base, Path.is_dir) is not None else "missing"


def sheet_of(record: Record, base: Path) -> Path | None:
    """The picture with the heat maps of a record, where there is one."""
    explain = record.get("explain")
    named = explain.get("sheet") if isinstance(explain, dict) else None
    return located(named, base) if isinstance(named, str) else None


def _sheet_address(record: Record, number: int, around: Surroundings) -> str | None:
    """Only ever a PNG: a record may name any file of this machine, and a report may go to others."""
    sheet = sheet_of(record, around.base)
    if sheet is None:
        return None
    try:
        data = read_regular(sheet, RECORD)
    except OSError:
        return None
    if not data.startswith(_PNG):
        return None
    if around.sheets is None:
        return data_address(data, "png")
    copy = around.sheets / f"{number}.png"
    write_bytes(copy, data)
    return address(copy, around.page)


def _tree(record: Record, path: Path | None) -> Any:
    """The credential, read anew: of the very file that was judged, or not at all."""
    if path is None or record["provenance"].get("outcome") in WITHOUT_TREE:
        return None
    try:
        same = file_digest(path) == record["file"].get("sha256")
    except MediaError:
        return None
    return shown(credential_tree(path)) if same else None
