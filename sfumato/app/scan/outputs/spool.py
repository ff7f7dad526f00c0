"""Records kept until a scan is done, and all that is made of them then: `--csv`, `--parquet`, `--sarif`.

In: records one by one, or those of a run folder. Out: the files that were asked for, each whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sfumato.app.scan.outputs.csv_file import write_csv
from sfumato.app.scan.outputs.parquet_file import write_parquet
from sfumato.app.scan.outputs.sarif import write_sarif
from sfumato.app.scan.outputs.table import Record
from sfumato.atomic import output_error, require_writable
from sfumato.errors import UsageError


@dataclass(frozen=True)
class Outputs:
    """Where each form is written; None: not at all. One that is there is replaced."""

    csv: Path | None = None
    parquet: Path | None = None
    sarif: Path | None = None

    @property
    def wanted(self) -> bool:
        return (self.csv, self.parquet, self.sarif) != (None, None, None)

    def require(self) -> None:
        """Before the work: raises OutputError where one could not be written, UsageError for two into one file."""
        named = [path for path in (self.csv, self.parquet, self.sarif) if path is not None]
        if len({path.absolute() for path in named}) < len(named):
            raise UsageError("Two outputs would be one file", "Give each a name of its own.")
        for path in named:
            require_writable(path)

    def write(self, records: Callable[[], Iterable[Record]], code: int) -> None:
        """records: gives them all, each time it is called; code: what the program ends with. Raises OutputError."""
        if self.csv is not None:
            write_csv(self.csv, records())
        if self.parquet is not None:
            write_parquet(self.parquet, records())
        if self.sarif is not None:
            write_sarif(self.sarif, records, code)


class Spool:
    """Records of a scan without a run folder, as lines of a file."""

    def __init__(self, path: Path) -> None:
        """path: of a new file."""
        self.path = path
        path.touch()

    def add(self, line: str) -> None:
        """line: of a record, as `json_line` makes it. Raises OutputError."""
        try:
            with self.path.open("a", encoding="ascii") as file:
                file.write(line + "\n")
        except OSError as error:
            raise output_error(self.path, error) from error
