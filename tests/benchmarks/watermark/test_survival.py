"""The survival benchmark on two made-up clips: what it counts, and what its treatments do."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.attacks.reencoding import REENCODINGS, reencode
from benchmarks.commands.watermark import survival as command
from benchmarks.metrics.intervals import wilson
from benchmarks.rows.row import Estimate
from benchmarks.rows.watermark import SurvivalRow, read_mark_row
from benchmarks.tables.survival import survival_table
from benchmarks.watermark.survival import OURS, Clips, SurvivalConfig, Tally, measure, quality
from sfumato.errors import UsageError
from sfumato.media.video import VideoReader
from tests.media_fixtures import make_sound
from tests.watermark_fixtures import encode, scene

CLIPS = Clips(footage="0" * 64, seconds=1.0, max_side=256)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    for seed in (0, 1):
        encode(list(scene(seed, 26)), folder / f"{seed}.mp4", 14)
    return folder


@pytest.fixture(scope="module")
def done(clips):
    paths = [*sorted(clips.glob("*.mp4")), make_sound(clips / "tone.m4a")]
    return measure(paths, SurvivalConfig(treatments=("crf 28", "mirrored, crf 23")))


def test_payloads_and_manifests_are_counted(done) -> None:
    for treatment in ("crf 28", "mirrored, crf 23"):
        tally = done.tallies[OURS, treatment]
        assert (tally.copies, tally.payloads, tally.recovered, tally.confirmed, tally.wrong) == (2, 2, 2, 2, 0)


def test_costs_and_unmarked_clips_are_measured(done) -> None:
    cost = done.costs[OURS].row(OURS, CLIPS)
    assert cost.psnr >= 40
    assert cost.ssim >= 0.98
    assert 0 < cost.share < 3
    assert done.unmarked["n"] == 2
    assert done.unmarked["detected"] == 0
    assert done.distances["wrong_pairs"] == 2


def test_what_cannot_be_used_is_named(done) -> None:
    ((path, reason),) = done.skipped
    assert path.name == "tone.m4a"
    assert reason


def test_rows_make_a_table(done) -> None:
    lines = json.loads(json.dumps([row.line() for row in done.rows(SurvivalConfig(seconds=1))]))
    rows = [read_mark_row(line) for line in lines]
    table = survival_table(rows)
    assert "| crf 28 | 1.000 |" in table
    assert "PSNR" in table
    baseline = SurvivalRow(method="dwtDctSvd", treatment="crf 28", n=2, payload=Estimate(1, (0, 1)), **vars(CLIPS))
    assert "| 0.500 |" in survival_table([*rows, baseline])


@pytest.mark.parametrize("name", REENCODINGS)
def test_every_treatment_gives_a_video_without_a_manifest(clips, tmp_path, name) -> None:
    from provenance.verifying.verify import verify

    copy = reencode(name, clips / "0.mp4", tmp_path)
    assert verify(copy).outcome == "none"
    with VideoReader(clips / "0.mp4") as before, VideoReader(copy) as after:
        sizes = (after.info.width / before.info.width, after.info.height / before.info.height)
        frames = len(list(after))
    share = 0.5 if "half size" in name else 0.9 if "crop" in name else 1.0
    assert sizes == pytest.approx((share, share), abs=0.01)
    assert frames == (pytest.approx(16, abs=1) if "15 fps" in name else 26)


def test_quality_of_known_pictures() -> None:
    image = next(scene(0, 1))
    assert quality(image, image) == (0.0, pytest.approx(1.0))
    error, index = quality(image, np.clip(image.astype(int) + 2, 0, 255).astype(np.uint8))
    assert error == pytest.approx(4, abs=0.2)
    assert 0.98 < index < 1


def test_a_tally_carries_its_interval() -> None:
    row = Tally(4, 2).row("ours", "crf 28", CLIPS)
    assert (row.n, row.payload) == (4, Estimate(2, wilson(2, 4)))
    assert "recovered" not in row.line()


def test_the_baseline_marks_and_is_read(tmp_path) -> None:
    pytest.importorskip("imwatermark", reason="needs invisible-watermark (pip install -e '.[bench]')")
    from benchmarks.watermark.baseline_mark import BaselineMark, read_baseline

    payload = b"baseline"
    mark = BaselineMark(payload)
    marked = [mark.mark(image) for image in scene(0, 4, (256, 256))]
    assert read_baseline(encode(marked, tmp_path / "a.mp4", 10), 4) == payload
    small = next(scene(0, 1, (96, 96)))
    assert mark.mark(small) is small


def test_nonsense_is_refused(clips, tmp_path) -> None:
    with pytest.raises(UsageError):
        SurvivalConfig(seconds=0)
    with pytest.raises(UsageError):
        SurvivalConfig(treatments=("none such",))
    empty = tmp_path / "empty"
    empty.mkdir()
    assert isinstance(CliRunner().invoke(command, ["--footage", str(empty)]).exception, UsageError)


def test_the_command_writes_its_record(clips, tmp_path) -> None:
    out = tmp_path / "survival.jsonl"
    arguments = ["--footage", str(clips), "--clips", "0.mp4", "--treatment", "crf 28", "--output", str(out), "--json"]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["survival", "cost", "unmarked", "fingerprint"]
    assert all(line["command"] == "sfumato bench survival" and line["footage"] and line["protocol"] for line in lines)


def test_the_table_of_the_documentation_agrees_with_its_record() -> None:
    from pathlib import Path

    from benchmarks.tables.tables import fill_tables, shipped_records

    page = (Path(__file__).parents[3] / "docs" / "durable.md").read_text(encoding="utf-8")
    assert fill_tables(page, shipped_records()) == page


def test_the_record_holds_the_promised_floors() -> None:
    """What the documentation promises, on 40 clips or more; a change of the mark that breaks it has to be measured
    again, and will show.
    """
    from benchmarks.tables.tables import read_records, shipped_records

    rows = read_records(shipped_records()["survival"])
    shares = {
        row["treatment"]: row["payload"] / row["n"]
        for row in rows
        if row["kind"] == "survival" and row["method"] == OURS
    }
    (cost,) = [row for row in rows if row["kind"] == "cost" and row["method"] == OURS]
    assert cost["n"] >= 40
    assert shares["crf 28"] >= 0.95
    assert shares["half size, crf 28"] >= 0.90
    assert cost["psnr"] >= 40
    assert cost["ssim"] >= 0.98
    assert all(row["wrong"] == 0 for row in rows if "wrong" in row)
