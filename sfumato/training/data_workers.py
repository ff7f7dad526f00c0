"""How the processes that prepare batches are started. In: the module that they need. Out: a context for a DataLoader.

Never as copies of a process in which threads run: a copy gets the locks that they held and not the threads, and waits
for ever, or dies. A server that has imported the module and runs no threads is copied instead: it starts once, in the
seconds that the imports take, and each worker after that in a moment. What workers get is pickled.
"""

from __future__ import annotations

import multiprocessing
from multiprocessing.context import BaseContext


def worker_context(module: str) -> BaseContext:
    """`module`: by name, what the workers run; it is imported once for all of them. Where the system has no such
    server each imports it for itself.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module])  # of no effect once the server runs: then workers import what is missing
    return context
