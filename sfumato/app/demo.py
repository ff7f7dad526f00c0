"""`sfumato demo`: one painting, several temperaments. In: nothing. Out: a folder with sealed videos, a contact sheet
and a report.

Every clip is made, sealed, verified and judged; then it is re-encoded without its credential, in a private folder, and
judged again. A rerun makes everything anew; the report is written last, so a folder with a report is a finished one.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sfumato.app.animation.gallery import ShippedPortrait, shipped_portraits
from sfumato.errors import MissingPartError, OutputError
from sfumato.text import printable

if TYPE_CHECKING:
    from detector.inference.video_detector import Judgement
    from sfumato.app.animation.config import AnimateConfig
    from sfumato.app.animation.studio import Studio
    from sfumato.app.review.heat_sheet import HeatRow
    from sfumato.app.review.report import ReviewedClip
    from sfumato.app.scan.scanner import Explained, Scanner
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
    from provenance.verifying.verify import verify
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
            heat: list[HeatRow] = []
            scanned = scanner.scan_file(
                made.path, advance, _first_row(heat) if scanner.judge.detector.scorer.has_maps else None
            )
            stripped = judge_without_credential(made.path, partial(scanner.scan_file, advance=advance))
        rows.append(made.source)
        label = motion.stem.replace("-", " ").capitalize()
        clips.append(ReviewedClip(label, made.path, verify(made.path), scanned, stripped, heat[0] if heat else None))
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


def _first_row(rows: list[HeatRow]) -> Explained:
    """Keeps the heat maps of the frame that counts most."""
    from sfumato.app.review.heat_sheet import heat_pictures

    def keep(judgement: Judgement, record: dict[str, Any]) -> None:
        if judgement.explanation:
            rows.append(heat_pictures(judgement.explanation)[0])

    return keep


def _prepare(folder: Path) -> None:
    """Makes the folder, and takes an earlier report away: it would describe files that are about to be replaced."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (REPORT, CONTACT_SHEET):
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"Cannot write in {folder}: {error.strerror}", "Choose a folder that you may write to, with --out."
        ) from error


@click.command()
@click.option(
    "--out", "folder", default="sfumato-demo", show_default=True, type=click.Path(file_okay=False, path_type=Path)
)
@click.option("--portrait", default="mona-lisa", show_default=True, type=click.Choice(list(shipped_portraits())))
@click.option(
    "--motion", "motions", multiple=True, metavar="M", help="A motion; may be repeated. All shipped ones unless given."
)
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="Use only the first seconds of each motion.")
@click.option("--checkpoint", default="portrait-256", show_default=True, metavar="PATH|NAME", help="The generator.")
@click.option(
    "--detector", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of another detector."
)
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, or auto.")
def demo(
    folder: Path,
    portrait: str,
    motions: tuple[str, ...],
    seconds: float | None,
    checkpoint: str,
    detector: Path | None,
    device: str,
) -> None:
    """Bring a painting to life in several temperaments: sealed videos, judged, with a report to open in a browser.

    Nothing is fetched from the network, and nothing is opened.
    """
    from detector.inference.video_detector import Judge
    from generator.networks.checkpoint import checkpoint_path
    from sfumato.app.animation.config import AnimateConfig
    from sfumato.app.animation.studio import Studio
    from sfumato.app.scan.scanner import Scanner
    from sfumato.progress import progress
    from sfumato.run import choose_device

    started = time.monotonic()
    tracks = _motions(motions)
    scanner = Scanner(judge=Judge(detector))  # before anything is made: a demo without a judge is none
    studio = Studio(checkpoint_path(checkpoint), device=choose_device(device), stage=progress)
    result = make_demo(
        folder, shipped_portraits()[portrait], tracks, studio, scanner, AnimateConfig(seconds=seconds), progress
    )
    for clip in result.clips:
        click.echo(f"{printable(clip.path)}: {_said(clip.scan)}; without its credential: {_said(clip.stripped)}")
    click.echo(f"{printable(result.folder / CONTACT_SHEET)}: all of them at a glance")
    click.echo(
        f"Done in {time.monotonic() - started:.0f} s. Look at it in a browser: {printable(result.report.resolve())}"
    )


def _motions(names: Sequence[str]) -> list[Path]:
    """The motions asked for, or all that ship. Raises MissingPartError when none does."""
    from generator.motion.track import motion_path
    from sfumato.app.animation.driver import shipped_motion_names

    chosen = [motion_path(name) for name in (names or shipped_motion_names())]
    if not chosen:
        raise MissingPartError(
            "No motion ships with this copy", "Name one: --motion x.motion, made by `sfumato motion VIDEO -o x.motion`."
        )
    if len({path.stem for path in chosen}) < len(chosen):
        raise OutputError("Two motions have the same name, and so would their videos", "Rename one of them.")
    return chosen


def _said(record: dict[str, Any] | None) -> str:
    if record is None:
        return "not judged"
    return str(record["verdict"]) + (f" (score {record['score']:.3f})" if record["score"] is not None else "")
