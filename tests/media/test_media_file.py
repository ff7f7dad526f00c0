"""What is told of a path before a library opens it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sfumato.errors import MediaError
from sfumato.media.media_file import require_media_file


def test_a_file_with_something_in_it_may_be_opened(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"something")
    require_media_file(tmp_path / "a.mp4", "video")


def test_what_is_no_file_is_told_apart(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").touch()
    for name, kind, words in (
        (".", "picture", "is a folder, not a picture"),
        ("gone", "video", "does not exist"),
        ("pipe", "video", "is not a regular file"),
        ("empty", "picture", "is empty"),
    ):
        with pytest.raises(MediaError, match=words):
            require_media_file(tmp_path / name, kind)


def test_a_structure_beyond_the_limits_is_refused(tmp_path: Path) -> None:
    box = (8).to_bytes(4, "big") + b"free"
    (tmp_path / "a.mp4").write_bytes((16).to_bytes(4, "big") + b"ftypisom" + bytes(4) + box * 10_001)
    with pytest.raises(MediaError, match="boxes side by side"):
        require_media_file(tmp_path / "a.mp4", "video")
