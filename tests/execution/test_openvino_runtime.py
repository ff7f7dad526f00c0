"""OpenVINO's threads do not wait for one another for ever: its table of types is filled before they begin."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import sfumato
from sfumato.execution import openvino_runtime as module

# Without `openvino_runtime` one in three such processes stands still; the short interval has the threads meet.
_FIRST_ARRAYS = """
import os, sys, threading
import numpy as np
from sfumato.execution.openvino_runtime import openvino_runtime
sys.setswitchinterval(1e-6)
openvino, start = openvino_runtime(), threading.Barrier(4)
def first():
    start.wait()
    openvino.Type.f32.to_dtype()
    openvino.Tensor(np.ones(3, np.float32)).data
threads = [threading.Thread(target=first, daemon=True) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(30)
os._exit(any(thread.is_alive() for thread in threads))
"""


def test_threads_pass_their_first_arrays_at_the_same_time() -> None:
    pytest.importorskip("openvino")
    running = [subprocess.Popen([sys.executable, "-c", _FIRST_ARRAYS]) for _ in range(4)]
    assert [process.wait(120) for process in running] == [0, 0, 0, 0]


def test_nothing_imports_openvino_past_it() -> None:
    root, own = Path(sfumato.__file__).parents[1], Path(module.__file__)
    packages = [root / name for name in ("sfumato", "generator", "detector", "provenance", "benchmarks")]
    sources = [path for package in packages for path in package.rglob("*.py") if path != own]
    found = [path for path in sources if re.search(r"^\s*(import|from) openvino\b", path.read_text(), re.MULTILINE)]
    assert found == []
