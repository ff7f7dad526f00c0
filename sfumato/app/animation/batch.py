"""Many portraits times many motions. In: pictures, person files, folders of them, and motions. Out: a folder with a
sealed mp4 of each pair and a contact sheet.

What is finished is kept: a video that is there, verifies, and says that it was made of these very inputs with these
settings is not made again, so a batch that was stopped goes on. A portrait or a motion that cannot be used is listed,
and the rest is made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfumato.atomic import make_folder
from sfumato.errors import OutputError, SfumatoError, UsageError
from sfumato.execution.find_files import PICTURES, VIDEOS, Finder
from sfumato.text import printable

if TYPE_CHECKING:
    from sfumato.app.animation.config import AnimateConfig
    from sfumato.app.animation.driver import Driver
    from sfumato.app.animation.living_portrait import LivingPortrait
    from sfumato.app.animation.studio import Studio
    from sfumato.progress import Advance

CONTACT_SHEET = "contact-sheet.png"
_SHEET_ROWS = 40  # of the contact sheet; more cannot be taken in at a glance
_PORTRAITS = PICTURES | {".person"}
_MOTIONS = VIDEOS | {".motion"}


@dataclass(frozen=True)
class PairResult:
    """One pair. `state`: made, kept (it was there already), or failed; then `reason` says why. `remarks`: what should
    be told of the motion's video.
    """

    portrait: Path
    motion: str
    path: Path
    state: str
    reason: str = ""
    remarks: tuple[str, ...] = ()


def find_portraits(names: Sequence[str], passed_over: Counter[str] | None = None) -> list[Path]:
    """Pictures and person files: as named, shipped ones, and those that lie in a folder; `passed_over` counts what else
    lies there, by reason. Raises UsageError when one is not there.
    """
    from sfumato.app.animation.gallery import portrait_path

    return [path for name in names for path in _inside(Path(name), _PORTRAITS, passed_over) or [portrait_path(name)]]


def find_motions(names: Sequence[str], passed_over: Counter[str] | None = None) -> list[Driver]:
    """Motions likewise. Raises UsageError for a camera: it would have to move anew for every portrait."""
    from sfumato.app.animation.driver import Driver, find_driver

    found = []
    for name in names:
        inside = _inside(Path(name), _MOTIONS, passed_over)
        found += [Driver(path) for path in inside] if inside else [find_driver(name)]
    if any(driver.path is None for driver in found):
        raise UsageError("A camera cannot drive a batch", "Record it first: sfumato motion camera:0 -o x.motion.")
    return found


def animate_all(
    studio: Studio, portraits: Sequence[Path], motions: Sequence[Driver], folder: Path, config: AnimateConfig,
    consent: str | None = None,
    *, overwrite: bool = False, advance: Advance = lambda amount: None,
) -> Iterator[PairResult]:  # fmt: skip
    """Yields the outcome of every pair as it is known; `advance` gets 1 for each pair, in parts as its frames are
    painted.

    Raises UsageError when two pairs would have one name, OutputError for a folder that cannot be made.
    """
    names = [f"{portrait.stem}-{motion.name}.mp4" for portrait in portraits for motion in motions]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"Two videos of this batch would both be called {twice[0]}", "Rename a portrait or a motion.")
    make_folder(folder)
    for number, name in enumerate(names):
        portrait, motion = portraits[number // len(motions)], motions[number % len(motions)]
        share = _ShareOfOne(advance)
        output = folder / name
        try:
            made = _pair(studio, portrait, motion, output, config, consent, overwrite, share)
            state, remarks = ("kept", ()) if made is None else ("made", made.remarks)
            result = PairResult(portrait, motion.name, output, state, remarks=remarks)
        except SfumatoError as error:
            result = PairResult(portrait, motion.name, output, "failed", str(error))
        advance(1 - share.given)
        yield result


def count_states(outcomes: Sequence[PairResult]) -> Counter[str]:
    """How many were made, kept and failed."""
    return Counter(outcome.state for outcome in outcomes)


def write_sheet(folder: Path, outcomes: Sequence[PairResult]) -> None:
    """Writes the contact sheet of what was made and kept, unless it is there and nothing new was made."""
    from sfumato.app.review.contact_sheet import spread, write_contact_sheet

    count = count_states(outcomes)
    if not count["made"] and (not count["kept"] or (folder / CONTACT_SHEET).exists()):
        return
    there = [outcome for outcome in outcomes if outcome.state != "failed"]
    shown = there[:_SHEET_ROWS]
    rows = [(printable(outcome.path.stem, 80), spread(outcome.path, 1)[0], outcome.path) for outcome in shown]
    more = f" The first {len(shown)} of {len(there)}." if len(shown) < len(there) else ""
    write_contact_sheet(folder / CONTACT_SHEET, rows, f"All pictures are AI-generated (sfumato).{more}")


def _pair(
    studio: Studio, portrait: Path, motion: Driver, output: Path, config: AnimateConfig, consent: str | None,
    overwrite: bool, stage: _ShareOfOne,
) -> LivingPortrait | None:  # fmt: skip
    """The video that was made; None where it was kept: `output` verifies, and its seal names this portrait, motion,
    model and these settings.
    """
    from sfumato.app.animation.gallery import PortraitFile

    files = [PortraitFile(portrait)]
    if output.exists() and not overwrite:
        found = _sealed_facts(output)
        if found and found == studio.job(files, motion, output, config, consent, overwrite=True).assertion():
            return None
        raise OutputError(
            f"{output} is there, and is not this video as it would be made now", "Move it away, or --overwrite."
        )
    return studio.run(studio.job(files, motion, output, config, consent, overwrite=overwrite), stage)


def _sealed_facts(output: Path) -> dict[str, Any] | None:
    """What the seal of a file says, None where it does not hold."""
    from provenance.verifying.verify import verify

    found = verify(output)
    return found.facts if found.outcome in ("trusted", "untrusted") else None


def _inside(path: Path, suffixes: frozenset[str], passed_over: Counter[str] | None) -> list[Path]:
    """The files directly in a folder that have one of `suffixes`, in order; none for what is no folder. Raises
    UsageError for a folder without.
    """
    if not path.is_dir():
        return []
    finder = Finder(suffixes)
    every = [file for file in finder.paths([path]) if file.name != CONTACT_SHEET]
    found = [file for file in every if file.parent == path]
    if passed_over is not None:
        passed_over.update(finder.passed_over)
        if deeper := len(every) - len(found):
            passed_over["in folders below"] += deeper
    if not found:
        raise UsageError(
            f"The folder {path} holds nothing of the kind that is wanted",
            f"It looks for {', '.join(sorted(suffixes))}.",
        )
    return found


class _ShareOfOne:
    """A stage that passes the frames painted on as parts of one video; `given` is how much that was. What comes before
    is not told.
    """

    def __init__(self, advance: Advance) -> None:
        self.given, self._advance = 0.0, advance

    @contextmanager
    def __call__(self, description: str, total: float | None) -> Iterator[Advance]:
        def tick(amount: float) -> None:
            if description == "Painting frames" and total:
                self.given += amount / total
                self._advance(amount / total)

        yield tick
