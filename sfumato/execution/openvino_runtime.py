"""OpenVINO, imported so that threads may share it. In: nothing. Out: the module, or ModuleNotFoundError.

Its Python binding fills a table of number types when the first array passes, and gives up Python's lock while it does.
Two threads that run their first frames at the same time then wait for one another for ever: one for the lock, the
other, which holds the lock, for the table. So the table is filled here, by one thread, before anything is run.
"""

from __future__ import annotations

import threading
from typing import Any

_LOCK = threading.Lock()


def openvino_runtime() -> Any:
    """The module `openvino`. Everything that runs a network takes it from here."""
    with _LOCK:
        import numpy as np
        import openvino

        openvino.Tensor(np.zeros(1, np.float32)).element_type.to_dtype()  # numpy's types to its own, and back
        return openvino
