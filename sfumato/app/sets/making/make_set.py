"""A whole set: a recipe in, its folder out, whoever stops it on the way.

What is done is kept in a journal in `.making`, a folder of the set that goes when the set is whole. A call that is made
again goes on from there; how often that was, and how many workers took part, leaves no trace in the digest.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from sfumato.app.sets.layout import (
    FACTS,
    MANIFEST,
    RECIPE,
    VIDEOS,
    SetFacts,
    SetRow,
    counts_of,
    read_set,
    set_digest,
    write_set,
)
from sfumato.app.sets.making.make_pairs import Made, Order, begin_pairs, rows_of
from sfumato.app.sets.making.models import begin_elsewhere, models_of
from sfumato.app.sets.making.plan import Slot, plan_set
from sfumato.app.sets.making.recipe import GivenRecipe, Recipe
from sfumato.app.sets.making.seal_set import seal_set
from sfumato.app.sets.making.sources import Source, read_sources, rights_of
from sfumato.atomic import make_folder, require_writable
from sfumato.errors import MediaError, OutputError, UsageError
from sfumato.execution.executor import Begin, Executor, run
from sfumato.execution.journal import Journal, options_digest
from sfumato.media.clips import check_disjoint, file_digest
from sfumato.media.clips import values_of as row_values
from sfumato.version import __version__

WORK, JOURNAL = ".making", "made.sqlite3"
_VERSION = 1  # raised when the same recipe gives other frames
_OURS = re.compile(r"[0-9]{5,9}-(fake|twin)\.mp4")
Advance = Callable[[int, int], Any]  # pairs that are done, of how many


@dataclass
class Timings:
    """Where the time of one call went. workers: None for as many as a cluster has CPUs; pairs: made by it; parts:
    seconds of render, encode and seal, over all workers.
    """

    workers: int | None
    pairs: int = 0
    seconds: float = 0.0
    parts: Counter[str] = field(default_factory=Counter)

    def values(self) -> dict[str, Any]:
        """For JSON: clips an hour of wall clock, and the shares of what the workers' time went into."""
        total = sum(self.parts.values())
        return {
            "schema": 1, "workers": self.workers, "clips": 2 * self.pairs, "seconds": round(self.seconds, 3),
            "clips_an_hour": round(7200 * self.pairs / self.seconds, 1) if self.seconds else 0.0,
            "shares": {part: round(self.parts[part] / (total or 1), 4) for part in ("render", "encode", "seal")},
        }  # fmt: skip


@dataclass(frozen=True)
class MadeSet:
    """facts: of the set; refused: (who, why) for those who were passed over; missing: pairs that nobody could be found
    for; timings: None where the set was there already.
    """

    facts: SetFacts
    refused: Sequence[tuple[str, str]] = ()
    missing: int = 0
    timings: Timings | None = None


def make_set(
    given: GivenRecipe, folder: Path, workers: int = 1, advance: Advance = lambda done, total: None,
    cluster: Executor | None = None,
) -> MadeSet:  # fmt: skip
    """Makes the set of a recipe in `folder`, or goes on with it; one that is whole already is left alone. cluster: an
    executor of other machines, which have recipe's files and `folder` at the same paths; workers: 0 for all its CPUs.

    Raises UsageError and ConfigError, before anything is made, for what the recipe asks for and is not there;
    MediaError for lists that cannot be read or people in two splits; OutputError for a folder that holds another set,
    SealError.
    """
    if (folder / MANIFEST).exists():
        return _whole(given, folder)
    recipe = given.recipe
    sources = read_sources(recipe)
    rights, models, slots = rights_of(recipe, sources), models_of(recipe), plan_set(recipe, sources)
    if not (folder / WORK).is_dir() and (folder / VIDEOS).is_dir() and any((folder / VIDEOS).iterdir()):
        raise OutputError(f"{folder / VIDEOS} holds files of no call that was stopped", "Choose a new folder.")
    for place in (folder, folder / VIDEOS, folder / WORK):
        make_folder(place)
    require_writable(folder / FACTS)
    order = Order(recipe, tuple(sources), folder, folder / WORK / "tracks")
    timings, total = Timings(workers or None), sum(len(slot.rungs) for slot in slots)
    begin = partial(begin_pairs, order) if cluster is None else partial(begin_elsewhere, order, models)
    made: dict[int, list[SetRow]] = {}
    refused: list[tuple[str, str]] = []
    with Journal(folder / WORK / JOURNAL, options_digest(models), _request(recipe, sources)) as journal:
        waiting = []
        for slot in slots:
            record = journal.find(str(slot.number))
            rows = _kept(folder, record, slot)
            if rows is None:
                waiting.append(slot)
            else:
                made[slot.number] = rows
                refused += [(str(who), str(why)) for who, why in (record or {}).get("refused", ())]
        advance(sum(len(slot.rungs) for slot in slots if slot.number in made), total)
        started = time.perf_counter()
        for slot, found in _work(waiting, begin, workers, cluster):
            journal.add(str(slot.number), found.record())
            made[slot.number] = found.rows
            refused += found.refused
            timings.pairs += len(found.rows) // 2
            timings.parts.update(found.seconds)
            advance(len(slot.rungs), total)
        timings.seconds = time.perf_counter() - started
    rows = [row for slot in slots for row in made[slot.number]]
    if not rows:
        who, why = refused[0]
        raise UsageError(f"No pair could be made; the first who was tried, {who}: {why}", "Look at the sources.")
    facts = _finish(given, folder, rights, models, rows)
    return MadeSet(facts, refused, total - len(rows) // 2, timings)


def _request(recipe: Recipe, sources: Sequence[Source]) -> list[Any]:
    """All that changes the frames, apart from the models; not where the files lie."""
    asked = dataclasses.asdict(recipe)
    for rule in asked["sources"]:
        del rule["clips"]
    rows = [[row_values(source.row), source.rights, source.still] for source in sources]
    return [_VERSION, json.loads(json.dumps(asked, default=str, sort_keys=True)), rows]


def _work(
    slots: Sequence[Slot], begin: Begin[Slot, Made], workers: int, cluster: Executor | None
) -> Iterable[tuple[Slot, Made]]:
    """Raises UsageError for a slot that a worker could not do for a reason that is no person's."""
    if not slots:
        return
    with closing(run(slots, begin, min(workers, len(slots)), executor=cluster)) as results:
        for done in results:
            if done.value is None:
                who = done.task.choices[0].whom
                raise UsageError(
                    f"Pair {done.task.number:05d} ({who}) could not be made: {done.failure}, {done.message}",
                    "What was made is kept: the same call goes on. Leave that file out if it happens again.",
                )
            yield done.task, done.value


def _kept(folder: Path, record: Mapping[str, Any] | None, slot: Slot) -> list[SetRow] | None:
    """The rows of a slot that was done; None where there is no such entry, or its files are not as they were."""
    with suppress(KeyError, TypeError, ValueError, MediaError):
        rows = rows_of(record or {})
        whole = len(rows) in (0, 2 * len(slot.rungs))
        if whole and all(file_digest(folder / row.clip.path) == row.clip.sha256 for row in rows):
            return rows
    return None


def _finish(
    given: GivenRecipe, folder: Path, rights: Mapping[str, Any], models: Mapping[str, str], rows: Sequence[SetRow]
) -> SetFacts:
    recipe = given.recipe
    check_disjoint(row.clip for row in rows)
    facts = SetFacts(
        recipe.name, recipe.description, recipe.version, recipe.licence, given.digest, f"sfumato {__version__}",
        models, counts_of(rows), set_digest(rows),
    )  # fmt: skip
    listed = {row.clip.path for row in rows}
    for path in (folder / VIDEOS).iterdir():  # of an earlier request, or of a slot that nobody was found for
        if _OURS.fullmatch(path.name) and f"{VIDEOS}/{path.name}" not in listed:
            path.unlink()
    write_set(folder, given.data, facts, rights, rows)
    seal_set(folder, facts, [row.clip for row in rows])
    shutil.rmtree(folder / WORK, ignore_errors=True)
    return facts


def _whole(given: GivenRecipe, folder: Path) -> MadeSet:
    """Raises OutputError where the set that is there is another recipe's."""
    facts = read_set(folder).facts
    if facts.recipe_sha256 != given.digest or (folder / RECIPE).read_bytes() != given.data:
        raise OutputError(f"{folder} holds the set of another recipe", "Choose a new folder.")
    shutil.rmtree(folder / WORK, ignore_errors=True)  # of a call that was stopped at its very end
    return MadeSet(facts)
