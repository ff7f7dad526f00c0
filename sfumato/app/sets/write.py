"""A set in the forms that others read, in one folder that can be given away as it is.

In: the folder of a set. Out: a folder with the forms that were asked for, the data card and SHA256SUMS of all of it. A
run that was stopped can be run again: what is whole is kept, and forms can be added to a folder of the same set.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from sfumato.app.sets.forms import FRAMES, REGISTRY, checksums
from sfumato.app.sets.forms.job import Job, Publication
from sfumato.app.sets.layout import FACTS, read_set, set_digest
from sfumato.atomic import make_folder
from sfumato.errors import MediaError, MissingFileError, OutputError
from sfumato.limits import RECORD
from sfumato.progress import Stage, progress
from sfumato.regular_file import read_regular

_HALF = re.compile(r"\..{1,40}-[0-9a-f]{12}(\..*)?")  # what `sfumato.atomic` was writing when it was killed


def write_forms(
    folder: Path,
    out: Path,
    forms: Iterable[str],
    publication: Publication | None = None,
    frames: int = FRAMES,
    stage: Stage = progress,
) -> None:
    """`folder`: a set; `forms`: names of REGISTRY, to which the card is added; `frames`: to cut of each video where a
    form holds no videos.

    Raises UsageError for an unknown form; MediaError for a set that is damaged, empty, or whose files are not those it
    lists; OutputError where `out` lies in the set, or holds another set.
    """
    writers = {name: REGISTRY.load(name) for name in sorted({*forms, "card"})}
    media = read_set(folder)
    if not media.rows:
        raise MediaError(f"{folder} has no clips", "Name a set that was made to its end.")
    if set_digest(media.rows) != media.facts.digest:
        raise MediaError(f"The rows of {folder} are not those of its digest", "Look at: sfumato datasets check.")
    job = Job(media, out, publication or Publication(), frames, stage)
    for row in media.rows:
        if not job.source(row).is_file():
            raise MissingFileError(
                f"{row.clip.path}, which {folder} lists, is not there", "Look at: sfumato datasets check."
            )
    _take(folder, out)
    for writer in writers.values():
        writer(job)
    checksums.write_sums(out, stage)


def _take(folder: Path, out: Path) -> None:
    """Makes sure that `out` is ours to fill, and takes away what a kill left half written."""
    here, there = folder.resolve(), out.resolve()
    if there.is_relative_to(here) or here.is_relative_to(there):
        raise OutputError(
            f"{out} and the set {folder} lie in one another", "Choose a folder beside the set: its files are signed."
        )
    make_folder(out)
    try:
        if (out / FACTS).exists() and read_regular(out / FACTS, RECORD) != read_regular(folder / FACTS, RECORD):
            raise OutputError(f"{out} holds another set", "Choose a new folder, or empty this one.")
    except OSError as error:
        raise OutputError(f"Cannot read {out / FACTS}: {error.strerror}", "Choose a new folder.") from error
    for path in out.rglob(".*-*"):
        if _HALF.fullmatch(path.name) and path.is_file():
            path.unlink()
