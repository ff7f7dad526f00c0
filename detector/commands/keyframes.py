"""`sfumato calibrate-keyframes`: it parses, judges videos twice, writes the detector that scans quickly."""

from __future__ import annotations

from pathlib import Path

import click

from sfumato import options


@click.command("calibrate-keyframes")
@click.argument("clips", nargs=-1, required=True, type=options.FILE)
@options.output("The detector to write.", folder=options.DETECTOR, default="quick-detector", show_default=True)
@options.model("Folder of another detector to start from.")
@click.option(
    "--risk", type=click.FloatRange(0.0005, 0.2), help="Of each side of each threshold (default: 0.02).",
)  # fmt: skip
@click.option("--journal", type=options.NEW_FILE, help="What was judged is kept here; a run goes on from it.")
@options.overwrite("Replace the detector that is there.")
def calibrate_keyframes(
    clips: tuple[Path, ...], out: Path, model: Path | None, risk: float | None, journal: Path | None, overwrite: bool
) -> None:
    """Set, for `scan --quick`, where the keyframes of a video say what all its sampled frames would: on the videos of
    CLIPS (clips.jsonl), reals and fakes of people that the detector did not learn from.

    The thresholds stay as they are, and what is set holds for those alone: after `sfumato calibrate`, set it again. A
    video with few keyframes is judged as a copy that has more. One video a person and label counts; a risk of two in a
    hundred needs 49 people with reals and 49 with fakes.
    """
    import json

    from detector.datasets.sample import clips_samples
    from detector.evaluation.keyframes import RISK, fit_rule, judge_twice, with_rule
    from detector.inference.bundle import RECORD, network_files, read_parts, shipped_folder
    from detector.inference.video_detector import VideoDetector
    from sfumato.atomic import write_bytes, write_text
    from sfumato.errors import OutputError
    from sfumato.progress import progress

    if (out / RECORD).exists() and not overwrite:
        raise OutputError(f"{out} already holds a detector", "Choose another --output, or --overwrite.")
    detector = VideoDetector(model)
    samples = list({sample.path: sample for path in clips for sample in clips_samples(path)}.values())
    with progress("Judging twice", len(samples)) as advance:
        judged = [found for _, found in judge_twice(samples, detector, journal, advance)]
    rule = fit_rule(judged, detector.bundle.video_thresholds, RISK if risk is None else risk)
    network, weights, record = read_parts(model or shipped_folder())
    out.mkdir(parents=True, exist_ok=True)
    for name, part in zip(network_files(record), (network, weights), strict=False):
        write_bytes(out / name, part)
    write_text(out / RECORD, json.dumps(with_rule(record, rule), indent=1) + "\n")
    for rate, (low, high) in rule.bounds.items():
        click.echo(f"At {rate:g}: keyframes below {low:.3f} or above {high:.3f} (logits) decide", err=True)
    click.echo(f"Set on {rule.n['real']} reals and {rule.n['fake']} fakes, one a person, risk {rule.risk:g}", err=True)
    click.echo(out)
