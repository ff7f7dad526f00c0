"""What the tests of a scan share: a scanner, and for the watermark a sealed video with its repository, and what becomes
of copies.
"""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from detector.inference.video_detector import VideoDetector
from provenance.durable.repository import open_repository
from provenance.pki.keys import development_keys
from provenance.watermark.embed import SpreadMarker
from sfumato.app.scan.scanner import Scanner
from tests.durable_fixtures import Sealed, sealed_video
from tests.watermark_fixtures import encode, scene


@pytest.fixture(scope="session")
def scanner(shipped_detector: Path) -> Scanner:
    return Scanner(detector=VideoDetector(shipped_detector))


@pytest.fixture(scope="session")
def entered(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    """A generated video, sealed and entered into a repository of its own."""
    folder = tmp_path_factory.mktemp("entered")
    return sealed_video(folder / "sealed.mp4", development_keys(folder / "keys"), folder / "repository.sqlite3")


@pytest.fixture(scope="session")
def stripped(entered: Sealed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy at half the size, without the manifest."""
    return entered.copy(tmp_path_factory.mktemp("stripped") / "copy.mp4")


@pytest.fixture(scope="session")
def innocent(entered: Sealed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another video, onto which somebody put the same watermark."""
    with open_repository(entered.repository) as repository:
        entry = repository.entry(entered.manifest_id)
    assert entry is not None
    marker = SpreadMarker(base64.b64decode(entry.value))
    images = [marker.mark(image, []) for image in scene(9)]
    return encode(images, tmp_path_factory.mktemp("innocent") / "innocent.mp4", 23)
