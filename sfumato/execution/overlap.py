"""Stages that overlap: items in, results out in the same order, worked on by threads a few items ahead of whoever takes
them.

Worth it where the work leaves Python's lock: decoding, encoding, OpenCV, inference. Memory stays flat: no more than
`ahead` items are under way or waiting.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_order(function: Callable[[T], R], items: Iterable[T], workers: int, ahead: int | None = None) -> Generator[R]:
    """Yields `function(item)` for each of `items`, in their order; `workers` threads compute up to `ahead` (2 workers)
    results early.

    `items` is read in the caller's thread. An exception of `function` is raised where its result would have been, one
    of `items` after the results before it. Whatever ends the loop (an exception, Ctrl-C, `close`), no thread is left
    behind: what has begun is finished, what has not is dropped. Raises ValueError for fewer than one worker or nothing
    ahead.
    """
    limit = 2 * workers if ahead is None else ahead
    if workers < 1 or limit < 1:
        raise ValueError("workers and ahead must be at least 1")
    waiting: deque[Future[R]] = deque()
    pool = ThreadPoolExecutor(workers, "sfumato-overlap")
    source, broken = iter(items), None
    try:
        while True:
            while broken is None and len(waiting) < limit:
                try:
                    waiting.append(pool.submit(function, next(source)))
                except Exception as error:  # StopIteration too: what came before it is still wanted
                    broken = error
            if not waiting:
                break
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    if broken is not None and not isinstance(broken, StopIteration):
        raise broken
