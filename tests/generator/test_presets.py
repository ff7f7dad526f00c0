"""The presets: each loads, says what it is named for, and gives way to --config and --set."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.config import ModelConfig, TrainConfig
from generator.presets import PRESETS, preset_path
from sfumato.config import load_config


def preset(name: str, *settings: str, file: Path | None = None) -> TrainConfig:
    return load_config(TrainConfig, file, settings, base=preset_path(name))


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_configuration(name: str) -> None:
    assert preset(name).steps > 0


def test_every_file_is_listed() -> None:
    assert {path.stem for path in preset_path("paper-v2").parent.glob("*.toml")} == set(PRESETS)


def test_the_papers_presets_have_the_papers_networks_and_weights() -> None:
    first, second = preset("paper-v1"), preset("paper-v2")
    assert first.model == second.model == ModelConfig()
    assert (second.loss.vgg19, second.loss.vggface, second.loss.match, second.loss.feature_matching) == (
        0.15,
        0.025,
        10,
        10,
    )
    assert (first.loss.vgg19, first.loss.vggface, first.loss.match, first.loss.feature_matching) == (
        0.01,
        0.002,
        80,
        10,
    )
    assert (second.learning_rate, second.critic_learning_rate, second.critic_updates, second.frames) == (
        5e-5,
        2e-4,
        2,
        8,
    )


def test_a_file_lies_over_the_preset_and_settings_over_both(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("batch = 5\nframes = 2\n[loss]\nmatch = 3\n")
    config = preset("paper-v1", "frames=7", "loss.vgg19=0", file=tmp_path / "own.toml")
    assert (config.batch, config.frames, config.loss.match) == (5, 7, 3)
    assert (config.loss.vgg19, config.loss.vggface) == (0, 0.002)  # the rest of the section stays
