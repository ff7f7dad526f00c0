"""What a job is called and what is left of it; the rest of its life is tested through the API."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfumato.app.service.store.database import Database
from sfumato.app.service.store.jobs import Jobs, harmless_name
from tests.service_fixtures import add_upload


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [("a.mp4", "a.mp4"), ("/etc/passwd", "passwd"), ("..\\..\\x.png", "x.png"), ("..", "upload"), ("", "upload"),
     (".mp4", "mp4"), ("a\u202egpj.exe", "a_gpj.exe"), ("été.mov", "été.mov"), ("con:1.jpg", "con_1.jpg")],
)  # fmt: skip
def test_a_name_is_made_harmless(given_name: str, kept: str) -> None:
    assert harmless_name(given_name) == kept


@given(st.text(max_size=400))
def test_any_name_is_one_part_of_a_path(name: str) -> None:
    kept = harmless_name(name)
    assert Path(kept).name == kept
    assert 0 < len(os.fsencode(kept)) <= 255
    assert kept.isprintable()
    assert not kept.startswith(".")


def test_what_no_job_knows_is_swept_away_once_it_is_old(address: str, uploads: Path) -> None:
    with Database(address) as database:
        store = Jobs(database, uploads)
        job_id = add_upload(store, b"1")
        (uploads / "stray").mkdir()
        (uploads / "new").mkdir()
        for name in (job_id, "stray"):
            os.utime(uploads / name, (0, 0))
        assert store.sweep() == 1
    assert sorted(path.name for path in uploads.iterdir()) == sorted([job_id, "new"])
