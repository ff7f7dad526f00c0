"""`sfumato calibrate`: it parses, leaves out what is known to be no real, calibrates, prints the thresholds."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sfumato import options
from sfumato.text import left_out, printable

_LISTED = 20  # files left out that are shown by name


@click.command("calibrate")
@click.argument("reals", type=options.ANY)
@options.output(
    "The detector to write.", folder=options.DETECTOR, required=False, default="calibrated-detector", show_default=True
)
@options.model("Folder of another detector to start from.")
@options.frames("As many as your scans look at.")
@options.overwrite("Replace the detector that is there.")
def calibrate(reals: Path, out: Path, model: Path | None, frames: int, overwrite: bool) -> None:
    """Set the detector's thresholds on REALS: your own footage that is known to be real, a folder or the list of
    `sfumato clips`.

    Paintings that come with sfumato, rows that the list calls painted or drawn, and files whose credential declares
    that no camera took them are left out by name. Fakes and paintings that say nothing of themselves are not noticed.

    Writes a detector for `sfumato scan --model`. A false-positive rate of a tenth needs 9 people, of a hundredth 99, of
    a thousandth 999; what they are too few for is left out. A stopped run goes on where it was: scores are kept in
    OUT.scores.sqlite3.
    """
    from detector.inference.bundle import RECORD, network_files, read_parts, shipped_folder
    from detector.inference.thresholds import in_words
    from detector.inference.video_detector import VideoDetector
    from detector.training.own_footage import SECTIONS, find_reals, judge_reals, recalibrate
    from sfumato.app.no_footage import without_unreal
    from sfumato.atomic import write_bytes, write_text
    from sfumato.errors import OutputError, UsageError
    from sfumato.execution.find_files import Finder
    from sfumato.media.clips import GENERATED
    from sfumato.progress import progress

    if (out / RECORD).exists() and not overwrite:
        raise OutputError(f"{out} already holds a detector", "Choose another --output, or --overwrite.")
    finder = Finder(leave_out=[GENERATED])
    listed, people_known = find_reals(reals, finder)
    if finder.told():
        click.echo(printable(finder.told()), err=True)
    detector = VideoDetector(model)
    with progress("Looking for what is no real", len(listed)) as advance:
        samples, refused = without_unreal(listed, advance)
    for line in left_out(refused, _LISTED):
        click.echo(line, err=True)
    if not samples:
        raise UsageError(f"Nothing in {reals} is a real", "Name footage that a camera took.")
    out.parent.mkdir(parents=True, exist_ok=True)
    with progress("Judging reals", len(samples)) as advance:
        judged = list(judge_reals(samples, detector, frames, out.with_name(out.name + ".scores.sqlite3"), advance))
    found = recalibrate(detector.bundle.record, judged, people_known)
    if not people_known:
        advice = (
            "Clips of one person are no independent draws: list the footage with sfumato clips, and "
            "calibrate on the list."
        )
        click.echo(f"Warning: who is who is not known, each file counts as a person. {advice}", err=True)
    for reason, count in sorted(found.abstained.items()):
        click.echo(f"Not judged: {count} ({reason})", err=True)
    for kind, section in SECTIONS.items():
        if kind in found.kept:
            click.echo(f"{kind.capitalize()}s keep the thresholds they had: {found.kept[kind]}", err=True)
            continue
        of = (f"{found.n_real[kind]} people, " if people_known else "") + f"{found.files[kind]} files"
        click.echo(
            f"{kind.capitalize()}s ({of}): flagged above a score of {in_words(found.record[section]['thresholds'])}",
            err=True,
        )
    out.mkdir(exist_ok=True)
    network, weights, record = read_parts(model or shipped_folder())
    for name, part in zip(network_files(record), (network, weights), strict=False):
        write_bytes(out / name, part)
    write_text(out / RECORD, json.dumps(found.record, indent=1) + "\n")
    click.echo(out)
