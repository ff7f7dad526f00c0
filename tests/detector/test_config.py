"""The detector's configuration: defaults hold, nonsense is refused, TOML round trip."""

from pathlib import Path

import pytest

from detector.config import FAMILY_HEADS, HEADS, DetectorConfig
from sfumato.config import from_dict, load_config, to_dict
from sfumato.errors import ConfigError


def test_defaults_survive_a_round_trip() -> None:
    assert from_dict(DetectorConfig, to_dict(DetectorConfig())) == DetectorConfig()


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "configs").glob("detector*.toml")), ids=lambda path: path.stem
)
def test_the_recipes_that_are_documented_are_read(path: Path) -> None:
    assert load_config(DetectorConfig, path) != DetectorConfig()


@pytest.mark.parametrize(
    "override",
    [
        "model.size=8",
        "samples.frames_per_clip=0",
        "samples.frames_per_clip=10001",
        "samples.scale_jitter=0.5",
        "degrade.jpeg=2.0",
        "train.pairs=1",
        "train.tune=heads",
        "samples.mix.swap=-1.0",
        "samples.mix.swap=inf",
        "train.minutes=0.0",
        "calibration.fit_share=0.0",
        "heads.frames=0",
        "heads.layer_strength=0.0",
        "heads.motion_strength=inf",
        "heads.acted_strength=0",
        "model.depth=3",
    ],
)
def test_nonsense_is_refused(override: str) -> None:
    with pytest.raises(ConfigError):
        load_config(DetectorConfig, None, [override])


def test_small_crops_must_be_smaller() -> None:
    assert (
        load_config(
            DetectorConfig, None, ["train.small_share=0.3", "train.small_size=64", "model.size=96"]
        ).train.small_size
        == 64
    )
    assert load_config(DetectorConfig, None, ["model.size=96"]).train.small_share == 0  # what is not used may be larger
    with pytest.raises(ConfigError, match=r"below model\.size"):
        load_config(DetectorConfig, None, ["train.small_share=0.3", "model.size=96"])


def test_every_family_teaches_known_heads() -> None:
    assert {head for heads in FAMILY_HEADS.values() for head in heads} == set(HEADS)
