"""Person files: small, they come back as the person who was learned, on that checkpoint only; hostile ones are
refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from generator.config import TuneConfig
from generator.networks.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from generator.person.person_file import FORMAT, PersonFacts, PersonFile, pack_person, read_person, write_person
from generator.person.portrait import Portrait
from generator.rendering.animator import Animator
from sfumato.config import to_dict
from sfumato.errors import CheckpointError, MediaError, OutputError, UsageError
from sfumato.media.faces import Crop, Face
from tests.generator_fixtures import PIXELS, PLAIN, WARP, checkpoint, drawn_face, pose

TUNE = TuneConfig(iterations=6, loss=PIXELS, check_every=2, learning_rate=3e-3, patience=100)


def sitter(seed: int, size: int = 64) -> Portrait:
    points = pose(seed, size)
    face = Face((0, 0, size, size), 1.0, np.zeros((5, 2), np.float32))
    return Portrait(
        Crop(0, 0, size), face, drawn_face(7, points, size), ((2 * points + 1) / size - 1).astype(np.float32)
    )


def saved(path: Path, family: str = WARP, **changes: Any) -> Checkpoint:
    save_checkpoint(path, checkpoint(family, **changes))
    return load_checkpoint(path)


def facts(base: Checkpoint, **changes: Any) -> PersonFacts:
    values = {
        "base": base.digest,
        "base_name": "tiny",
        "landmarks": "mesh",
        "crop": base.crop,
        "portraits": ("a" * 64,),
        "consent": "mine",
    }
    return PersonFacts(**{**values, **changes})


def learned(
    base: Checkpoint, frames: int = 1, tune: TuneConfig | None = TUNE
) -> tuple[Animator, PersonFile, list[Portrait]]:
    portraits = [sitter(i) for i in range(frames)]
    animator = Animator(base)
    person = animator.set_identity(portraits, tune)
    return animator, pack_person(person, portraits, base, facts(base, portraits=("a" * 64,) * frames)), portraits


def restored(base: Checkpoint, content: PersonFile, size: int = 64) -> Animator:
    animator = Animator(base)
    portraits = content.portraits(size)
    animator.set_person(content.person(base, *animator.frames(portraits)), portraits)
    return animator


@pytest.mark.parametrize(("family", "frames"), [(PLAIN, 1), (WARP, 4)])
def test_a_person_comes_back_from_the_file(tmp_path: Path, family: str, frames: int) -> None:
    base = saved(tmp_path / "base.safetensors", family, width=40, max_width=40, critic=False)
    before = {name: value.clone() for name, value in base.generator.state_dict().items()}
    animator, content, _ = learned(base, frames)
    write_person(tmp_path / "x.person", content)
    read = read_person(tmp_path / "x.person")
    assert read.facts == content.facts and read.signed_bytes() == content.signed_bytes()
    again = restored(load_checkpoint(tmp_path / "base.safetensors"), read)
    wanted = sitter(50).landmarks
    direct, loaded = (a.render(wanted, 64).astype(int) for a in (animator, again))
    generic = Animator(base)
    generic.set_identity([sitter(i) for i in range(frames)])
    learning = np.abs(direct - generic.render(wanted, 64)).mean()
    assert learning > 1  # or the next line says little
    assert np.abs(direct - loaded).mean() < 0.25 * learning
    assert all(torch.equal(value, base.generator.state_dict()[name]) for name, value in before.items())


def test_without_tuning_nothing_of_g_is_stored_and_frames_are_as_before(tmp_path: Path) -> None:
    base = saved(tmp_path / "base.safetensors", PLAIN)
    animator, content, _ = learned(base, tune=None)
    assert not content.delta
    assert np.array_equal(
        restored(base, content).render(sitter(9).landmarks, 64), animator.render(sitter(9).landmarks, 64)
    )


def test_the_file_is_small_and_large_matrices_are_factored(tmp_path: Path) -> None:
    base = saved(tmp_path / "base.safetensors", PLAIN, width=48, max_width=48, critic=False)
    _, content, _ = learned(base, tune=replace(TUNE, iterations=2))
    write_person(tmp_path / "x.person", content)
    whole = sum(value.numel() for name, value in base.generator.state_dict().items() if "projection" not in name) * 2
    assert (tmp_path / "x.person").stat().st_size < 0.5 * whole
    assert not any("projection" in name for name in content.delta)  # P is not trained


def test_another_base_is_refused_by_name(tmp_path: Path) -> None:
    base, other = saved(tmp_path / "base.safetensors"), saved(tmp_path / "other.safetensors", seed=1)
    _, content, _ = learned(base, tune=None)
    with pytest.raises(CheckpointError, match="learned on the checkpoint tiny"):
        restored(other, content)


def test_tensors_that_do_not_fit_the_base_are_refused(tmp_path: Path) -> None:
    base = saved(tmp_path / "base.safetensors")
    _, content, _ = learned(base, tune=None)
    name, own = next((n, v) for n, v in base.generator.state_dict().items() if v.ndim == 4)
    flat = int(np.prod(own.shape[1:]))
    wrong: list[dict[str, Any]] = [
        {"psi": content.psi[:, 1:]},
        {"delta": {"no.such": (np.zeros(3, np.float16),)}},
        {"delta": {name: (np.zeros(3, np.float16),)}},
        {"delta": {name: (np.zeros((len(own), 2), np.float16), np.zeros((3, flat), np.float16))}},
        {"delta": {name: (np.zeros((len(own), 2), np.float16), np.zeros((2, flat - 1), np.float16))}},
    ]
    for change in wrong:
        with pytest.raises(CheckpointError, match="does not fit"):
            restored(base, replace(content, **change))
    fitting = {name: (np.zeros((len(own), 2), np.float16), np.zeros((2, flat), np.float16))}
    restored(base, replace(content, delta=fitting))


Tensors = dict[str, NDArray[Any]]
FAULTS: dict[str, Callable[[Tensors], Tensors]] = {
    "no psi": lambda t: {n: v for n, v in t.items() if n != "psi"},
    "psi in 64 bits": lambda t: {**t, "psi": t["psi"].astype(np.float64)},
    "psi of two": lambda t: {**t, "psi": np.repeat(t["psi"], 2, axis=0)},
    "psi not finite": lambda t: {**t, "psi": np.full_like(t["psi"], np.nan)},
    "landmarks of 67": lambda t: {**t, "landmarks": t["landmarks"][:, 1:]},
    "landmarks far away": lambda t: {**t, "landmarks": t["landmarks"] + 1e6},
    "no picture": lambda t: {n: v for n, v in t.items() if n != "picture.0"},
    "a picture more": lambda t: {**t, "picture.1": t["picture.0"]},
    "a huge picture": lambda t: {**t, "picture.0": np.zeros((4 << 20) + 1, np.uint8)},
    "something else": lambda t: {**t, "extra": np.zeros(1, np.float32)},
    "half a delta": lambda t: {**t, "delta1.x": np.zeros((2, 2), np.float16)},
    "delta in 32 bits": lambda t: {**t, "delta0.x": np.zeros(2, np.float32)},
    "delta not finite": lambda t: {**t, "delta0.x": np.full(2, np.inf, np.float16)},
}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("person")
    base = saved(folder / "base.safetensors")
    write_person(folder / "x.person", learned(base, tune=None)[1])
    return folder / "x.person"


@pytest.mark.parametrize("fault", FAULTS)
def test_hostile_tensors_are_refused(tmp_path: Path, good: Path, fault: str) -> None:
    stated = json.dumps(to_dict(read_person(good).facts))
    save_file(FAULTS[fault](load_file(good)), tmp_path / "x.person", metadata={"format": FORMAT, "facts": stated})
    with pytest.raises(MediaError, match="person"):
        read_person(tmp_path / "x.person")


NOT_FACTS = ["", "{", "[]", "{}", "[" * 9000, "null", '{"base": 1}', '{"base": "x", "portraits": []}']


@pytest.mark.parametrize("stated", NOT_FACTS)
def test_hostile_facts_are_refused(tmp_path: Path, good: Path, stated: str) -> None:
    save_file(load_file(good), tmp_path / "x.person", metadata={"format": FORMAT, "facts": stated})
    with pytest.raises(MediaError, match="missing or damaged"):
        read_person(tmp_path / "x.person")


@pytest.mark.parametrize("data", [b"", b"no jpeg", b"\xff\xd8\xff" * 100])
def test_a_picture_that_is_none_is_refused(good: Path, data: bytes) -> None:
    with pytest.raises(MediaError, match="picture"):
        replace(read_person(good), pictures=(data,)).portraits(64)


@pytest.mark.parametrize("shape", [(64, 65), (8, 8), (4000, 4000)])
def test_a_picture_of_another_shape_is_refused_before_it_is_decoded(good: Path, shape: tuple[int, int]) -> None:
    import io

    from PIL import Image

    encoded = io.BytesIO()
    Image.new("RGB", shape).save(encoded, format="JPEG")
    with pytest.raises(MediaError, match="picture"):
        replace(read_person(good), pictures=(encoded.getvalue(),)).portraits(64)


@pytest.mark.parametrize("content", [b"", b"no person", b"\xff" * 100])
def test_damaged_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.person").write_bytes(content)
    for name in ("x.person", "gone.person"):
        with pytest.raises(MediaError, match="missing or damaged"):
            read_person(tmp_path / name)


def test_every_byte_is_under_the_signature(good: Path) -> None:
    content = read_person(good)
    changes: list[dict[str, Any]] = [
        {"psi": content.psi + 1}, {"pictures": (b"x",)}, {"landmarks": content.landmarks + 1},
        {"delta": {"x": (np.zeros(1, np.float16),)}},
        {"facts": replace(content.facts, consent="another")},
    ]  # fmt: skip
    signed = {content.signed_bytes(), *(replace(content, **change).signed_bytes() for change in changes)}
    assert len(signed) == 1 + len(changes)
    assert replace(content, signature=b"x").signed_bytes() == content.signed_bytes()


def test_another_suffix_or_folder_is_refused(tmp_path: Path, good: Path) -> None:
    content = read_person(good)
    with pytest.raises(UsageError, match=r"\.person"):
        write_person(tmp_path / "x.safetensors", content)
    with pytest.raises(OutputError):
        write_person(tmp_path / "none" / "x.person", content)
