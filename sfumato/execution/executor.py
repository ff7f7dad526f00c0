"""Work shared out: tasks in, what came of each out as it comes. A task that cannot be done costs that task only.

`begin` is called once wherever work is done and returns the function that does a task: nets are loaded there once.
Tasks are taken one by one, so that a million is never listed. Executors stand in a registry; another one is one file
with one function.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol, TypeVar

from sfumato.errors import UsageError
from sfumato.registry import Registry

Task = TypeVar("Task")
Value = TypeVar("Value")
CRASHED, OUT_OF_TIME, OUT_OF_MEMORY, FAILED = "crashed", "out of time", "out of memory", "failed"

REGISTRY = Registry(
    "executor",
    {
        "inline": "sfumato.execution.inline:run_inline",
        "processes": "sfumato.execution.pool:run_in_processes",
        "ray": "sfumato.execution.machines.ray_executor:run_on_ray",
    },
    extras={"ray": "ray"},
)


@dataclass(frozen=True)
class Limits:
    """What one task may take, `begin` not counted: seconds of wall clock, bytes of resident memory of the process that
    does it. None: no limit.
    """

    seconds: float | None = None
    memory: int | None = None


@dataclass(frozen=True)
class Done(Generic[Task, Value]):
    """What came of a task: `value`, or `failure`, one of the four above, with `message` about it. `seconds` of wall
    clock.
    """

    task: Task
    value: Value | None = None
    failure: str = ""
    message: str = ""
    seconds: float = 0.0


Begin = Callable[[], Callable[[Task], Value]]


class Executor(Protocol):
    def __call__(
        self, tasks: Iterable[Task], begin: Begin[Task, Value], workers: int, limits: Limits
    ) -> Generator[Done[Task, Value], None, None]:
        """Raises what `begin` raises, and any SfumatoError of a task: what all tasks would share ends the run. Closing
        the generator ends the work.
        """
        ...


def run(
    tasks: Iterable[Task],
    begin: Begin[Task, Value],
    workers: int = 1,
    limits: Limits | None = None,
    executor: str | Executor | None = None,
) -> Generator[Done[Task, Value], None, None]:
    """Does every task. One worker without limits works in this process; else `begin` and the tasks have to be
    picklable. executor: its name, or one that is set up already, as a Ray cluster by its address.

    Raises UsageError for an unknown executor, and what `Executor` raises.
    """
    limits = limits or Limits()
    name = executor or ("inline" if workers == 1 and limits == Limits() else "processes")
    chosen: Executor = REGISTRY.load(name) if isinstance(name, str) else name
    yield from chosen(tasks, begin, workers, limits)


def cluster_at(executor: str | None, address: str | None) -> Executor | None:
    """The executor of the Ray cluster that the options --executor and --address ask for, None for this machine. Raises
    UsageError for one option without the other, MissingPartError where Ray is not installed.
    """
    if (executor == "ray") != (address is not None):
        raise UsageError("--executor ray and --address go together", "Give both, or neither.")
    return None if address is None else partial(REGISTRY.load("ray"), address=address)
