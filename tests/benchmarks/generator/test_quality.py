"""Self-reenactment: known values, the split of a clip, what is skipped, and lines that say what they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from benchmarks.commands.generator import quality
from benchmarks.generator.quality import PREVIOUS, TUNED, Measured, QualityConfig, choose_clips, measure, spread_over
from benchmarks.metrics.image_metrics import METRICS
from generator.losses.perceptual import lite0_file
from generator.networks import checkpoint as checkpoints
from generator.networks.checkpoint import save_checkpoint
from sfumato.app.cli.main import main
from sfumato.errors import MediaError, UsageError
from sfumato.media.clips import file_digest
from sfumato.media.images import write_image
from tests.generator_fixtures import PLAIN, WARP, checkpoint, close_up, moving, portrait
from tests.media_fixtures import make_video

FRAMES = 8
QUICK = QualityConfig(shots=(1, 2), targets=2, size=64, tune_seconds=0)
ONE_SHOT = QualityConfig(shots=(1,), targets=2, size=64, tune_seconds=0)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two moving faces, one that stands still, a clip too short, one without a face, a picture."""
    folder = tmp_path_factory.mktemp("clips")
    painting = portrait(side=320)
    painting = np.ascontiguousarray(painting[: painting.shape[0] // 2 * 2, : painting.shape[1] // 2 * 2])
    height, width = painting.shape[:2]
    make_video(folder / "astronaut.mp4", frames=FRAMES, width=256, height=256, images=moving(close_up(), FRAMES, 40))
    make_video(folder / "mona.mp4", frames=FRAMES, width=width, height=height, images=moving(painting, FRAMES, 30))
    still = {"crf": "0", "preset": "ultrafast"}
    make_video(
        folder / "still.mp4",
        frames=FRAMES,
        width=256,
        height=256,
        images=[close_up()] * FRAMES,
        pixels="yuv444p",
        options=still,
    )
    make_video(folder / "short.mp4", frames=3, width=256, height=256, images=moving(close_up(), 3))
    make_video(folder / "bars.mp4", frames=FRAMES)
    write_image(folder / "picture.png", painting)
    return folder


@pytest.fixture(scope="module")
def measured(clips: Path) -> Measured:
    return measure(choose_clips(clips), {PLAIN: checkpoint(PLAIN), WARP: checkpoint(WARP, awake=False)}, QUICK)


@pytest.fixture(scope="module")
def alone(clips: Path) -> Measured:
    """One clip, with the networks of `measured`."""
    return measure([clips / "astronaut.mp4"], {PLAIN: checkpoint(PLAIN), WARP: checkpoint(WARP, awake=False)}, ONE_SHOT)


def scores(done: Measured, method: str, shots: int) -> dict[str, float]:
    return next(r.scores for r in done.results if (r.method, r.shots) == (method, shots))


def test_pictures_are_no_clips_and_names_choose(clips: Path) -> None:
    assert [p.name for p in choose_clips(clips)] == ["astronaut.mp4", "bars.mp4", "mona.mp4", "short.mp4", "still.mp4"]
    assert [p.name for p in choose_clips(clips, ("mona.mp4", "elsewhere/still.mp4"))] == ["mona.mp4", "still.mp4"]


def test_a_clip_that_is_not_there_is_refused(clips: Path) -> None:
    with pytest.raises(UsageError, match=r"nobody\.mp4"):
        choose_clips(clips, ("nobody.mp4",))


def test_unusable_clips_are_named_with_the_reason(measured: Measured) -> None:
    assert [p.name for p in measured.used] == ["astronaut.mp4", "mona.mp4", "still.mp4"]
    reasons = {p.name: reason for p, reason in measured.skipped}
    assert set(reasons) == {"bars.mp4", "short.mp4"}
    assert "Only 3 frames" in reasons["short.mp4"] and "No face" in reasons["bars.mp4"]


def test_every_method_is_measured_at_every_t(measured: Measured) -> None:
    rows = [(r.method, r.shots) for r in measured.results]
    assert rows == [(method, shots) for shots in (1, 2) for method in ("copy", "warp", PLAIN, WARP)]
    assert all((r.clips, r.frames) == (3, 6) and set(r.scores) == set(METRICS) for r in measured.results)


def test_copying_a_face_that_stands_still_is_perfect(clips: Path) -> None:
    done = measure([clips / "still.mp4"], {}, ONE_SHOT)
    perfect = scores(done, "copy", 1)
    assert perfect["ssim"] == pytest.approx(1, abs=1e-4)
    assert perfect["csim"] == pytest.approx(1, abs=1e-4)
    assert perfect["l1"] == pytest.approx(0, abs=1e-5)
    assert perfect["landmark_error"] == pytest.approx(0, abs=1e-4)
    assert perfect["perceptual"] == pytest.approx(0, abs=1e-4)
    copy = next(r for r in done.results if r.method == "copy")
    assert copy.fd_lite0 == pytest.approx(0, abs=1e-4)
    assert copy.figures["mouth_ssim"].value.value == pytest.approx(1, abs=1e-4)
    assert copy.figures["mouth_perceptual"].value.value == pytest.approx(0, abs=1e-4)
    assert copy.figures["same_faces"].value.value == 1


def test_the_mouth_has_an_interval_against_the_warp(measured: Measured) -> None:
    for result in measured.results:
        figure = result.figures["mouth_ssim"]
        assert (figure.n, figure.of) == (3, "mean") and figure.value.value == pytest.approx(
            result.scores["mouth_ssim"], abs=1e-4
        )
        assert set(figure.versus) == ({"warp"} if result.method != "warp" else set())
    plain = next(r for r in measured.results if r.method == PLAIN)
    assert plain.figures["mouth_ssim"].versus["warp"][1] < 0


def test_the_warp_brings_landmarks_nearer_than_a_copy(alone: Measured) -> None:
    assert scores(alone, "warp", 1)["landmark_error"] < 0.7 * scores(alone, "copy", 1)["landmark_error"]


def test_an_untrained_warp_family_is_the_warp(measured: Measured) -> None:
    assert scores(measured, WARP, 1) == pytest.approx(
        scores(measured, "warp", 1), abs=2e-3
    )  # both are rounded to 8 bits; with two sources it takes the mouth from both
    row = next(r for r in measured.results if r.method == WARP)
    assert row.differences["ssim_vs_warp"] == pytest.approx((0.0, 0.0), abs=2e-3)


def test_warp_has_no_interval_against_itself_and_the_others_have(measured: Measured) -> None:
    for result in measured.results:
        assert ("ssim_vs_warp" in result.differences) == (result.method != "warp")


def test_an_untrained_plain_network_is_worse_than_the_warp(measured: Measured) -> None:
    row = next(r for r in measured.results if r.method == PLAIN)
    assert row.differences["ssim_vs_warp"][1] < 0 < row.differences["perceptual_vs_warp"][0]
    warp = next(r for r in measured.results if r.method == "warp")
    assert row.fd_lite0 > warp.fd_lite0


def test_the_same_footage_gives_the_same_numbers(clips: Path, alone: Measured) -> None:
    networks = {PLAIN: checkpoint(PLAIN), WARP: checkpoint(WARP, awake=False)}
    again = measure([clips / "astronaut.mp4"], networks, ONE_SHOT)
    assert [(r.method, r.scores, r.differences) for r in again.results] == [
        (r.method, r.scores, r.differences) for r in alone.results
    ]
    assert again.footage == alone.footage


def test_fine_tuned_methods_stand_beside_the_others(clips: Path) -> None:
    config = QualityConfig(shots=(2,), targets=2, size=64, tune_seconds=0.1)
    done = measure([clips / "astronaut.mp4"], {PLAIN: checkpoint(PLAIN)}, config)
    assert [r.method for r in done.results] == ["copy", "warp", PLAIN, PLAIN + TUNED]
    assert scores(done, PLAIN + TUNED, 2) != scores(done, PLAIN, 2)


def test_networks_of_two_sizes_are_compared_at_one_and_with_the_previous_one(clips: Path) -> None:
    networks = {WARP: checkpoint(WARP, size=64), PREVIOUS: checkpoint(WARP, awake=False)}
    done = measure([clips / "astronaut.mp4"], networks, QualityConfig(shots=(1,), targets=2, size=64, tune_seconds=0.1))
    assert [r.method for r in done.results] == ["copy", "warp", WARP, WARP + TUNED, PREVIOUS]
    newer = next(r for r in done.results if r.method == WARP)
    low, high = newer.differences["csim_vs_previous"]  # one clip: the interval is the difference
    assert low == high == pytest.approx(scores(done, WARP, 1)["csim"] - scores(done, PREVIOUS, 1)["csim"])
    assert "csim_vs_previous" not in done.results[-1].differences
    assert next(r for r in done.results if r.method == WARP + TUNED).learning > newer.learning


class Colours:
    """Stands for Inception: the picture itself at 4 px, many times over."""

    digest = "ab" * 32

    def features(self, image: np.ndarray) -> torch.Tensor:
        small = torch.nn.functional.adaptive_avg_pool2d(torch.from_numpy(image).permute(2, 0, 1)[None].float(), 4)
        return small.flatten(1).tile(40)


def test_fid_is_of_all_frames_and_names_its_weights(clips: Path) -> None:
    done = measure([clips / "mona.mp4", clips / "still.mp4"], {}, ONE_SHOT, inception=Colours())  # type: ignore[arg-type]
    copy, warp = done.results
    assert copy.fid is not None and warp.fid is not None and copy.fid != warp.fid and copy.fid > 0
    row = copy.row(None, done.footage, ONE_SHOT).line()
    assert row["fid"] == round(copy.fid, 3) and row["networks"]["fid"]["sha256"] == "ab" * 32
    still = measure([clips / "still.mp4"], {}, ONE_SHOT, inception=Colours()).results[0]  # type: ignore[arg-type]
    assert still.fid == pytest.approx(0, abs=1e-4)  # every frame is the one that was wanted


def test_no_usable_clip_is_an_error(clips: Path) -> None:
    with pytest.raises(MediaError, match="None of 1"):
        measure([clips / "bars.mp4"], {}, QUICK)


@pytest.mark.parametrize("change", [{"shots": ()}, {"shots": (0,)}, {"targets": 1}, {"size": 8}])
def test_impossible_measurements_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        QualityConfig(**change)


@pytest.mark.parametrize(("count", "known"), [(1, [5]), (2, [0, 9]), (4, [0, 3, 6, 9]), (10, list(range(10)))])
def test_frames_are_spread_over_their_half(count: int, known: list[int]) -> None:
    assert spread_over(range(10), count).tolist() == known


# The command


@pytest.fixture
def run(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Runs `bench quality` on two clips with tiny checkpoints as the shipped ones."""
    (tmp_path / "weights").mkdir()
    for name, family in zip(checkpoints.SHIPPED, (WARP, PLAIN), strict=False):
        torch.manual_seed(0)
        save_checkpoint(tmp_path / "weights" / f"{name}.safetensors", checkpoint(family))
    monkeypatch.setattr(checkpoints, "files", lambda package: tmp_path)

    def invoke(*arguments: str) -> Result:
        fixed = [
            "--footage",
            str(clips),
            "--clips",
            "mona.mp4",
            "--clips",
            "bars.mp4",
            "--shots",
            "1",
            "--targets",
            "2",
            "--size",
            "64",
        ]
        return CliRunner().invoke(quality, [*fixed, "--tune-seconds", "0", *arguments])

    return invoke


def test_json_lines_say_what_they_are(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    result = run("--json")
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [r["method"] for r in rows] == ["copy", "warp", PLAIN, WARP]
    assert [r["shipped"] for r in rows] == [False, False, False, True]
    needed = {
        "T",
        *METRICS[:5],
        "figures",
        "readers",
        "n",
        "frames",
        "fd_lite0",
        "learning_s",
        "protocol",
        "footage",
        "model",
        "size",
    }
    assert all(needed <= set(r) for r in rows)
    assert rows[3]["model"] == file_digest(tmp_path / "weights" / "portrait-256.safetensors")
    assert {"mouth_ssim", "mouth_perceptual", "same_faces"} <= set(rows[3]["figures"])
    assert rows[0]["model"] is None and len(rows[3]["ssim_vs_warp"]) == 2
    assert {"perceptual", "fd_lite0", "csim", "landmark_error", "same_faces", "mesh"} <= set(rows[3]["networks"])
    assert "fid" not in {*rows[3], *rows[3]["networks"]}
    assert "bars.mp4: No face" in result.stderr


def test_the_table_is_short_and_aligned_and_the_results_are_written_with_how_they_came_about(
    run,  # type: ignore[no-untyped-def]
    tmp_path: Path,
) -> None:
    out = tmp_path / "results.jsonl"
    out.write_text('{"method": "earlier"}\n')
    lines = run("--output", str(out)).stdout.splitlines()
    assert lines[0].split()[:6] == ["method", "T", "SSIM", "CSIM", "perceptual", "landmarks"]
    assert lines[5:7] == ["", "mouth_ssim"] and "N = 1 clips, 2 frames at 64 px" in lines[-2]
    assert lines[-1].startswith(f"Networks: EfficientNet-Lite0 {file_digest(lite0_file())[:8]} (perceptual, ")
    assert any(line.startswith(f"{WARP} *") for line in lines)
    earlier, *rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert earlier == {"method": "earlier"} and len(rows) == 4
    assert {"command", "version", "date", "machine", "protocol", "interval", "method", "ssim"} <= set(rows[0])


def test_weights_that_are_not_inceptions_are_refused_before_anything_is_measured(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "inception.pth").write_bytes(b"PK")
    result = run("--inception", str(tmp_path / "inception.pth"))
    assert isinstance(result.exception, UsageError) and "no FID" in result.exception.message and not result.stdout


def test_another_checkpoint_is_not_the_shipped_one(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    save_checkpoint(tmp_path / "mine.safetensors", checkpoint(WARP, seed=9))
    rows = [
        json.loads(line)
        for line in run("--json", "--checkpoint", str(tmp_path / "mine.safetensors")).stdout.splitlines()
    ]
    assert not any(r["shipped"] for r in rows)


def test_a_shipped_checkpoint_that_is_not_there_is_left_out_and_said(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "weights" / "paper-128.safetensors").unlink()
    result = run("--json")
    assert [json.loads(line)["method"] for line in result.stdout.splitlines()] == ["copy", "warp", WARP]
    assert "Without paper-128" in result.stderr


def test_a_named_checkpoint_that_is_not_there_ends_with_3(clips: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "quality", "--footage", str(clips), "--checkpoint", "none.safetensors"]) == 3
    assert "portrait-256" in capfd.readouterr().err


@pytest.mark.footage
def test_real_footage_is_measured(footage: Path) -> None:
    done = measure(choose_clips(footage)[:2], {}, QualityConfig(shots=(1,), targets=2, tune_seconds=0))
    assert scores(done, "warp", 1)["ssim"] > 0.3
