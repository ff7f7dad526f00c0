"""Several processes are one: two with half the batch see the same episodes and walk the same way as one with the
whole.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from sfumato.app.cli.main import main
from sfumato.errors import UsageError
from sfumato.training.distributed import Ranks, ranks_of_this_run
from tests.generator.data.test_dataset import prepared
from tests.process_fixtures import ready_processes

SETTINGS = [
    "model.size=32", "model.width=8", "model.max_width=16", "model.same_blocks=1", "model.bottleneck=8",
    "model.encoder_attention=0",
    "model.decoder_attention=0", "loss.vgg19=0", "loss.vggface=0", "loss.pixel=8", "steps=8", "frames=3",
    "vary_frames=true", "held_out=0",
    "save_every=4", "log_every=1", "learning_rate=5e-4", "decay=false",
]  # fmt: skip
# Means of two halves and of the whole round differently in the last bits. Measured over 8 steps: losses 1e-6 apart, D's
# margin, a small difference of large numbers, 1e-5, weights 8e-6 (absolute).
TOLERANCE = 1e-4


def arguments(footage: Path, out: Path, own: list[str]) -> list[str]:
    settings = [word for value in [*SETTINGS, *own] for word in ("--set", value)]
    return ["train", "generator", str(footage), "-o", str(out), "--device", "cpu", "--threads", "1", *settings]


def run_as_rank(rank: int, port: int, command: list[str], said: Path) -> None:
    """One of two processes, with what torchrun sets; `said`: where stdout goes, stderr beside it."""
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "GLOO_SOCKET_IFNAME": "lo"}
    os.environ |= {"WORLD_SIZE": "2", "RANK": str(rank), "LOCAL_RANK": str(rank)}
    out, errors = said.open("w"), said.with_suffix(".err").open("w")
    with out, errors, redirect_stdout(out), redirect_stderr(errors):
        sys.exit(main(command))


def losses(folder: Path) -> list[dict[str, float]]:
    kept = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in kept]


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def test_two_processes_give_the_curve_of_one_with_twice_the_batch(tmp_path: Path) -> None:
    footage = prepared(tmp_path / "set", 3)
    port, said = free_port(), [tmp_path / f"{rank}.out" for rank in (0, 1)]
    context, two = ready_processes("generator"), []
    for rank, workers in enumerate((1, 0)):  # frames come from stored shards: here read in a process of their own
        command = arguments(footage, tmp_path / "two", ["batch=2", f"workers={workers}"])
        two.append(context.Process(target=run_as_rank, args=(rank, port, command, said[rank])))
        two[rank].start()
    for process in two:
        process.join(120)
        process.kill()  # one that has not ended by now
    assert [process.exitcode for process in two] == [0, 0], [path.with_suffix(".err").read_text() for path in said]
    assert main(arguments(footage, tmp_path / "one", ["batch=4"])) == 0
    assert said[1].read_text() == "" and "8 steps" in said[0].read_text()  # the second one is silent
    assert json.loads((tmp_path / "two" / "options.json").read_text())["processes"] == 2
    for a, b in zip(losses(tmp_path / "two"), losses(tmp_path / "one"), strict=True):
        assert a == pytest.approx(b, rel=TOLERANCE), a["step"]
    made, known = (load_file(tmp_path / name / "model.safetensors") for name in ("two", "one"))
    for name, value in known.items():
        torch.testing.assert_close(made[name], value, rtol=0, atol=1e-4, msg=name)


def test_alone_nothing_changes() -> None:
    ranks, parameter = Ranks(), torch.nn.Parameter(torch.ones(3))
    parameter.grad = torch.full((3,), 2.0)
    ranks.average_gradients([parameter])
    assert torch.equal(parameter.grad, torch.full((3,), 2.0))
    assert ranks.mean({"a": 1.5}) == {"a": 1.5} and ranks.first
    assert torch.equal(ranks.gather(torch.arange(3)), torch.arange(3))


def test_ranks_share_the_batch_without_gap_or_overlap() -> None:
    assert [list(Ranks(rank, 3).share(2)) for rank in range(3)] == [[0, 1], [2, 3], [4, 5]]


def test_an_environment_that_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "two")
    with pytest.raises(UsageError, match="not numbers"), ranks_of_this_run("cpu"):
        pass


def test_a_world_without_a_meeting_place_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(UsageError, match="torchrun"), ranks_of_this_run("cpu"):
        pass
