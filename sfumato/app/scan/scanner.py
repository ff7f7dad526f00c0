"""`sfumato scan`: credentials first, then the detector, one record a file.

In: files and folders. Out: one JSON object a line, or a readable block a file. Exit codes: 0 all files were scanned
(whatever the verdicts), 2 the request cannot be served, 3 at least one file could not be read; its record says why.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from detector.config import SCAN_FPR
from sfumato.text import printable

if TYPE_CHECKING:
    from detector.inference.video_detector import Judge, Judgement, TrackFrame, TrackScore
    from provenance.verifying.verification import Verification
    from sfumato.app.scan.verdict import Verdict

SCHEMA_VERSION = 1
Advance = Callable[[float], None]
Explained = Callable[["Judgement", dict[str, Any]], None]


class Scanner:
    """Scans any number of files with one detector and one trust list."""

    def __init__(
        self, trust: Iterable[bytes] = (), frames: int = 32, fpr: float = SCAN_FPR, judge: Judge | None = None
    ) -> None:
        """trust: PEM files of signers to believe; fpr: the false-positive rate at which a score flags.

        Raises UsageError if the detector is not calibrated at `fpr`, MissingPartError or CheckpointError if it cannot
        be loaded.
        """
        from detector.inference.video_detector import Judge
        from sfumato.errors import UsageError

        self.judge = judge or Judge()
        self.trust, self.frames, self.fpr = tuple(trust), frames, fpr
        detector = self.judge.detector
        known = sorted(set(detector.thresholds) & set(detector.video_thresholds))
        if not any(abs(alpha - fpr) < 1e-9 for alpha in known):
            pictures, videos = (
                detector.record[name].get("n_real") or 0 for name in ("calibration", "video_calibration")
            )
            few = f"{pictures} pictures and {videos} videos cannot carry it"
            raise UsageError(
                f"The detector has no threshold at a false-positive rate of {fpr:g}: {few}",
                f"Choose one of: {', '.join(f'{alpha:g}' for alpha in known)}.",
            )

    def scan_file(
        self, path: Path, advance: Advance = lambda amount: None, explained: Explained | None = None
    ) -> dict[str, Any]:
        """The record of one file. Never raises for what is in it: `status` is "ok", "abstain" or "error".

        `explained` gets the judgement, explanation included, and the record, where there is a score; it may add to the
        record. Raises CheckpointError if it is given and the detector has no maps.
        """
        from provenance.verifying.verify import verify
        from sfumato.app.scan.verdict import combine

        verification = verify(path, self.trust)
        judgement = self.judge.judge_video(path, self.frames, advance, explained is not None)
        record = as_record(path, verification, judgement, combine(verification, judgement, self.fpr), self.fpr)
        record["explain"] = explanation_record(judgement, self.fpr)
        if explained and judgement.explanation:
            explained(judgement, record)
        return record


def explanation_record(judgement: Judgement, fpr: float) -> dict[str, Any] | None:
    """The two kinds of evidence, in numbers and words; with an explanation also where it lies. None without a score."""
    import numpy as np

    from detector.inference.explain import head_facts, in_words, standing_out

    if judgement.logit is None:
        return None
    thresholds = {float(alpha): float(t) for alpha, t in judgement.threshold["logit"].items()}
    evidence = np.array([(frame.blend, frame.synthesis) for frame in judgement.deciding])
    facts = head_facts(judgement.tracks[0].stack, evidence, thresholds, fpr)
    flagged = any(judgement.logit > t for alpha, t in thresholds.items() if alpha <= fpr)
    told: dict[str, Any] = {"words": in_words(facts, flagged), "heads": facts}
    found = judgement.explanation
    if found is not None:
        told["frames"] = [round(frame.time, 4) for frame in found.frames]
        told["areas"], told["regions"] = found.areas, found.shares
        told["standing_out"] = standing_out(found.shares, found.areas) if found.shares else []
    return told


def as_record(
    path: Path, verification: Verification, judgement: Judgement, verdict: Verdict, fpr: float
) -> dict[str, Any]:
    """Everything that is known about one file as plain values. Strings are as found; escape them where they are
    shown.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "file": _file_facts(path),
        "media": judgement.media,
        "verdict": verdict.verdict,
        "meaning": verdict.meaning,
        "review": verdict.review,
        "score": judgement.score,
        "logit": judgement.logit,
        "threshold": {"fpr": fpr, "score": judgement.threshold.get(f"{fpr:g}"), **judgement.threshold},
        "status": judgement.status,
        "reasons": [{"code": reason.code, "detail": reason.detail} for reason in verdict.reasons],
        "notes": list(verdict.notes),
        "frames": judgement.frames,
        "timeline": [{"t": round(t, 4), "score": round(score, 6)} for t, score in judgement.timeline],
        "tracks": [_track_record(track) for track in judgement.tracks],
        "provenance": {
            "outcome": verification.outcome, "codes": list(verification.codes), "signer": verification.signer,
            "issuer": verification.issuer, "time": verification.time, "development": verification.development,
            "declares": list(verification.declares), "ingredient_declares": list(verification.ingredient_declares),
            "title": verification.title, "generator": verification.generator,
        },
        "model": judgement.model,
        "timing": judgement.timing,
    }  # fmt: skip


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files themselves; of a folder, all videos and pictures in it and below, in order. Raises UsageError for a
    folder without any.
    """
    from detector.inference.frames import PICTURES, VIDEOS
    from sfumato.errors import UsageError

    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(file for file in path.rglob("*") if file.suffix.lower() in PICTURES | VIDEOS and file.is_file())
        if not found:
            raise UsageError(
                f"No video or picture in {path}", f"Known suffixes: {' '.join(sorted(VIDEOS | PICTURES))}."
            )
        yield from found


@click.command("scan")
@click.argument("paths", nargs=-1, required=True, metavar="FILE|FOLDER...", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option(
    "--trust",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="PEM of signers to believe.",
)
@click.option(
    "--frames", default=32, show_default=True, type=click.IntRange(1, 10_000), help="Frames to look at, evenly spaced."
)
@click.option(
    "--fpr", default=f"{SCAN_FPR:g}", show_default=True, type=click.Choice(["0.1", "0.01", "0.001"]),
    help="Where a score flags; refused when too few real clips carry it.",
)  # fmt: skip
@click.option(
    "--model", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of another detector."
)
@click.option(
    "--backend",
    metavar="NAME",
    help="onnxruntime, openvino or openvino-bf16; what the detector was exported for unless given.",
)
@click.option(
    "--explain",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a heat map of each scored file here.",
)
def scan(
    paths: tuple[Path, ...], as_json: bool, trust: tuple[Path, ...], frames: int, fpr: str, model: Path | None,
    backend: str | None,
    folder: Path | None,
) -> int:  # fmt: skip
    """Judge videos and pictures: credentials first, then the detector.

    The verdict is never "real": a low score only means that the detector found no trace it knows.
    Exit code: 0 all scanned, 2 wrong request, 3 at least one file unreadable.
    """
    from detector.inference.video_detector import Judge
    from sfumato.progress import progress

    files = list(find_files(paths))
    scanner = Scanner([file.read_bytes() for file in trust], frames, float(fpr), Judge(model, backend=backend))
    explained = _sheets_in(folder, scanner) if folder else None
    unreadable = 0
    with progress("Scanning", len(files)) as advance:
        for file in files:
            record = scanner.scan_file(file, explained=explained)
            unreadable += record["status"] == "error"
            click.echo(json.dumps(record, ensure_ascii=True) if as_json else describe(record))
            advance(1)
    return 3 if unreadable else 0


def _sheets_in(folder: Path, scanner: Scanner) -> Explained:
    """Writes heat maps into `folder`, which is made. Raises OutputError, and CheckpointError for a detector without
    maps.
    """
    from sfumato.app.review.heat_sheet import sheet_name, write_heat_sheet
    from sfumato.app.scan.verdict import EDITED, SYNTHETIC
    from sfumato.errors import OutputError

    scanner.judge.detector.scorer.require_maps()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"Cannot write in {folder}: {error.strerror}", "Choose another folder with --explain."
        ) from error

    def write(judgement: Judgement, record: dict[str, Any]) -> None:
        path = Path(record["file"]["path"])
        declared = {*record["provenance"]["declares"], *record["provenance"]["ingredient_declares"]}
        sheet, generated = folder / sheet_name(path, record["file"]["sha256"]), bool(declared & (SYNTHETIC | EDITED))
        assert judgement.explanation is not None  # noqa: S101
        write_heat_sheet(sheet, judgement.explanation, printable(path.name), record["explain"]["words"], generated)
        record["explain"]["sheet"] = str(sheet)

    return write


def describe(record: dict[str, Any]) -> str:
    """The record as a block for people. Foreign text is escaped here."""
    from sfumato.app.scan.verdict import VERDICTS

    lines = [f"{printable(record['file']['path'])}", f"  {record['verdict']}: {VERDICTS[record['verdict']]}"]
    if record["score"] is not None:
        threshold = record["threshold"]["score"]
        rate, reals = record["threshold"]["fpr"], record["threshold"]["n_real"]
        against = (
            f", flagged above {threshold:.3f} (false-positive rate {rate:g}, {reals} real clips)"
            if threshold is not None
            else ""
        )
        lines.append(f"  score {record['score']:.3f}{against}")
    lines += _explanation_lines(record.get("explain") or {})
    lines += [f"  {reason['code']}: {printable(reason['detail'], 300)}" for reason in record["reasons"]]
    lines += [f"  note: {printable(note, 300)}" for note in record["notes"]]
    signer = record["provenance"]["signer"]
    credential = f"  credential: {record['provenance']['outcome']}" + (
        f", signed by {printable(signer, 100)}" if signer else ""
    )
    return "\n".join([*lines, credential + (" (development key)" if record["provenance"]["development"] else "")])


def _explanation_lines(told: dict[str, Any]) -> list[str]:
    from detector.inference.explain import where_in_words

    lines = [f"  {told['words']}"] if told else []
    if "regions" in told and any(
        head["level"] in ("strong", "raised") for head in told["heads"].values()
    ):  # else nothing to place
        lines.append(f"  {where_in_words(told['regions'], told['areas'])}")
    return lines + ([f"  heat map: {printable(told['sheet'])}"] if "sheet" in told else [])


def _track_record(track: TrackScore) -> dict[str, Any]:
    return {
        "id": track.identifier, "t0": round(track.frames[0].time, 4), "t1": round(track.frames[-1].time, 4),
        "n": len(track.frames),
        "size_px": round(track.size, 1), "score": track.score, "logit": track.logit,
        "frames": [_frame_record(frame) for frame in track.frames],
    }  # fmt: skip


def _frame_record(frame: TrackFrame) -> dict[str, Any]:
    evidence = {"blend": round(frame.blend, 3), "synthesis": round(frame.synthesis, 3)}
    return {
        "t": round(frame.time, 4),
        "box": [round(v, 1) for v in frame.box],
        "score": round(frame.score, 6),
        **evidence,
    }


def _file_facts(path: Path) -> dict[str, Any]:
    from sfumato.errors import MediaError
    from sfumato.media.clips import file_digest

    name = str(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    try:
        return {"path": name, "sha256": file_digest(path), "size": path.stat().st_size}
    except (MediaError, OSError, ValueError):
        return {"path": name, "sha256": None, "size": None}
