"""`sfumato demo`: it parses, makes the demo, prints where everything lies."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfumato import options
from sfumato.app.animation.gallery import shipped_portraits
from sfumato.errors import MissingPartError, OutputError
from sfumato.text import printable

if TYPE_CHECKING:
    from sfumato.app.scan.record import ScanRecord


@click.command()
@options.output(
    "Folder for videos, sheet and report.",
    folder=options.NewFolder("report.html", "contact-sheet.png", *(f"{name}-*.mp4" for name in shipped_portraits())),
    required=False,
    default="sfumato-demo",
    show_default=True,
)
@click.option("--portrait", default="mona-lisa", show_default=True, type=click.Choice(list(shipped_portraits())))
@click.option(
    "--motion", "motions", multiple=True, metavar="M", help="A motion; may be repeated. All shipped ones unless given."
)
@options.seconds("Use only the first seconds of each motion.")
@options.checkpoint()
@options.model()
@options.device()
def demo(
    out: Path,
    portrait: str,
    motions: tuple[str, ...],
    seconds: float | None,
    checkpoint: str,
    model: Path | None,
    device: str,
) -> None:
    """Bring a painting to life in several temperaments: sealed videos, judged, with a report to open in a browser.

    Nothing is fetched from the network, and nothing is opened.
    """
    from detector.inference.video_detector import VideoDetector
    from generator.networks.checkpoint import checkpoint_path
    from sfumato.app.animation.config import AnimateConfig
    from sfumato.app.animation.studio import Studio
    from sfumato.app.demo import CONTACT_SHEET, make_demo
    from sfumato.app.scan.scanner import Scanner
    from sfumato.progress import progress
    from sfumato.training.device import choose_device

    started = time.monotonic()
    tracks = _motions(motions)
    scanner = Scanner(detector=VideoDetector(model))  # before anything is made: a demo without a judge is none
    studio = Studio(checkpoint_path(checkpoint), device=choose_device(device), stage=progress)
    result = make_demo(
        out, shipped_portraits()[portrait], tracks, studio, scanner, AnimateConfig(seconds=seconds), progress
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


def _said(record: ScanRecord | None) -> str:
    if record is None:
        return "not judged"
    said = record.verdict.name + (f" (score {record.score:.3f})" if record.score is not None else "")
    if record.verdict.name != "synthetic-recovered" or record.mark is None or record.mark.manifest is None:
        return said
    return f"{said}, its watermark leads back to {printable(record.mark.manifest.id, 200)}"
