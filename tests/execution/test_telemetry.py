"""No command tells anybody anything: no internet socket is asked for by any process, no number of this machine is kept.

The kernel tells (seccomp), of children and of native code too.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.generator.data.test_dataset import prepared
from tests.generator.test_commands import settings
from tests.media_fixtures import make_video, picture
from tests.portrait_fixtures import make_checkpoint, make_motion, write_portrait
from tests.trapped import ASKED, NO_TRAP

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"),
    reason="needs seccomp, which only Linux has",
)
ROOT = Path(__file__).resolve().parents[2]
CHATTY = ("ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK", "CI", "TF_BUILD", "JENKINS_URL")


def trapped(home: Path, *lines: list[object]) -> subprocess.CompletedProcess[str]:
    """Runs command lines with `home` as the home folder, and with nothing in the environment that asks for silence."""
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if name not in CHATTY and not name.startswith("XDG_")}
    words = json.dumps([[str(word) for word in line] for line in lines])
    done = subprocess.run(
        [sys.executable, "-m", "tests.trapped", words],
        cwd=ROOT,
        env={**kept, "HOME": str(home), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == NO_TRAP:
        pytest.skip("this kernel tells nothing")
    return done


def left_in(home: Path) -> set[str]:
    """What lies in a home folder afterwards, but for the keys and data of sfumato itself."""
    return {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file() and "sfumato" not in path.parts}


def test_a_library_left_to_itself_is_caught(tmp_path: Path) -> None:
    """The control: without it the next tests could not fail."""
    pytest.importorskip("openvino")
    if not [*importlib.metadata.distributions(name="openvino-telemetry")]:
        pytest.skip("OpenVINO came without what reports its use")
    done = trapped(tmp_path / "home", ["import", "openvino"])
    assert done.returncode == ASKED
    assert left_in(tmp_path / "home")


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny generator, a motion, footage that is prepared, and a folder of a picture with a face and two films."""
    folder = tmp_path_factory.mktemp("stock")
    make_checkpoint(folder / "tiny.safetensors")
    make_motion(folder / "nod.motion", frames=4)
    (folder / "films").mkdir()
    write_portrait(folder / "films" / "me.png")
    for number in range(2):
        make_video(folder / "films" / f"{number}.mp4", frames=6 + number)
    prepared(folder / "set", 3)
    return folder


def test_animate_scan_and_training_tell_nobody(stock: Path, shipped_detector: Path, tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    films, network = stock / "films", stock / "tiny.safetensors"
    animate = ["--motion", stock / "nod.motion", "--checkpoint", network, "--size", 64]
    done = trapped(
        tmp_path / "home",
        ["animate", "mona-lisa", *animate, "-o", tmp_path / "a.mp4", "--backend", "openvino"],
        ["animate", "mona-lisa", *animate, "-o", tmp_path / "b.mp4", "--backend", "onnxruntime"],
        ["scan", "--json", "--model", shipped_detector, films],
        ["scan", "--json", "--model", shipped_detector, "--backend", "openvino", films],
        ["prepare", films / "me.png", "-o", tmp_path / "prepared", "--size", 64, "--workers", 2],
        ["train", "generator", stock / "set", "-o", tmp_path / "run", "--device", "cpu", *settings()],
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert left_in(tmp_path / "home") == set()


@pytest.mark.slow  # the gate of an export, and every part of the doctor's, in one process
def test_the_doctor_an_export_and_a_long_scan_tell_nobody(shipped_detector: Path, tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    (tmp_path / "films").mkdir()
    for number in range(30):  # many files, not long ones; no two alike
        images = [picture(number + index) for index in range(3)]
        make_video(tmp_path / "films" / f"{number}.mp4", frames=3, images=images)
    done = trapped(
        tmp_path / "home",
        ["doctor", "--json"],
        ["export", "detector", shipped_detector, "-o", tmp_path / "exported", "--backend", "openvino"],
        ["scan", "--json", "--model", tmp_path / "exported", tmp_path / "films"],
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert left_in(tmp_path / "home") == set()
