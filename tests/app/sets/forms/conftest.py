"""What the tests of the forms share: one set on disk, and a job for a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfumato.app.sets.forms.job import Job, Publication
from sfumato.app.sets.layout import MediaSet, read_set
from tests.set_forms_fixtures import HOSTILE, make_set


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the set; nobody writes into it."""
    return make_set(tmp_path_factory.mktemp("set") / "studio", name=HOSTILE)


@pytest.fixture
def media(stored: Path) -> MediaSet:
    return read_set(stored)


@pytest.fixture
def job(media: MediaSet, tmp_path: Path) -> Job:
    """What a form is given; its folder is `tmp_path`/out."""
    (tmp_path / "out").mkdir()
    return Job(media, tmp_path / "out", Publication("https://example.org/set", HOSTILE), frames=4)
