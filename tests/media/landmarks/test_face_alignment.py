"""The paper's landmark backend: the whole real code path with random weights on disk, and what is said when there are
none.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from sfumato.errors import MissingPartError
from sfumato.media.faces import FaceDetector
from sfumato.media.landmarks import LandmarkBackend, load_backend
from sfumato.media.landmarks.face_alignment import WEIGHTS_NAME, weights_path
from tests.generator_fixtures import astronaut


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TORCH_HOME with a FAN of random weights in it."""
    import numba

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba.config, "DISABLE_JIT", True)  # ten seconds of compiling for a few hundred numbers
        from face_alignment.models import FAN
    home = tmp_path_factory.mktemp("torch-home")
    (home / "hub" / "checkpoints").mkdir(parents=True)
    torch.manual_seed(0)
    torch.save(FAN(4).state_dict(), home / "hub" / "checkpoints" / WEIGHTS_NAME)
    return home


@pytest.fixture(scope="module")
def backend(cache: Path) -> LandmarkBackend:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCH_HOME", str(cache))
        return load_backend("face-alignment")


def test_the_whole_path_runs_and_gives_68_points(backend: LandmarkBackend) -> None:
    box = FaceDetector().detect(astronaut())[0].box
    points = backend.detect(astronaut(), box)
    assert backend.name == "face-alignment"
    assert points.shape == (68, 2) and points.dtype == np.float32
    x, y, width, height = box
    centre = np.array([x + width / 2, y + height / 2])
    assert (np.abs(points - centre) < 1.5 * max(width, height)).all()  # within FAN's crop around the box


def test_the_box_says_where_to_look(backend: LandmarkBackend) -> None:
    x, y, width, height = FaceDetector().detect(astronaut())[0].box
    one, other = (
        backend.detect(np.roll(astronaut(), shift, axis=1), (x + shift, y, width, height)) for shift in (0, 64)
    )
    assert np.abs(other - one - (64, 0)).mean() < 2


def test_weights_are_looked_for_where_the_library_looks(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(cache))
    assert weights_path() == cache / "hub" / "checkpoints" / WEIGHTS_NAME


def test_without_weights_nothing_is_fetched_and_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(MissingPartError, match="no weights") as raised:
        load_backend("face-alignment")
    for advice in (WEIGHTS_NAME, "SFUMATO_DOWNLOAD=1", "--landmarks mesh"):
        assert advice in str(raised.value)


@pytest.mark.parametrize("allow", ["argument", "environment"])
def test_offline_an_allowed_download_fails_with_the_same_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allow: str
) -> None:
    import urllib.error
    import urllib.request

    def offline(*arguments: object, **options: object) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(urllib.request, "urlopen", offline)
    monkeypatch.setattr(torch.hub, "urlopen", offline)
    if allow == "environment":
        monkeypatch.setenv("SFUMATO_DOWNLOAD", "1")
    with pytest.raises(MissingPartError, match=r"cannot be downloaded.*--landmarks mesh"):
        load_backend("face-alignment", **({"download": True} if allow == "argument" else {}))


@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04 half a zip"])
def test_damaged_weights_are_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    (tmp_path / "hub" / "checkpoints" / WEIGHTS_NAME).write_bytes(content)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(MissingPartError, match="does not hold the weights") as raised:
        load_backend("face-alignment")
    assert "\n" not in str(raised.value)


def test_weights_of_another_network_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    torch.save({"x": torch.zeros(1)}, tmp_path / "hub" / "checkpoints" / WEIGHTS_NAME)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(MissingPartError, match="does not hold the weights"):
        load_backend("face-alignment")
