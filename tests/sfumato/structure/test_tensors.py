"""Headers of tensor files: what they say of themselves is looked at before the library reads them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from generator.motion.track import read_motion
from generator.networks.checkpoint import load_checkpoint
from generator.person.person_file import read_person
from sfumato.errors import CheckpointError, MediaError
from sfumato.structure.tensors import hold_tensors, read_tensors
from tests.hostile_files import safetensors_with

OVERLAPPING = {name: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} for name in ("landmarks", "times")}
ABSURD = {"landmarks": {"dtype": "F32", "shape": [2**40, 68, 2], "data_offsets": [0, 4]}}
FILES = {
    "a header of 100 MB": safetensors_with(b" " * 64, declared=100 * 2**20),
    "a header of exabytes": safetensors_with(b"{}", declared=2**63),
    "the same bytes twice": safetensors_with(OVERLAPPING, data=bytes(4)),
    "a shape of terabytes": safetensors_with(ABSURD, data=bytes(4)),
    "a deep header": safetensors_with(b'{"__metadata__":' + b'{"a":' * 100_000),
    "nothing": b"",
}


def test_a_header_over_the_limit_is_named(tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as file:
        file.write(FILES["a header of 100 MB"])
        file.truncate(101 * 2**20)  # of which nothing takes room
    with pytest.raises(CheckpointError, match="100 MB of header; the limit is 16 MB"):
        hold_tensors(tmp_path / "a", CheckpointError)


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    save_file({"w": torch.arange(6.0).reshape(2, 3)}, tmp_path / "a", metadata={"format": "x"})
    header, tensors = read_tensors(tmp_path / "a")
    assert (
        header == {"format": "x"} and list(tensors) == ["w"] and torch.equal(tensors["w"], torch.arange(6.0).view(2, 3))
    )


@pytest.mark.parametrize("data", [FILES["a shape of terabytes"], FILES["nothing"]])
def test_what_is_no_such_file_is_a_value_error(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(ValueError):
        read_tensors(tmp_path / "a")


@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
def test_every_reader_refuses_with_one_error(tmp_path: Path, data: bytes) -> None:
    for name, read, error in (
        ("a.motion", read_motion, MediaError),
        ("a.person", read_person, MediaError),
        ("a.safetensors", load_checkpoint, CheckpointError),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(error):
            read(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.motion")
    with pytest.raises(MediaError):
        read_motion(tmp_path / "a.motion")
