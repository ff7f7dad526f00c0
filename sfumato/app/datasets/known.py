"""What is known of files before anybody looks at them: tables of labelled files, such as collections of fakes by
others, and a list that is to be added to.

In: a folder, the tables and the list that lie in it. Out: `Known`, with all paths from that folder. What a table does
not name in its own folder is nothing at all: a fake that it forgot must not be taken for footage.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from detector.datasets.sample import Sample
from detector.datasets.table import Table
from sfumato.errors import UsageError
from sfumato.media.clips import TWIN, ClipRow, check_disjoint, read_clips

_LOOKS = 4  # clips of a person in the list that faces are compared with


@dataclass(frozen=True)
class Known:
    """kept: rows of the list; labelled: what tables say, by path; folders: those of the tables, "." for the folder
    itself.
    """

    kept: Sequence[ClipRow] = ()
    labelled: Mapping[str, Sample] = field(default_factory=dict)
    folders: Sequence[str] = ()

    def passes_over(self, path: str) -> bool:
        """Whether a file lies where a table says what counts, and is not in it."""
        return path not in self.labelled and any(
            folder == "." or path.startswith(f"{folder}/") for folder in self.folders
        )

    def shown(self) -> list[ClipRow]:
        """Rows of the list that its people are known by: real footage, a few clips of each."""
        clips: Counter[str] = Counter()
        chosen = []
        for row in self.kept:
            if row.label == "real" and row.method != TWIN and clips[row.identity] < _LOOKS:
                clips[row.identity] += 1
                chosen.append(row)
        return chosen


def read_known(folder: Path, tables: Sequence[Path] = (), beside: Path | None = None) -> Known:
    """Raises MediaError for a table or a list that cannot be read, UsageError for what lies outside `folder`, a file
    that is named twice, and a counterpart that is not there.
    """
    labelled: dict[str, Sample] = {}
    for table in tables:
        for sample in Table().listed(table):
            name = inside(folder, sample.path)
            pair = None if sample.pair_of is None else folder / inside(folder, sample.pair_of)
            if name in labelled:
                raise UsageError(f"{name} is named twice", "Take one of the rows out of its table.")
            if pair is not None and not pair.exists():
                raise UsageError(f"{table}: the counterpart of {name}, {pair}, is not there", "Correct its pair_of.")
            labelled[name] = replace(sample, path=folder / name, pair_of=pair)
    kept: list[ClipRow] = []
    if beside is not None:
        above = inside(folder, beside.parent)
        kept = [_moved(row, "" if above == "." else f"{above}/") for row in read_clips(beside)]
        check_disjoint(kept)
        labelled = {name: sample for name, sample in labelled.items() if name not in {row.path for row in kept}}
    return Known(kept, labelled, [inside(folder, table.parent) for table in tables])


def inside(folder: Path, path: Path) -> str:
    """The path from `folder`, with /, however both are written. Raises UsageError if it leads out."""
    written = os.path.relpath(path, folder)  # as written: links are looked at when the file is
    if written.startswith(".."):
        raise UsageError(f"{path} lies outside {folder}", "Name the folder that holds all of it.")
    return Path(written).as_posix()


def _moved(row: ClipRow, prefix: str) -> ClipRow:
    return replace(row, path=prefix + row.path, pair_of=None if row.pair_of is None else prefix + row.pair_of)
