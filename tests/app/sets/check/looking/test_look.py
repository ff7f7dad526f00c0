"""A look at a file: what it shows, what it says, and nothing raised for what is in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sfumato.app.sets.check.looking.look import Look, LookJob, begin_looking, look_at
from sfumato.app.sets.layout import decoded_digest
from sfumato.media.clips import file_digest
from sfumato.media.images import write_image
from tests.hostile_files import MEDIA
from tests.media_fixtures import make_video, picture
from tests.signing_fixtures import seal_video


def test_a_sealed_video(tmp_path: Path) -> None:
    path = seal_video(tmp_path / "a.mp4")
    look = look_at(path, file_digest(path))
    assert (look.outcome, look.declares, look.reason) == ("untrusted", ("trainedAlgorithmicMedia",), "")
    assert (look.media["width"], look.media["height"], look.media["frames"]) == (64, 48, 20)
    assert look.media["size"] == look.size == path.stat().st_size
    assert look.decoded == decoded_digest(path)
    assert look.sharpness is not None
    assert look.sharpness > 0


def test_a_look_survives_a_journal(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", sound="aac")
    record = begin_looking(())(LookJob(0, path, "ab" * 32))
    assert Look.from_record(json.loads(json.dumps(record))) == look_at(path, "ab" * 32)
    with pytest.raises((TypeError, KeyError)):
        Look.from_record({"sha256": "a"})


def test_pictures_and_folders_of_frames(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", picture(0))
    (tmp_path / "frames").mkdir()
    for number in range(3):
        write_image(tmp_path / "frames" / f"{number}.png", picture(number))
    still, frames = look_at(tmp_path / "a.png", "x"), look_at(tmp_path / "frames", "x")
    assert (still.media["kind"], frames.media["kind"], frames.media["frames"]) == ("picture", "frames", 3)
    assert (still.outcome, frames.outcome) == ("none", "none")
    assert still.fingerprint
    assert frames.fingerprint


@pytest.mark.parametrize("name", sorted(MEDIA))
def test_hostile_files_are_told_and_raise_nothing(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(MEDIA[name]())
    look = look_at(path, "x")
    assert look.reason or look.media["kind"]
