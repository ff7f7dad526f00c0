"""What every test gets: one thread a process, its own keys and data folder, no network; footage only where somebody
named a folder.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Before numpy, cv2 or torch load: two test processes on two cores, one thread each, end sooner than any other division.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"):
    os.environ.setdefault(_variable, "1")

# A shell starts what it puts into the background with Ctrl-C ignored; the tests that press it want it heard.
signal.signal(signal.SIGINT, signal.default_int_handler)

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no reason to fail, and the same examples every time keep a red build red.
settings.register_profile(
    "sfumato", deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("sfumato")

# Modules stay until the end, and there are more than a million objects of them once torch and its compiler are loaded:
# to look through them for rubbish again and again takes longer than many a test.
gc.set_threshold(20_000, 20, 20)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keys and data of the tests go to a folder of their own; nobody's own keys are read or made."""
    home = tmp_path_factory.mktemp("home")
    patch = pytest.MonkeyPatch()
    patch.setenv("SFUMATO_KEYS", str(home / "keys"))
    patch.setenv("XDG_DATA_HOME", str(home / "data"))
    patch.setenv("NO_COLOR", "1")
    for name in ("SFUMATO_TRACEBACK", "SFUMATO_DOWNLOAD", "FORCE_COLOR"):
        patch.delenv(name, raising=False)
    yield
    patch.undo()


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Connections leave this machine in no test; local servers and browsers may be talked to."""
    connect = socket.socket.connect

    def local_only(self: socket.socket, address: Any) -> None:
        if self.family != getattr(socket, "AF_UNIX", None) and str(address[0]) not in ("127.0.0.1", "::1", "localhost"):
            raise OSError(f"a test tried to reach {address}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", local_only)
        yield


@pytest.fixture(scope="session")
def footage() -> Path:
    """A folder of clips, one person a clip, named by SFUMATO_FOOTAGE. Tests that need it are skipped elsewhere."""
    named = os.environ.get("SFUMATO_FOOTAGE")
    if not named or not Path(named).is_dir():
        pytest.skip("needs footage: set SFUMATO_FOOTAGE to a folder of clips, one person a clip")
    return Path(named)


@pytest.fixture(scope="session")
def tiny_network(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> bytes:
    """A tiny random detector as ONNX. Exported once for all processes: torch takes seconds for it, however tiny."""
    from tests.made_once import folder_of_all, made_once

    def exported() -> bytes:
        from detector.training.export import export_onnx
        from tests.detector_fixtures import tiny_net

        return export_onnx(tiny_net())

    return made_once(folder_of_all(tmp_path_factory, pytestconfig) / "tiny.onnx", exported)


@pytest.fixture(scope="session")
def shipped_detector(tmp_path_factory: pytest.TempPathFactory, tiny_network: bytes) -> Path:
    """The folder of a tiny random detector."""
    from tests.detector_fixtures import write_shipped

    return write_shipped(tmp_path_factory.mktemp("shipped"), tiny_network)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium (playwright's `Browser`): the system's own, which decodes H.264, never a downloaded one.
    Skips without.
    """
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        pytest.skip("needs Chromium to open a page (Debian: apt install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()
