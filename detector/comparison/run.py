"""A comparison: what several detectors said of one set in, every row, picture and record of it out.

In: `Judged` detectors, the first of which the others are held against. Out: `Comparison`: paired rows of the whole and
of every slice, curves, what became of every video under every detector, leaks and what the files alone give away. JSON
lines here, text in `detector.comparison.text`, a page in `detector.comparison.page`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from detector.comparison.curves import Rates, curve_of
from detector.comparison.judged import Judged, Tally, panel
from detector.comparison.paired import ComparisonRow, rows
from detector.evaluation.leakage import Leak
from detector.evaluation.run import EvaluationConfig
from detector.evaluation.shortcuts import metadata_auc
from sfumato.errors import UsageError
from sfumato.version import __version__


@dataclass(frozen=True)
class Comparison:
    """rows: the whole first; tallies: one a detector, in the order given; curves: {name: its operating points}, {}
    where the whole has one class only; of: videos of the set, judged: by all detectors; metadata: what a tree makes of
    the files alone, or {"refused": why}.
    """

    rows: Sequence[ComparisonRow]
    tallies: Sequence[Tally]
    curves: dict[str, Rates]
    of: int
    judged: int
    leaks: Sequence[Leak] = ()
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def leaks_badly(self) -> bool:
        return any(leak.severe for leak in self.leaks)

    def lines(self) -> Iterator[str]:
        """JSON lines: a protocol and a tally for each detector, a comparison for each slice, leaks, shortcuts."""
        about = {"version": __version__, "date": time.strftime("%Y-%m-%d", time.gmtime())}
        for name, means in {tally.protocol: tally.means for tally in self.tallies}.items():
            yield json.dumps({"record": "protocol", "protocol": name, "means": dict(means), **about})
        for tally in self.tallies:
            yield json.dumps({"record": "judged", **tally.as_json(), "of": self.of, "common": self.judged, **about})
        for row in self.rows:
            yield json.dumps({"record": "comparison", **row.as_json(), **about})
        yield json.dumps({"record": "leaks", "found": [leak.as_json() for leak in self.leaks], **about})
        yield json.dumps({"record": "shortcuts", "found": {"metadata": self.metadata}, **about})


def compare(judged: Sequence[Judged], config: EvaluationConfig, leaks: Sequence[Leak] = ()) -> Comparison:
    """Raises UsageError where `panel` does."""
    taken = panel(judged, config)
    found = list(rows(taken, config.seed))
    curves = {}
    if found[0].detectors:
        curves = {name: curve_of(taken.labels, scores) for name, scores in taken.scores.items()}
    try:
        metadata = metadata_auc(taken.scored, taken.clusters)
    except UsageError as error:
        metadata = {"refused": error.message}
    return Comparison(found, taken.tallies, curves, taken.of, len(taken.scored), list(leaks), metadata)
