"""Whom a set may show: rules in, people out, each with a file, a split and the record of rights that covers it.

In: the sources of a recipe. Out: `Source`s: rows of footage as clips.jsonl has them, with names of their own, and the
paintings that ship. No person, source or driver is in two splits, over all of them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from sfumato.app.animation.gallery import ShippedPortrait, shipped_portraits
from sfumato.app.sets.layout import Rights
from sfumato.app.sets.making.recipe import Recipe, SourceRule
from sfumato.errors import MissingFileError, UsageError, choose_from
from sfumato.execution.find_files import is_picture
from sfumato.limits import SET_ROWS
from sfumato.media.clips import TWIN, ClipRow, check_disjoint, clip_file, read_clips

PAINTINGS = "shipped-paintings"


@dataclass(frozen=True)
class Source:
    """One file of one person. row: its path is a name within the recipe, not a place; rights: a record's name."""

    row: ClipRow
    file: Path
    rights: str
    still: bool


def read_sources(recipe: Recipe) -> list[Source]:
    """Raises UsageError for a rule that fits nothing or what another took, an unknown painting; MediaError for a list
    that cannot be read, a file that is missing, and people in two splits.
    """
    found: dict[Path, Source] = {}
    for number, rule in enumerate(recipe.sources):
        sources = _paintings(rule) if rule.clips is None else _footage(rule, rule.clips, number)
        if not sources:
            raise UsageError(f"No real clip of {rule.clips} fits match = {list(rule.match)}", "Look at its paths.")
        for source in sources:
            if source.file in found:
                raise UsageError(f"Two sources take {source.file}", "Let one of them match less.")
            found[source.file] = source
    check_disjoint(source.row for source in found.values())
    return list(found.values())


def rights_of(recipe: Recipe, sources: Sequence[Source]) -> dict[str, Rights]:
    """The records that the sources need, by name. Raises UsageError where the recipe has one by the name of ours."""
    if PAINTINGS in recipe.rights:
        raise UsageError(f"{PAINTINGS} is the name of the record that ships", "Choose another name for yours.")
    ours = Rights(
        "nobody: the painters died before 1926", "public domain", "public-domain",
        "Faithful photographs of paintings that are in the public domain; where each comes from stands in the "
        "program's SOURCES.md.", "shipped with sfumato",
    )  # fmt: skip
    known = {**recipe.rights, PAINTINGS: ours}
    return {name: known[name] for name in sorted({source.rights for source in sources})}


def _footage(rule: SourceRule, clips: Path, number: int) -> list[Source]:
    assert rule.rights is not None  # noqa: S101 (the rule was refused without)
    found = []
    for count, row in enumerate(read_clips(clips), start=1):
        SET_ROWS.hold(clips, count)
        if row.label != "real" or row.method == TWIN or not any(fnmatchcase(row.path, each) for each in rule.match):
            continue
        file = clip_file(clips, row)
        if not file.is_file():
            raise MissingFileError(f"{clips} lists {row.path}, which is not there")
        found.append(
            Source(replace(row, path=f"{number}/{row.path}", pair_of=None), file, rule.rights, is_picture(file))
        )
    return found


def _paintings(rule: SourceRule) -> list[Source]:
    shipped = shipped_portraits()
    if unknown := [name for name in rule.portraits if name not in shipped]:
        raise UsageError(f"No painting is called {unknown[0]!r}", choose_from(unknown[0], shipped))
    return [_painting(shipped[name], rule) for name in rule.portraits]


def _painting(portrait: ShippedPortrait, rule: SourceRule) -> Source:
    row = ClipRow(
        f"paintings/{portrait.name}.jpg", "real", "painting", "real", f"painting:{portrait.name}", portrait.digest,
        split=rule.split,
    )  # fmt: skip
    return Source(row, portrait.path.resolve(), PAINTINGS, still=True)
