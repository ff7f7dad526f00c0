"""`sfumato calibrate`: it parses, refuses what is known to be no real, calibrates, prints the thresholds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from detector.config import FRAMES_RULE
from sfumato import options
from sfumato.text import left_out, printable

if TYPE_CHECKING:
    from detector.datasets.sample import Sample
    from detector.training.own_footage import Recalibration

_LISTED = 20  # files left out that are shown by name


@click.command("calibrate")
@click.argument("reals", type=options.ANY)
@options.output(
    "The detector to write.", folder=options.DETECTOR, required=False, default="calibrated-detector", show_default=True
)
@options.model("Folder of another detector to start from.")
@options.frames("Frames to look at, evenly spaced, as your scans then do.", FRAMES_RULE)
@click.option(
    "--kind",
    type=click.Choice(["picture", "video"]),
    help="Set the thresholds of these alone (default: of both, where there are any).",
)
@click.option("--leave-out", is_flag=True, help="Leave out what is known to be no real, instead of refusing.")
@options.overwrite("Replace the detector that is there.")
def calibrate(
    reals: Path, out: Path, model: Path | None, frames: int | None, kind: str | None, leave_out: bool, overwrite: bool
) -> None:
    """Set the detector's thresholds on REALS: your own footage that is known to be real, a folder or the list of
    `sfumato clips`.

    Refused, by name, is footage with files in it that are known to be no real: paintings that come with sfumato and
    what looks like them, files whose credential declares that no camera took them, videos with our watermark. Rows that
    the list calls painted or drawn are left out. Fakes and paintings that say nothing of themselves are not noticed.

    A threshold holds for each group of REALS: each collection, and each --method of `sfumato clips`. Writes a detector
    for `sfumato scan --model`. A false-positive rate of a tenth needs 9 people, of a hundredth 99, of a thousandth 999;
    what they are too few for is left out. A stopped run goes on where it was: scores are kept in OUT.scores.sqlite3.
    """
    from detector.inference.bundle import RECORD, network_files, read_parts, shipped_folder
    from detector.inference.video_detector import VideoDetector
    from detector.training.own_footage import find_reals, judge_reals, recalibrate
    from sfumato.atomic import write_bytes, write_text
    from sfumato.errors import OutputError
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
    looked_at = detector.bundle.frames(frames)
    samples = _real(reals, _of_kind(reals, listed, kind), leave_out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with progress("Judging reals", len(samples)) as advance:
        judged = list(judge_reals(samples, detector, looked_at, out.with_name(out.name + ".scores.sqlite3"), advance))
    found = recalibrate(detector.bundle.record, judged, people_known, looked_at)
    if not people_known:
        advice = (
            "Clips of one person are no independent draws: list the footage with sfumato clips, and "
            "calibrate on the list."
        )
        click.echo(f"Warning: who is who is not known, each file counts as a person. {advice}", err=True)
    for line in _told(found, people_known):
        click.echo(line, err=True)
    out.mkdir(exist_ok=True)
    network, weights, record = read_parts(model or shipped_folder())
    for name, part in zip(network_files(record), (network, weights), strict=False):
        write_bytes(out / name, part)
    write_text(out / RECORD, json.dumps(found.record, indent=1) + "\n")
    click.echo(out)


def _of_kind(reals: Path, samples: list[Sample], kind: str | None) -> list[Sample]:
    """Those of one kind of file. Raises UsageError where there is none."""
    from sfumato.errors import UsageError
    from sfumato.execution.find_files import counted, is_picture

    if kind is None:
        return samples
    kept = [sample for sample in samples if is_picture(sample.path) == (kind == "picture")]
    if not kept:
        raise UsageError(
            f"There is no {kind} in {reals} to set the thresholds of {kind}s on, only "
            f"{counted(sample.path for sample in samples)}: {_names([sample.video_id for sample in samples])}",
            f"Name real {kind}s. Thresholds of one kind of file say nothing of the other.",
        )
    return kept


def _real(reals: Path, samples: list[Sample], leave_out: bool) -> list[Sample]:
    """The samples without what their list calls drawn. Raises UsageError where others are known to be no real, unless
    they are to be left out, and where nothing is left.
    """
    from sfumato.app.no_footage import without_drawn, without_unreal
    from sfumato.errors import UsageError
    from sfumato.progress import progress

    footage, drawn = without_drawn(samples)
    with progress("Looking for what is no real", len(footage)) as advance:
        kept, refused = without_unreal(footage, advance)
    for line in left_out(drawn, _LISTED):
        click.echo(line, err=True)
    for name, why in refused[:_LISTED] if not leave_out else []:
        click.echo(printable(f"No real: {name}: {why}", 400), err=True)
    if refused and not leave_out:
        raise UsageError(
            f"{len(refused)} of {len(footage)} files in {reals} are known to be no real footage of people: "
            f"{_names([name for name, _ in refused])}",
            "Take them out, and look for others like them; or leave these out with --leave-out. Nothing was written.",
        )
    for line in left_out(refused, _LISTED):
        click.echo(line, err=True)
    if not kept:
        raise UsageError(f"Nothing in {reals} is a real", "Name footage that a camera took.")
    return kept


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return printable(", ".join(names[:_LISTED]), 1000) + more


def _told(found: Recalibration, people_known: bool) -> list[str]:
    """What was calibrated on how much, by kind, and for which groups a threshold says less than for the others."""
    from detector.inference.thresholds import Thresholds, in_words
    from detector.training.own_footage import SECTIONS

    lines = [f"Not judged: {count} ({printable(reason)})" for reason, count in sorted(found.abstained.items())]
    for kind, section in SECTIONS.items():
        if kind in found.kept:
            lines.append(f"{kind.capitalize()}s keep the thresholds they had: {found.kept[kind]}")
            continue
        of = (f"{found.n_real[kind]} people, " if people_known else "") + f"{found.files[kind]} files"
        written = found.record[section]
        lines.append(f"{kind.capitalize()}s ({of}): flagged above a score of {in_words(written['thresholds'])}")
        thresholds = Thresholds.from_json(written)
        for rate in thresholds.logits if len(thresholds.sources) > 1 else ():
            lines.append(f"  at {rate:g}: set on {thresholds.n_real} real {kind}s{thresholds.holds_for(rate)}")
    return lines
