"""Cross-person reenactment: a training-free warp keeps the sitter; what cannot be used is named; the sheet is
sealed.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.commands.generator import cross
from benchmarks.generator.cross_person import CrossConfig, Crossed, measure
from benchmarks.metrics.readers import Readers
from benchmarks.rows.generator import DrivenRow
from generator.networks.checkpoint import save_checkpoint
from generator.networks.landmark_warp import landmark_warp
from generator.rendering.animator import Animator
from provenance.verifying.verify import verify
from sfumato.errors import MediaError, UsageError
from sfumato.media.images import write_image
from tests.generator_fixtures import WARP, astronaut, checkpoint, moving, portrait
from tests.media_fixtures import make_video

CONFIG = CrossConfig(size=128, moments=4)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Mona Lisa as a picture; the astronaut moving; a video and a picture without a face; a checkpoint that only
    warps.
    """
    folder = tmp_path_factory.mktemp("cross")
    write_image(folder / "mona.png", portrait(side=512))
    write_image(folder / "bars.png", np.full((64, 64, 3), 80, np.uint8))
    make_video(folder / "astronaut.mp4", frames=10, width=512, height=512, images=moving(astronaut(), 10, 30))
    make_video(folder / "bars.mp4", frames=10)
    save_checkpoint(folder / "warp.safetensors", checkpoint(WARP, awake=False))
    return folder


@pytest.fixture(scope="module")
def crossed(files: Path) -> Crossed:
    animators = {WARP: Animator(checkpoint(WARP, awake=False)), "warp": Animator(landmark_warp())}
    portraits, drivers = [files / "mona.png", files / "bars.png"], [files / "astronaut.mp4", files / "bars.mp4"]
    return measure(portraits, drivers, animators, CONFIG, readers=Readers(other=[]))


def test_every_portrait_follows_every_driver_and_every_driver_itself(crossed: Crossed) -> None:
    assert [(p.driving, p.method, p.portrait, p.driver, p.moments, p.frames) for p in crossed.pairs] == [
        ("self", WARP, "astronaut", "astronaut", 4, 10),
        ("self", "warp", "astronaut", "astronaut", 4, 10),
        ("cross", WARP, "mona", "astronaut", 4, 10),
        ("cross", "warp", "mona", "astronaut", 4, 10),
    ]


def test_the_sitter_comes_out_and_not_the_driver(crossed: Crossed) -> None:
    for pair in crossed.pairs[2:]:
        assert pair.figures["csim_source"] > 0.6 > 2 * pair.figures["csim_driver"]
        assert pair.figures["shape_source"] < 0.5 * pair.figures["shape_driver"]


def test_a_driver_that_drives_itself_comes_out(crossed: Crossed) -> None:
    figures = crossed.pairs[0].figures
    assert figures["csim_driver"] > 0.9 and figures["same_faces"] == 1 and figures["background"] < 5


def test_a_face_that_does_not_move_by_itself_measures_no_mouth(crossed: Crossed) -> None:
    assert not any(name.startswith("mouth_ratio") for pair in crossed.pairs for name in pair.figures)


def test_rows_are_those_of_the_pairs_and_one_for_each_method_and_way_of_driving(crossed: Crossed) -> None:
    rows = crossed.rows({WARP: "ab", "warp": None}, WARP, CONFIG)
    assert [(row.kind, row.driving, row.method) for row in rows[4:]] == [
        ("driven", driving, method) for driving in ("self", "cross") for method in (WARP, "warp")
    ]
    own, other = (row for row in rows[6:] if isinstance(row, DrivenRow))
    assert (own.shipped, other.shipped, own.readers, own.model) == (True, False, ("mesh",), "ab")
    csim = own.figures["csim_source"]
    assert csim.n == 1 and csim.value.value == pytest.approx(crossed.pairs[2].figures["csim_source"], abs=1e-4)
    gap = crossed.pairs[2].figures["csim_source"] - crossed.pairs[3].figures["csim_source"]
    assert csim.versus["warp"] == pytest.approx((gap, gap), abs=1e-4)


def test_what_shows_no_face_is_named(crossed: Crossed) -> None:
    assert {path.name for path, _ in crossed.skipped} == {"bars.png", "bars.mp4"}


def test_the_sheet_shows_source_drivers_and_outputs(crossed: Crossed) -> None:
    assert crossed.sheet.shape == (256, 256 + 6 * 128, 3)
    assert (
        np.abs(crossed.sheet[:128, 256:].astype(int) - crossed.sheet[128:, 256:]).mean() > 10
    )  # drivers above, outputs below


def test_nothing_usable_is_an_error(files: Path) -> None:
    animators = {"warp": Animator(landmark_warp())}
    with pytest.raises(MediaError, match="No portrait and driver"):
        measure([files / "bars.png"], [files / "bars.mp4"], animators, CONFIG, readers=Readers(other=[]))


@pytest.mark.parametrize("change", [{"size": 8}, {"moments": 2}, {"seconds": 0}])
def test_impossible_measurements_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        CrossConfig(**change)


def test_the_command_writes_lines_and_a_sealed_sheet(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFUMATO_KEYS", str(tmp_path / "keys"))
    fixed = [
        "--portrait",
        str(files / "mona.png"),
        "--driver",
        str(files / "astronaut.mp4"),
        "--moments",
        "4",
        "--size",
        "64",
    ]
    fixed += ["--checkpoint", str(files / "warp.safetensors"), "--sheet", str(tmp_path / "sheet.png")]
    refused = CliRunner().invoke(cross, fixed)
    assert isinstance(refused.exception, UsageError) and not (tmp_path / "sheet.png").exists()
    result = CliRunner().invoke(
        cross, [*fixed, "--json", "--consent", "a painting", "--output", str(tmp_path / "cross.jsonl")]
    )
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in (tmp_path / "cross.jsonl").read_text().splitlines()]
    assert [row["kind"] for row in rows] == ["pair"] * 4 + ["driven"] * 4
    assert {"figures", "readers", "model", "protocol", "footage", "machine"} <= set(rows[0])
    assert {"csim_source", "shape_driver", "same_faces"} <= set(rows[0]["figures"])
    assert "warp" in rows[4]["figures"]["csim_source"]["versus"]
    assert json.loads(result.stdout.splitlines()[0])["portrait"] == "astronaut"
    assert "trainedAlgorithmicMedia" in verify(tmp_path / "sheet.png").declares
