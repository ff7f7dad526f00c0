"""Progress on stderr: a bar where somebody watches, silence in a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Advance = Callable[[float], None]  # told how much more is done
Stage = Callable[[str, float | None], AbstractContextManager[Advance]]  # (what is being done, how much of it)


@contextmanager
def progress(description: str, total: float | None = None) -> Iterator[Callable[[float], None]]:
    """Yields `advance(amount)`. Draws a bar on stderr when it is a terminal; prints one closing line otherwise. A total
    that was guessed too low grows.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if not console.is_terminal:
        done = 0.0

        def count(amount: float = 1) -> None:
            nonlocal done
            done += amount

        yield count
        console.print(
            f"{description}: {done:g}" + (f" of {max(total, done):g}" if total is not None else ""),
            highlight=False,
            markup=False,
        )
        return
    text = TextColumn("{task.description}", markup=False)
    with Progress(
        text, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(), console=console
    ) as bars:
        task = bars.add_task(description, total=total)

        def advance(amount: float = 1) -> None:
            bars.advance(task, amount)
            if total is not None and bars.tasks[0].completed > total:
                bars.update(task, total=bars.tasks[0].completed)

        yield advance


@contextmanager
def quietly(description: str, total: float | None = None) -> Iterator[Advance]:
    """The stage of a caller who does not want to see progress."""
    yield lambda amount: None
