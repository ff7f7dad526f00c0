"""The run's log: nothing is said twice after a resume; TensorBoard where it is installed, silence where it is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from generator.training.run_log import RunLog
from generator.training.validation import Validation
from sfumato.media.images import write_image
from sfumato.run import RunFolder
from tests.generator_fixtures import portrait

SEEN = Validation(0.5, 0.1, 0.4, 0.9)


def said(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def filled(path: Path) -> RunFolder:
    """A run of three steps, the last line cut in the middle."""
    folder = RunFolder(path)
    log = RunLog(folder, 0)
    for step in (1, 2, 3):
        log.losses(step, 1.0, {"loss": 1.0 / step})
    write_image(path / "sheet.png", portrait())
    log.validation(2, SEEN, path / "sheet.png")
    log.warning(3, "something")
    log.close()
    with (path / "log.jsonl").open("a") as file:
        file.write('{"step": 1, "lo')
    return folder


@pytest.fixture
def without_board(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)


@pytest.mark.usefixtures("without_board")
def test_lines_after_the_resumed_step_and_half_lines_are_taken_out(tmp_path: Path) -> None:
    folder = filled(tmp_path / "run")
    RunLog(folder, 2).losses(3, 2.0, {"loss": 5.0})
    assert [(line["step"], "validation" in line) for line in said(folder.path)] == [
        (1, False),
        (2, False),
        (2, True),
        (3, False),
    ]
    assert said(folder.path)[-1]["loss"] == 5.0


@pytest.mark.usefixtures("without_board")
def test_without_tensorboard_there_is_no_folder_for_it(tmp_path: Path) -> None:
    assert not (filled(tmp_path / "run").path / "tensorboard").exists()


def test_tensorboard_gets_scalars_and_the_sheet(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder = filled(tmp_path / "run")
    events = EventAccumulator(str(folder.path / "tensorboard")).Reload()
    assert [(e.step, round(e.value, 3)) for e in events.Scalars("train/loss")] == [(1, 1.0), (2, 0.5), (3, 0.333)]
    assert {"validation/ssim", "validation/l1", "validation/csim", "validation/spread"} <= set(events.Tags()["scalars"])
    assert [e.step for e in events.Images("samples")] == [2]


def test_a_resumed_run_shows_no_step_twice_in_tensorboard(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder = filled(tmp_path / "run")
    again = RunLog(folder, 1)
    again.losses(2, 1.0, {"loss": 7.0})
    again.close()
    events = EventAccumulator(str(folder.path / "tensorboard")).Reload()
    assert [(e.step, e.value) for e in events.Scalars("train/loss")] == [(1, 1.0), (2, 7.0)]
