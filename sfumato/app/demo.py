"""The demo: one painting, several temperaments. In: a painting, motions. Out: a folder with sealed videos, a contact
sheet and a report.

Every clip is made, sealed, verified and judged; then it is re-encoded without its credential, in a private folder, and
judged again. A rerun makes everything anew; the report is written last, so a folder with a report is a finished one.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sfumato.app.animation.gallery import ShippedPortrait
from sfumato.errors import OutputError

if TYPE_CHECKING:
    from sfumato.app.animation.config import AnimateConfig
    from sfumato.app.animation.studio import Studio
    from sfumato.app.review.heat_sheet import HeatRow
    from sfumato.app.review.report import ReviewedClip
    from sfumato.app.scan.scanner import Scanned, Scanner
    from sfumato.progress import Stage

REPORT, CONTACT_SHEET = "report.html", "contact-sheet.png"


@dataclass(frozen=True)
class DemoResult:
    """What lies in `folder` now, and how long it took."""

    folder: Path
    report: Path
    clips: tuple[ReviewedClip, ...]
    seconds: float


def make_demo(
    folder: Path,
    portrait: ShippedPortrait,
    motions: Sequence[Path],
    studio: Studio,
    scanner: Scanner,
    config: AnimateConfig | None = None,
    stage: Stage | None = None,
) -> DemoResult:
    """Makes the demo in `folder`, which is made if need be; its files of the same names are replaced.

    Raises OutputError for a folder that cannot be written, and whatever the studio raises.
    """
    from sfumato.app.review.contact_sheet import write_contact_sheet
    from sfumato.app.review.report import Heading, ReviewedClip, write_report
    from sfumato.app.review.stripped import judge_without_credential
    from sfumato.media.images import read_image
    from sfumato.progress import quietly

    started, stage = time.monotonic(), stage or quietly
    _prepare(folder)
    clips, rows = [], []
    for motion in motions:
        made = studio.animate(
            [portrait.path], motion, folder / f"{portrait.name}-{motion.stem}.mp4", config, overwrite=True
        )
        with stage(f"Judging {made.path.name}", 2 * scanner.frames) as advance:
            scanned = scanner.scan_file(made.path, advance, scanner.detector.bundle.scorer.has_maps)
            stripped = judge_without_credential(made.path, partial(scanner.scan_file, advance=advance)).record
        rows.append(made.source)
        label = motion.stem.replace("-", " ").capitalize()
        heat = _first_row(scanned)
        clips.append(ReviewedClip(label, made.path, scanned.verification, scanned.record, stripped, heat))
    picture = read_image(portrait.path)
    note = (
        f"{portrait.title}, {portrait.painter}. The first picture of a row is the painting; all "
        "others are AI-generated (sfumato)."
    )
    write_contact_sheet(
        folder / CONTACT_SHEET, [(clip.label, row, clip.path) for clip, row in zip(clips, rows, strict=True)], note
    )
    seconds = time.monotonic() - started
    heading = Heading(portrait.title, f"{portrait.painter}, {portrait.year}", portrait.about, picture)
    write_report(folder / REPORT, heading, clips, folder / CONTACT_SHEET, seconds)
    return DemoResult(folder, folder / REPORT, tuple(clips), seconds)


def _first_row(scanned: Scanned) -> HeatRow | None:
    """The heat maps of the frame that counts most; None without an explanation."""
    from sfumato.app.review.heat_sheet import heat_pictures

    explanation = scanned.prediction.explanation
    return heat_pictures(explanation)[0] if explanation else None


def _prepare(folder: Path) -> None:
    """Makes the folder, and takes an earlier report away: it would describe files that are about to be replaced."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (REPORT, CONTACT_SHEET):
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"Cannot write in {folder}: {error.strerror}", "Choose a folder that you may write to, with --output."
        ) from error
