"""Twelve drawn people a split, in the crop cache already: no face detection, no files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from detector.data.cache import CropCache
from sfumato.media.clips import ClipRow
from tests.detector_fixtures import TINY, drawn_people


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[ClipRow], Path]:
    """Twelve people a split, each with a real clip and a checkered twin: the clips, and a folder with their crops."""
    folder = tmp_path_factory.mktemp("people")
    return drawn_people(folder), folder / "crops"


@pytest.fixture
def toy(people: tuple[list[ClipRow], Path], tmp_path: Path) -> tuple[list[ClipRow], CropCache]:
    """The clips, and a cache of a test's own that holds their crops."""
    return _cached(people, tmp_path)


@pytest.fixture(scope="module")
def shared_toy(
    people: tuple[list[ClipRow], Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[ClipRow], CropCache]:
    """The same for all tests of a file: not to be changed."""
    return _cached(people, tmp_path_factory.mktemp("toy"))


def _cached(people: tuple[list[ClipRow], Path], folder: Path) -> tuple[list[ClipRow], CropCache]:
    rows, crops = people
    shutil.copytree(crops, folder / "crops")
    return list(rows), CropCache(folder / "clips.jsonl", folder / "crops", TINY.samples)
