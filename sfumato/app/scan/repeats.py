"""Files that are there more than once: judged once, whatever their names.

In: the files of a run, and what the detector and the watermark's reader found in each. Out: what was found in an
earlier file with the same content and the same suffix, which decides how a file is read. Only sizes that several files
share are kept, and no longer than until the last file of that size: a run over a million files holds nothing of those
that stand alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from detector.inference.prediction import Timing

if TYPE_CHECKING:
    from detector.inference.prediction import Prediction
    from sfumato.app.scan.cascade import Looked, Stages
    from sfumato.app.scan.mark import MarkFacts
    from sfumato.app.scan.record import FileFacts

_NO_TIME = Timing(0.0, 0.0, 0.0, 0.0, 0.0)  # what judging a copy takes


@dataclass(frozen=True)
class Judged:
    """What was found in the file at `path`."""

    path: str
    prediction: Prediction
    mark: MarkFacts | None
    stages: Stages


class Repeats:
    """What was judged already in this run, with one detector and one set of options."""

    def __init__(self, files: Iterable[Path] = ()) -> None:
        self._waiting: Counter[int] = Counter()  # files of each size that are still to come
        for path in files:
            with suppress(OSError, ValueError):
                self._waiting[path.stat().st_size] += 1
        self._judged: dict[int, dict[tuple[str, str], Judged]] = {}  # by size, then by content

    def find(self, file: FileFacts) -> Judged | None:
        """The path of the file that was judged, and what was found in it, without the time that took."""
        if file.size is None or file.sha256 is None:
            return None
        return self._judged.get(file.size, {}).get((file.sha256, Path(file.path).suffix.lower()))

    def done(self, file: FileFacts, looked: Looked | Judged | None) -> None:
        """Keeps what was found of a file as long as another of its size is to come. None: nobody looked at it."""
        if file.size is None or file.sha256 is None:
            return
        self._waiting[file.size] -= 1
        if self._waiting[file.size] <= 0:
            self._judged.pop(file.size, None)
            return
        if looked is None:
            return
        key = (file.sha256, Path(file.path).suffix.lower())
        mark = None if looked.mark is None else replace(looked.mark, seconds=0.0)
        prediction = replace(looked.prediction, timing=_NO_TIME)
        judged = Judged(file.path, prediction, mark, looked.stages.without_time())
        self._judged.setdefault(file.size, {}).setdefault(key, judged)
