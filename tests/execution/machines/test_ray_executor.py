"""One Ray cluster: what a task does to its worker is told as by the pool, and what somebody else did is done again."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sfumato.errors import MissingPartError, OutputError, UsageError
from sfumato.execution.executor import CRASHED, REGISTRY, Done, Limits, run
from tests.execution.machines.machine_tasks import begin
from tests.ray_fixtures import LocalRay, local_ray

pytestmark = pytest.mark.timeout(900)  # a dozen processes are started, which a busy machine takes minutes for
LIMITS = Limits(memory=400 * 2**20)


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalRay]:
    with local_ray() as cluster:
        yield cluster


@pytest.fixture
def address(cluster: LocalRay) -> str:
    return cluster.address


def done(tasks: list[str], address: str, limits: Limits = LIMITS, workers: int = 2) -> dict[str, Done[str, str]]:
    executor = partial(REGISTRY.load("ray"), address=address)
    return {result.task: result for result in run(iter(tasks), begin, workers, limits, executor)}


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "sfumato.execution.machines.ray_executor", raising=False)
    with pytest.raises(MissingPartError, match=r"\[ray\]"):
        REGISTRY.load("ray")


@pytest.mark.parametrize("named", ["", "auto", "local", "ray://127.0.0.1:10001", "127.0.0.1", "a b:1", "127.0.0.1:1"])
def test_an_address_where_no_cluster_is_is_refused_at_once(named: str) -> None:
    pytest.importorskip("ray")
    started = time.monotonic()
    with pytest.raises(UsageError, match=r"address of a Ray cluster|cannot be joined"):
        done(["say a"], named)
    assert time.monotonic() - started < 20


def test_what_ray_tells_by_itself_is_no_output(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("ray")
    from sfumato.execution.machines.ray_executor import _WithoutRay

    output: Any = _WithoutRay(sys.stdout)
    for name in ("ray_listen_error_messages", "another"):
        thread = threading.Thread(target=print, args=(name,), kwargs={"file": output}, name=name)
        thread.start()
        thread.join()
    assert capsys.readouterr() == ("another\n", "ray_listen_error_messages\n")


@pytest.mark.slow
def test_whatever_a_task_does_is_told_as_by_one_machine(address: str) -> None:
    tasks = ["abort now", "leave now", "raise hell", "swallow", "threads", *(f"say {i}" for i in range(6))]
    found = done(tasks, address)
    assert [(found[task].failure, found[task].message, found[task].value) for task in tasks] == [
        ("crashed", "its process ended by SIGABRT", None),
        ("crashed", "its process ended with 7", None),
        ("failed", "ValueError: hell", None),
        ("out of memory", "it took more than 400 MB", None),
        ("", "", "1"),
        *(("", "", str(i)) for i in range(6)),
    ]
    slow = done(["sleep"], address, Limits(seconds=1.5))["sleep"]
    assert (slow.failure, slow.message) == ("out of time", "it took more than 1.5 s")


@pytest.mark.slow
def test_what_somebody_else_ended_is_done_once_more(address: str, tmp_path: Path) -> None:
    tasks = [
        f"end worker once {tmp_path / 'a'}",
        f"end process once {tmp_path / 'b'}",
        f"end worker always {tmp_path / 'c'}",
        "say a",
    ]
    found = done(tasks, address)
    assert [found[task].value for task in tasks] == ["done again", "done again", None, "a"]
    assert found[tasks[2]].failure == CRASHED
    assert found[tasks[2]].message == "2 times, the last time somebody ended its worker, or the machine"


@pytest.mark.slow
def test_what_all_tasks_would_share_ends_the_run_and_signals_stay_as_they_were(address: str) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(OutputError, match=r"On .+: The disk is full\. Make room\."):
        done(["say a", "refuse", "say b"], address)
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.slow
def test_tasks_are_taken_as_they_are_needed_and_closing_ends_the_work(cluster: LocalRay) -> None:
    taken: list[int] = []

    def tasks() -> Iterator[str]:
        for i in range(1000):
            taken.append(i)
            yield f"say {i}"

    results: Any = run(tasks(), begin, 2, LIMITS, partial(REGISTRY.load("ray"), address=cluster.address))
    next(results)
    assert cluster.supervisors()
    results.close()
    assert len(taken) < 10
    until = time.monotonic() + 30
    while time.monotonic() < until and cluster.supervisors():
        time.sleep(0.2)
    assert cluster.supervisors() == []


@pytest.mark.slow
def test_another_version_on_a_machine_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sfumato.execution.machines.ray_executor.__version__", "0.0.0")
    with pytest.raises(UsageError, match=r"has version .+ of sfumato, this machine 0\.0\.0"):
        done(["say a"], address)
