"""`sfumato bench quick`: it parses, calls one library function, prints."""

from __future__ import annotations

from pathlib import Path

import click

from benchmarks.commands.detector import (
    JOURNAL,
    JSON,
    LISTS,
    MODEL,
    OUT,
    PEOPLE,
    SEED,
    every_sample,
    facts_of,
    report,
    working_folder,
)


@click.command("quick")
@LISTS
@MODEL
@PEOPLE
@SEED
@JOURNAL
@JSON
@OUT
def quick(
    clips: tuple[Path, ...], model: Path | None, people: int | None, seed: int, journal: Path | None, as_json: bool,
    out: Path | None,
) -> int:  # fmt: skip
    """Scan the videos of the test split of CLIPS (clips.jsonl) fully and quickly: what is flagged either way, and what
    it costs.

    One video a person and label counts. One with few keyframes is judged as a copy that has more. Exit code: 0 done,
    1 a bar is not met.
    """
    from benchmarks.detector.quick import INTERVAL, PROTOCOL, measure, one_sample_a_person
    from benchmarks.detector.robustness import draw_people
    from benchmarks.rows.comparison import BarRow
    from benchmarks.tables.quick import quick_table
    from detector.evaluation.keyframes import judge_twice
    from detector.inference.video_detector import VideoDetector
    from sfumato.progress import progress

    detector = VideoDetector(model)
    listed = draw_people([s for s in every_sample(clips) if s.split == "test"], people, seed)
    samples = one_sample_a_person(listed)
    with working_folder(journal) as place, progress("Judging twice", len(samples)) as advance:
        judged = list(judge_twice(samples, detector, place / "quick.sqlite3", advance))
    rows = measure(judged, detector.bundle.video_thresholds, seed)
    facts = facts_of([sample for sample, _ in judged], detector.bundle, detector.bundle.frames(), people, seed)
    report(rows, facts, "quick", PROTOCOL, INTERVAL, quick_table, as_json, out)
    return int(any(isinstance(row, BarRow) and not row.met for row in rows))
