"""A run folder: what was asked, and what came out.

`runs/<name>/options.json` holds the whole configuration, versions and seed, so that a run can be repeated.
"""

from __future__ import annotations

import json
import platform
import time
from pathlib import Path
from typing import Any

from sfumato.atomic import make_folder, write_text
from sfumato.errors import OutputError
from sfumato.version import __version__


class RunFolder:
    """One folder for one run. An existing one is resumed only when asked for."""

    def __init__(self, path: Path, resume: bool = False) -> None:
        """Raises OutputError if the folder holds another run and `resume` is False."""
        if (path / "options.json").exists() and not resume:
            raise OutputError(f"{path} already holds a run", "Choose another folder, or add --resume to continue it.")
        make_folder(path)
        self.path = path

    def write_options(self, options: dict[str, Any]) -> None:
        """Writes options.json: `options` (anything JSON or str() can say), with the versions and the time. Raises
        OutputError.
        """
        started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        record = {"sfumato": __version__, "python": platform.python_version(), "started": started, **options}
        write_text(self.path / "options.json", json.dumps(record, indent=2, default=str) + "\n")

    def append(self, name: str, record: dict[str, Any]) -> None:
        """Adds one JSON line to `<run>/<name>`. Raises OutputError."""
        try:
            with (self.path / name).open("a", encoding="utf-8") as file:
                file.write(json.dumps(record, default=str) + "\n")
        except OSError as error:
            raise OutputError(
                f"Cannot write {self.path / name}: {error.strerror}", "Make room, or choose another folder."
            ) from error
