"""Configurations: what is read is what was written; what does not fit is refused with the name of the key."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfumato.config import from_dict, load_config, to_dict
from sfumato.errors import ConfigError


@dataclass(frozen=True)
class Optimiser:
    rate: float = 1e-3
    betas: tuple[float, float] = (0.5, 0.9)


@dataclass(frozen=True)
class Training:
    steps: int = 100
    name: str = "run"
    amp: bool = False
    folder: Path = Path("runs")
    sizes: tuple[int, ...] = (64, 128)
    mode: Literal["fast", "full"] = "fast"
    limit: int | None = None
    seed: int | str = 0
    weights: dict[str, float] = field(default_factory=dict)
    optimiser: Optimiser = Optimiser()

    def __post_init__(self) -> None:
        if self.steps < 0:
            raise ValueError("steps must not be negative")


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TRAININGS = st.builds(
    Training,
    steps=st.integers(0, 2**40),
    name=st.text(),
    amp=st.booleans(),
    folder=st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1).map(Path),
    sizes=st.lists(st.integers()).map(tuple),
    mode=st.sampled_from(["fast", "full"]),
    limit=st.none() | st.integers(),
    seed=st.integers() | st.text(),
    weights=st.dictionaries(st.text(), FLOATS),
    optimiser=st.builds(Optimiser, rate=FLOATS, betas=st.tuples(FLOATS, FLOATS)),
)


@given(TRAININGS)
def test_a_config_survives_json(training: Training) -> None:
    assert from_dict(Training, json.loads(json.dumps(to_dict(training)))) == training


LEAVES = st.none() | st.booleans() | st.integers() | FLOATS | st.text()


@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_value_either_fits_or_is_a_config_error(value: object) -> None:
    for key in ("steps", "sizes", "limit", "weights", "optimiser", "folder", "mode"):
        try:
            from_dict(Training, {key: value})
        except ConfigError as error:
            assert key in str(error) or "Training" in str(error) or "optimiser" in str(error)


@given(st.text(), st.text())
def test_any_override_either_fits_or_is_a_config_error(key: str, value: str) -> None:
    try:
        load_config(Training, overrides=[f"{key}={value}"])
    except ConfigError:
        pass


def test_file_then_overrides(tmp_path: Path) -> None:
    path = tmp_path / "training.toml"
    path.write_text('steps = 5\nname = "a"\n[optimiser]\nrate = 1\n')
    training = load_config(Training, path, ["steps=7", "optimiser.betas=[0, 0.99]", "name=bare word", "mode=full"])
    assert training == Training(steps=7, name="bare word", mode="full", optimiser=Optimiser(1.0, (0.0, 0.99)))
    assert isinstance(training.optimiser.rate, float)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("stepz=1", "Unknown key stepz"),
        ("optimiser.speed=1", "Unknown key optimiser.speed"),
        ("steps=1.5", "type int"),
        ("steps=true", "type int"),
        ("steps=-1", "must not be negative"),
        ("amp=1", "type bool"),
        ("mode=slow", "fast, full"),
        ("optimiser=3", "section"),
        ("optimiser.betas=[1]", "must have 2"),
        ("optimiser.rate=1" + "0" * 400, "out of range"),
        ("sizes=5", "list"),
        ("steps.deeper=5", "steps"),
        ("steps", "key.subkey=value"),
        ("=5", "key.subkey=value"),
    ],
)
def test_refusals_name_the_key_and_the_remedy(override: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said.replace(".", r"\.")):
        load_config(Training, overrides=[override])


def test_a_value_is_not_a_section() -> None:
    with pytest.raises(ConfigError, match="is a value"):
        load_config(Training, overrides=["steps=5", "steps.deeper=5"])


def test_a_mark_of_the_byte_order_and_other_ends_of_lines_are_read(tmp_path: Path) -> None:
    path = tmp_path / "training.toml"
    path.write_bytes(b'\xef\xbb\xbfsteps = 5\r\nname = "a"\r\n')
    assert load_config(Training, path) == Training(steps=5, name="a")


@pytest.mark.parametrize("content", [b"steps = ", b"\xff\xfe", b"a = " + b"[" * 5000])
def test_what_is_not_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="TOML"):
        load_config(Training, path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="absent"):
        load_config(Training, tmp_path / "absent.toml")


def test_a_required_key_that_is_not_given_is_named() -> None:
    @dataclass(frozen=True)
    class Needs:
        size: int

    with pytest.raises(ConfigError, match="size"):
        from_dict(Needs, {})


def test_a_file_lies_over_its_base_key_by_key(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text("steps = 1\nname = 'base'\n[optimiser]\nrate = 0.5\nbetas = [0.1, 0.2]\n")
    (tmp_path / "own.toml").write_text("steps = 2\n[optimiser]\nrate = 0.25\n")
    read = load_config(Training, tmp_path / "own.toml", ["amp=true"], base=tmp_path / "base.toml")
    assert (read.steps, read.name, read.amp) == (2, "base", True)
    assert read.optimiser == Optimiser(0.25, (0.1, 0.2))


@pytest.mark.parametrize(
    "text",
    [
        "a." * 200_000 + "a = 1",
        "[" + "a . " * 200_000 + "a]",
        "x = {" + '"a".' * 100_000 + "a = 1}",
        "x = " + "[" * 500_000,
        "x = 1\n" * 200_000,
        '"' * 1_000_000,
        "." * 1_000_000,
    ],
    ids=["key", "section", "inline", "lists", "repeated", "quotes", "dots"],
)
def test_a_hostile_file_is_refused_soon(tmp_path: Path, text: str) -> None:
    """Each would take minutes, or a deep stack, where nobody counts first."""
    (tmp_path / "a.toml").write_text(text)
    before = time.process_time()
    with pytest.raises(ConfigError, match="It must be a TOML file"):
        load_config(Training, tmp_path / "a.toml")
    assert time.process_time() - before < 2


def test_a_file_over_the_limit_is_not_parsed(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("# " + "x" * 2**20)
    with pytest.raises(ConfigError, match="more than 1 MB"):
        load_config(Training, tmp_path / "a.toml")


def test_dots_in_strings_and_numbers_are_no_parts_of_keys(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(f"name = '{'.' * 50}'\nfolder = \"{'a.' * 50}\"\noptimiser.betas = [0.1, 0.2]\n")
    assert load_config(Training, tmp_path / "a.toml").name == "." * 50
