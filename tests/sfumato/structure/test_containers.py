"""PNG, RIFF, JPEG, GIF and PDF: each limit by a file that keeps it and one that does not; files of ours keep all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sfumato.app.animation.gallery import shipped_portraits
from sfumato.errors import MediaError
from sfumato.structure import hold_structure
from tests.hostile_files import MEDIA, gif, jpeg, nested, part, png, riff, segment
from tests.media_fixtures import make_video

Keep = Callable[[bytes], None]


@pytest.fixture
def hold(tmp_path: Path) -> Keep:
    def held(data: bytes) -> None:
        (tmp_path / "a").write_bytes(data)
        with (tmp_path / "a").open("rb") as file:
            hold_structure(file, "a")
            assert file.tell() == 0

    return held


@pytest.mark.parametrize(
    "data",
    [
        png(*[(b"tEXt", b"a")] * 1000),
        jpeg(*[segment(0xFE, b"\xff\xda" * 50)] * 1000),  # a scan's marker inside a comment begins none
        jpeg(progressive=True, scans=50) + b"\xff\xda\0\2" * 200,  # what comes after the end is no part of it
        gif(1000),
        riff(b"WEBP", *[part(b"EXIF", b"abc")] * 1000),
        riff(b"AVI ", part(b"LIST", b"movi" + part(b"00dc", b"") * 60_000)),
        b"%PDF-1.7\nstream\nno stream at all",
        b"\xff\xd8",
        b"GIF89a",
        b"",
    ],
    ids=["png", "jpeg", "scans", "gif", "webp", "avi", "pdf", "short jpeg", "short gif", "empty"],
)
def test_within_the_limits_nothing_is_said(hold: Keep, data: bytes) -> None:
    hold(data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (lambda: png(*[(b"tEXt", b"")] * 50_001), "chunks"),
        (MEDIA["billion-frames.png"], "1073741824 pictures"),
        (lambda: png((b"caBX", nested(b"jumb", 40))), "boxes in boxes"),
        (lambda: jpeg(*[segment(0xFE, b"")] * 10_001), "segments"),
        (lambda: jpeg(progressive=True, scans=101), "101 scans"),
        (lambda: gif(20_001), "pictures"),
        (lambda: gif(1)[:-1] + b"\x21\xfe\0" * 50_010, "chunks"),
        (lambda: riff(b"WEBP", *[part(b"EXIF", b"")] * 50_001), "chunks"),
        (MEDIA["list-in-list.avi"], "lists in lists"),
        (lambda: riff(b"WEBP", part(b"C2PA", nested(b"jumb", 40))), "boxes in boxes"),
        (MEDIA["objects-in-a-stream.pdf"], "packed objects"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_past_a_limit_it_is_named(hold: Keep, data: Callable[[], bytes], said: str) -> None:
    with pytest.raises(MediaError, match=said):
        hold(data())


def test_pictures_and_videos_of_ours_are_within_the_limits(hold: Keep, tmp_path: Path) -> None:
    hold(next(iter(shipped_portraits().values())).path.read_bytes())
    for suffix in (".mp4", ".mov", ".avi", ".mkv", ".gif"):
        codec = {"codec": "gif", "pixels": "rgb8"} if suffix == ".gif" else {}
        hold(make_video(tmp_path / f"a{suffix}", **codec).read_bytes())  # type: ignore[arg-type]
