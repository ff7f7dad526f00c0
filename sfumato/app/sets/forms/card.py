"""The data card of a set: a page for people, with pictures of pairs, counts, rights, and what it cannot be used for.

In: a job. Out: card.html, which runs nothing and loads nothing but pairs.png beside it: a row a method and case, the
real twin beside its fake. The picture says itself that generated faces are in it. set.json and rights.json come along.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from importlib.resources import files
from typing import Any

from sfumato.app.fakes.sheet import write_sheet
from sfumato.app.review.page_parts import content_security_policy
from sfumato.app.sets.forms.about import (
    IMPACT,
    LABELS,
    MAINTENANCE,
    PERSONAL,
    REFUSED,
    SEALED,
    USES,
    about,
    counted,
)
from sfumato.app.sets.forms.job import Job
from sfumato.app.sets.layout import CLIPS, FACTS, RIGHTS, SetRow
from sfumato.atomic import write_bytes, write_text
from sfumato.limits import RECORD
from sfumato.media.clips import ClipRow
from sfumato.regular_file import read_regular
from sfumato.text import printable
from sfumato.version import __version__

FILE, PICTURE = "card.html", "pairs.png"
_ROWS, _EXAMPLES = 12, 4  # of the picture: what a page shows without being scrolled for long
TABLES = ("split", "method", "case")


def write_card(job: Job) -> None:
    """Raises MediaError for a video of the picture that cannot be read, SealError without keys, OutputError."""
    for name in (FACTS, RIGHTS):
        write_bytes(job.out / name, read_regular(job.media.folder / name, RECORD))
    with job.stage("Drawing pairs", 1) as advance:
        write_sheet(job.out / PICTURE, job.media.folder / CLIPS, shown_pairs(job.media.rows), _EXAMPLES)
        advance(1)
    write_text(job.out / FILE, render_card(job))


def shown_pairs(rows: Any) -> list[ClipRow]:
    """Pairs by method and case, the commonest twelve of those; the method of a fake says both."""
    by_path: dict[str, SetRow] = {row.clip.path: row for row in rows}
    fakes = [row for row in rows if row.clip.label == "fake" and row.clip.pair_of in by_path]
    kinds = Counter((row.clip.method, row.details.case) for row in fakes)
    shown = {kind for kind, _ in sorted(kinds.items(), key=lambda item: (-item[1], item[0]))[:_ROWS]}
    found: dict[str, ClipRow] = {}
    for row in fakes:
        if (row.clip.method, row.details.case) in shown:
            twin = by_path[str(row.clip.pair_of)].clip
            found[twin.path] = twin
            found[row.clip.path] = replace(row.clip, method=f"{row.clip.method}, {row.details.case}")
    return list(found.values())


def render_card(job: Job) -> str:
    """The page; every foreign text in it is printable and escaped."""
    from jinja2 import Environment, StrictUndefined

    folder = files("sfumato.app.sets.forms")
    style = (folder / "card.css").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["printable"] = printable
    used = Counter(row.details.rights for row in job.media.rows)
    return environment.from_string((folder / "card.html.jinja").read_text(encoding="utf-8")).render(
        style=style, policy=content_security_policy(style, ""), version=__version__, facts=job.media.facts,
        publication=job.publication, picture=PICTURE, words=about(job.media), uses=USES, refused=REFUSED,
        labels=LABELS, personal=PERSONAL, impact=IMPACT, sealed=SEALED, maintenance=MAINTENANCE,
        tables=[(by, counted(job.media.rows, by)) for by in TABLES],
        rights=[(name, job.media.rights[name], count) for name, count in sorted(used.items())],
        clips=len(job.media.rows), fakes=sum(row.clip.label == "fake" for row in job.media.rows),
        seconds=sum(row.details.frames / row.details.rate for row in job.media.rows),
        size=sum(row.details.bytes for row in job.media.rows),
    )  # fmt: skip
