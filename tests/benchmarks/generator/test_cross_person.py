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
from benchmarks.generator.cross_person import CrossConfig, Crossed, _shape_error, measure
from generator.motion.retarget import canonical_face
from generator.networks.checkpoint import save_checkpoint
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
    animator = Animator(checkpoint(WARP, awake=False))
    return measure(
        [files / "mona.png", files / "bars.png"], [files / "astronaut.mp4", files / "bars.mp4"], animator, CONFIG
    )


def test_the_sitter_comes_out_and_not_the_driver(crossed: Crossed) -> None:
    (pair,) = crossed.pairs
    assert (pair.portrait, pair.driver, pair.moments) == ("mona", "astronaut", 4)
    assert pair.csim_source > 0.6 > 2 * pair.csim_driver
    assert pair.shape_source < 0.5 * pair.shape_driver


def test_what_shows_no_face_is_named(crossed: Crossed) -> None:
    assert {path.name for path, _ in crossed.skipped} == {"bars.png", "bars.mp4"}


def test_the_sheet_shows_source_drivers_and_outputs(crossed: Crossed) -> None:
    assert crossed.sheet.shape == (256, 256 + 6 * 128, 3)
    assert (
        np.abs(crossed.sheet[:128, 256:].astype(int) - crossed.sheet[128:, 256:]).mean() > 10
    )  # drivers above, outputs below


def test_nothing_usable_is_an_error(files: Path) -> None:
    with pytest.raises(MediaError, match="No portrait and driver"):
        measure([files / "bars.png"], [files / "astronaut.mp4"], Animator(checkpoint(WARP, awake=False)), CONFIG)


def test_shape_does_not_see_place_size_and_turn() -> None:
    face = canonical_face()
    turn = np.array([[0.0, -2.0], [2.0, 0.0]])
    assert _shape_error((face @ turn + 3).astype(np.float32), face, list(range(36))) == pytest.approx(0, abs=1e-5)
    wider = (face * [1.3, 1.0]).astype(np.float32)
    assert _shape_error(wider, face, list(range(36))) > 0.05


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
    (row,) = [json.loads(line) for line in (tmp_path / "cross.jsonl").read_text().splitlines()]
    assert {
        "csim_source",
        "csim_driver",
        "shape_source",
        "shape_driver",
        "model",
        "protocol",
        "footage",
        "machine",
    } <= set(row)
    assert json.loads(result.stdout)["portrait"] == "mona"
    assert "trainedAlgorithmicMedia" in verify(tmp_path / "sheet.png").declares
