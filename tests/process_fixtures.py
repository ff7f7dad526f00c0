"""Processes for the tests of training: copies of one server that has imported torch and what a wing's training needs.

A process that imports them for itself takes five seconds of a core before it does anything of its own.
"""

from __future__ import annotations

import multiprocessing
from multiprocessing.context import ForkServerContext
from multiprocessing.forkserver import ensure_running

IMPORTED = {  # torch's optimisers import torch._dynamo at their first step
    "detector": ["torch._dynamo", "detector.training.train", "detector.data.fakes.swap", "timm.models", "pytest"],
    "generator": ["torch._dynamo", "generator.training.meta_train", "generator.commands", "pytest"],
}


def ready_processes(wing: str) -> ForkServerContext:
    """The context of such processes; workers that prepare batches come from the same server. The first call of a test
    process starts it: what another wing needs beside, its processes import for themselves.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED[wing])
    ensure_running()
    return context
