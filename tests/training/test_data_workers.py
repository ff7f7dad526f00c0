"""Workers of a DataLoader are no copies of the process that starts them, whatever that has in its memory."""

from __future__ import annotations

import os
import sys
import threading

import pytest
import torch.utils.data

from sfumato.training.data_workers import worker_context

HELD = threading.Lock()


class Looks(torch.utils.data.Dataset[tuple[int, bool]]):
    """What a worker sees: its parent, and a lock that the process which starts it holds."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> tuple[int, bool]:
        return os.getppid(), HELD.locked()


def look() -> tuple[int, bool]:
    loader = torch.utils.data.DataLoader(
        Looks(), batch_size=None, num_workers=1, multiprocessing_context=worker_context("torch.utils.data")
    )
    with HELD:
        seen: tuple[int, bool] = next(iter(loader))
    return seen


def test_no_lock_is_copied() -> None:
    assert look()[1] is False


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no server to copy")
def test_workers_are_copies_of_one_server() -> None:
    parents = {look()[0], look()[0]}
    assert len(parents) == 1 and os.getpid() not in parents
