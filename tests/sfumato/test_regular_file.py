"""Only regular files are opened, without waiting for anybody, and no more of them is read than is allowed."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from sfumato.limits import Limit
from sfumato.regular_file import open_regular, read_regular, read_regular_text

TEN = Limit(10, "bytes", "a file", "")


@pytest.fixture(params=["pipe", "link to a pipe", "socket", "/dev/zero", "folder"])
def irregular(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """What a name may lead to that is no file: opening or reading it would never end."""
    path = tmp_path / "a.png"
    if request.param == "/dev/zero":
        return Path("/dev/zero")
    if request.param == "folder":
        path.mkdir()
    elif request.param == "socket":
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
    else:
        os.mkfifo(path)
    if request.param == "link to a pipe":
        (tmp_path / "b.png").symlink_to(path)
        return tmp_path / "b.png"
    return path


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_no_regular_file_is_refused_at_once(irregular: Path) -> None:
    with pytest.raises(OSError) as refused:
        open_regular(irregular)
    assert refused.value.strerror


def test_a_link_to_a_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert read_regular(tmp_path / "b", TEN) == b"content"


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    (tmp_path / "b").write_bytes(b"0123456789x")
    assert read_regular_text(tmp_path / "a", TEN) == "0123456789"
    with pytest.raises(OSError, match="more than 10 bytes"):
        read_regular(tmp_path / "b", TEN)
