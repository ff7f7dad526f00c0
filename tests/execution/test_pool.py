"""One pool: whatever a task does to its process, the others are done, and the reason is told."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from sfumato.errors import MissingFileError, OutputError, UsageError
from sfumato.execution.executor import (
    CRASHED,
    FAILED,
    OUT_OF_MEMORY,
    OUT_OF_TIME,
    REGISTRY,
    Done,
    Limits,
    run,
)
from tests.execution.pool_tasks import begin, begin_badly


def done(tasks: list[str], workers: int = 2, limits: Limits | None = None) -> dict[str, Done[str, str]]:
    return {result.task: result for result in run(tasks, begin, workers, limits)}


def test_every_task_is_done_whoever_does_it() -> None:
    tasks = [f"say {i}" for i in range(20)]
    for workers in (1, 2):
        assert {task: result.value for task, result in done(tasks, workers).items()} == {t: t[4:] for t in tasks}


@pytest.mark.parametrize(
    ("task", "failure", "message"),
    [
        ("abort now", CRASHED, "its process ended by SIGABRT"),
        ("leave now", CRASHED, "its process ended with 7"),
        ("raise hell", FAILED, "ValueError: hell"),
    ],
)
def test_a_task_that_kills_its_worker_costs_itself_only(task: str, failure: str, message: str) -> None:
    found = done([task, "say a", "say b", "say c"])
    assert (found[task].failure, found[task].message, found[task].value) == (failure, message, None)
    assert {found[f"say {name}"].value for name in "abc"} == set("abc")


def test_a_task_that_takes_too_long_is_ended() -> None:
    found = done(["sleep", "say a", "say b"], limits=Limits(seconds=1.5))
    assert (found["sleep"].failure, found["sleep"].message) == (OUT_OF_TIME, "it took more than 1.5 s")
    assert found["say b"].value == "b"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell what a process holds")
def test_a_task_that_takes_too_much_memory_is_ended() -> None:
    found = done(["swallow", "say a"], limits=Limits(memory=400 * 2**20))
    assert (found["swallow"].failure, found["swallow"].message) == (OUT_OF_MEMORY, "it took more than 400 MB")
    assert found["say a"].value == "a"


@pytest.mark.parametrize("workers", [1, 2])
def test_what_all_tasks_would_share_ends_the_run_with_its_advice(workers: int) -> None:
    with pytest.raises(OutputError) as caught:
        done(["say a", "refuse", "say b"], workers)
    assert str(caught.value) == "The disk is full. Make room."
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_beginning_that_fails_is_raised(workers: int) -> None:
    with pytest.raises(MissingFileError, match=r"no weights\. Check its name"):
        list(run(["say a"], partial(begin_badly, "no weights"), workers))


def test_tasks_are_taken_as_they_are_needed() -> None:
    taken: list[int] = []

    def tasks() -> object:
        for i in range(1000):
            taken.append(i)
            yield f"say {i}"

    results = run(tasks(), begin, 2)  # type: ignore[arg-type]
    next(results)
    assert len(taken) < 10
    results.close()
    assert not multiprocessing.active_children()


def test_a_worker_has_one_thread() -> None:
    assert done(["threads", "threads 2"])["threads"].value == "1"


def test_inline_is_refused_what_it_cannot_hold() -> None:
    with pytest.raises(UsageError, match="no limit"):
        list(run(["say a"], begin, 1, Limits(seconds=1), executor="inline"))


def test_an_unknown_executor_is_refused_with_those_there_are() -> None:
    assert REGISTRY.names() == ["inline", "processes", "ray"]
    with pytest.raises(UsageError, match="processes"):
        list(run(["say a"], begin, executor="threads"))


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "import os, sys; from tests.execution.pool_tasks import begin; from sfumato.execution.executor import run\n"
        "import multiprocessing\n"
        "if __name__ == '__main__':\n"
        "    results = run(iter(['say a', 'sleep', 'sleep 2', 'sleep 3']), begin, 2)\n"
        "    next(results)\n"
        "    print(*(child.pid for child in multiprocessing.active_children()), flush=True)\n"
        "    list(results)\n"
    )
    script = tmp_path / "parent.py"
    script.write_text(program)
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        workers = [int(pid) for pid in parent.stdout.readline().split()]
        assert workers
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and any(_alive(pid) for pid in workers):
        time.sleep(0.1)
    assert not [pid for pid in workers if _alive(pid)]


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_script_without_a_guard_is_told_once_and_ends(tmp_path: Path) -> None:
    """Each worker imports the script, which would start workers itself."""
    script = tmp_path / "scores.py"
    script.write_text(
        "from sfumato.execution.executor import run\nfrom tests.execution.pool_tasks import begin\n"
        "print(len(list(run(['say a'] * 40, begin, 2))))\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(
        [sys.executable, script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1 and not ended.stdout
    assert ended.stderr.count("UsageError: A worker process cannot start") == 1
    assert "__main__" in ended.stderr and "AttributeError" not in ended.stderr
