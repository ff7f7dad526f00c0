"""A Ray of this machine for the tests: two CPUs, a token that nobody else has, gone when the tests are.

`python -m tests.ray_fixtures FOLDER` starts it, says where, and ends it when its input ends.
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class LocalRay:
    """address: HOST:PORT; folder: of its sockets, which its processes name."""

    address: str
    folder: str

    def supervisors(self) -> list[int]:
        """Its processes that stand for workers."""
        found = []
        for process in Path("/proc").iterdir():
            with suppress(OSError, ValueError):
                if (process / "cmdline").read_bytes().startswith(b"ray::Supervisor"):
                    parent = (process / "stat").read_text().rsplit(")", 1)[1].split()[1]
                    if self.folder.encode() in (process.parent / parent / "cmdline").read_bytes():
                        found.append(int(process.name))
        return found


@contextmanager
def local_ray() -> Iterator[LocalRay]:
    """Skips where Ray is not installed."""
    raylet = pytest.importorskip("ray._raylet")
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # sockets lie in it, whose names may not be long
    command = [sys.executable, "-m", "tests.ray_fixtures", folder]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        patch.setenv("PYTHONPATH", str(ROOT))
        _heed_environment(raylet)
        keeper = subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        try:
            address = keeper.stdout.readline().strip()
            assert address, "Ray did not start"
            yield LocalRay(address, folder)
        finally:
            keeper.stdin.close()
            keeper.wait(60)
            shutil.rmtree(folder, ignore_errors=True)
    _heed_environment(raylet)


def _heed_environment(raylet: Any) -> None:
    """Ray reads these variables once, when it is loaded."""
    raylet.Config.initialize("")
    raylet.AuthenticationTokenLoader.instance().reset_cache()


def keep(folder: str) -> None:
    import ray

    ray.init(
        num_cpus=2, include_dashboard=False, object_store_memory=80 * 2**20, log_to_driver=False, logging_level="error",
        _temp_dir=folder,
    )  # fmt: skip
    print("127.0.0.1:" + ray.get_runtime_context().gcs_address.rpartition(":")[2], flush=True)
    sys.stdin.read()
    ray.shutdown()


if __name__ == "__main__":
    keep(sys.argv[1])
