"""A comparison as one page: tables, curves and differences, in a file that loads nothing and runs nothing.

In: a `Comparison`. Out: one HTML text. Its style is inside and named by digest in its Content-Security-Policy, which
allows nothing else. Foreign names are made printable and escaped.
"""

from __future__ import annotations

import base64
import hashlib
import math
import time
from collections.abc import Mapping, Sequence
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

from detector.comparison import curves
from detector.comparison.curves import BOTTOM, LEFT, MARGIN, SIDE
from detector.comparison.paired import ComparisonRow, Figures
from detector.comparison.run import Comparison
from detector.comparison.text import slice_name
from detector.evaluation import intervals
from detector.evaluation.shortcuts import WARN_ABOVE
from sfumato.atomic import write_text
from sfumato.text import printable
from sfumato.version import __version__

_TITLES = {"auc": "AUC", "eer": "EER", "tpr@0.1": "TPR at 10 %", "tpr@0.01": "TPR at 1 %"}
_UNITS = {"source": "groups of people or sources", "identity": "people", "video": "videos"}
_TEMPLATE = "comparison.html.jinja"
_BAR = 120  # units across the drawing of a difference


def write_page(path: Path, comparison: Comparison, name: str) -> None:
    """Writes the page to `path`, whole or not at all. name: what the set is called. Raises OutputError."""
    write_text(path, page(comparison, name))


def page(comparison: Comparison, name: str) -> str:
    """The page's text."""
    import jinja2

    template, style = (
        (files("detector.comparison") / each).read_text("utf-8") for each in (_TEMPLATE, "comparison.css")
    )
    environment = jinja2.Environment(
        loader=jinja2.DictLoader({_TEMPLATE: template}), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["printable"] = printable
    reach = _reach(comparison.rows)
    known = {metric for row in comparison.rows for each in row.detectors for metric in each.metrics}
    whole, *parts = [_shown(row, reach) for row in comparison.rows]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.get_template(_TEMPLATE).render(
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        style=style, version=__version__, date=time.strftime("%Y-%m-%d", time.gmtime()), name=name,
        whole=whole, parts=parts,
        kinds=[(kind, list(group)) for kind, group in groupby(parts, lambda row: row["kind"])],
        tallies=comparison.tallies, titles={metric: title for metric, title in _TITLES.items() if metric in known},
        all_titles=_TITLES,
        several=len(comparison.tallies) > 1, unit=_UNITS[comparison.rows[0].unit], of=comparison.of,
        judged=comparison.judged, leaks=comparison.leaks, metadata=comparison.metadata, warn_above=WARN_ABOVE,
        draws=intervals.DRAWS, reach=f"{reach:g}", pictures=_pictures(comparison),
        side=round(SIDE), left=LEFT, right=SIDE - MARGIN, top=MARGIN, floor=SIDE - BOTTOM,
    )  # fmt: skip


def _shown(row: ComparisonRow, reach: float) -> dict[str, Any]:
    kind = next(iter(row.slice), "")
    return {
        "kind": kind,
        "name": "all" if not kind else slice_name(row).removeprefix(f"{kind} "),
        "videos": dict(row.videos),
        "clusters": row.clusters,
        "detectors": row.detectors,
        "refused": dict(row.refused),
        "bars": [(each, _bar(each, reach)) for each in row.differences],
    }


def _bar(difference: Figures, reach: float) -> Mapping[str, Any]:
    """Where the difference in AUC and its interval lie on a drawing from -reach to reach, and in words."""
    value, bounds = difference.metrics["auc"], difference.intervals.get("auc")
    word = "too few" if bounds is None else "unclear"
    if difference.clear("auc"):
        word = "better" if value > 0 else "worse"
    said = f"{value:+.3f}" + (f", {bounds[0]:+.3f} to {bounds[1]:+.3f}" if bounds else "")
    low, high = (_across(each, reach) for each in bounds) if bounds else (None, None)
    return {"at": _across(value, reach), "low": low, "high": high, "word": word, "said": said}


def _across(value: float, reach: float) -> float:
    inside = max(-1.0, min(1.0, value / reach))
    return round(_BAR / 2 + inside * (_BAR / 2 - 5), 1)


def _reach(rows: Sequence[ComparisonRow]) -> float:
    """The smallest multiple of .05 that holds the differences in AUC and their intervals."""
    values = [0.0]
    for difference in (each for row in rows for each in row.differences):
        values += [difference.metrics["auc"], *difference.intervals.get("auc", ())]
    most = max(map(abs, values))
    return max(1, math.ceil(most * 20 - 1e-9)) / 20


def _pictures(comparison: Comparison) -> list[dict[str, Any]]:
    if not comparison.curves:
        return []
    drawn = list(comparison.curves.values())
    videos = comparison.rows[0].videos
    said = {
        "ROC": "The higher, the better; dotted: chance.",
        "DET": "The lower, the better; both scales stretch small rates; dotted: both rates alike, as at the EER.",
    }
    pictures = (curves.roc(drawn), curves.det(drawn, videos["real"], videos["fake"]))
    return [vars(picture) | {"said": said[picture.title]} for picture in pictures]
