"""Kinds by their first bytes: every format that is read, whatever the file is called, and nothing else."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sfumato.execution.file_kinds import FileKind, file_kind
from tests.media_fixtures import make_sound, make_video
from tests.picture_fixtures import write_heic

TAGS = {254: 1, 330: 4096}  # NewSubfileType: a reduced copy; SubIFDs


def tiff(tags: dict[int, int], order: str = "<") -> bytes:
    entries = b"".join(struct.pack(order + "HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    mark = b"II" if order == "<" else b"MM"
    return mark + struct.pack(order + "HIH", 42, 8, len(tags)) + entries + bytes(4)


@pytest.mark.parametrize(
    ("format", "name"),
    [("JPEG", "JPEG"), ("PNG", "PNG"), ("WEBP", "WebP"), ("AVIF", "AVIF"), ("TIFF", "TIFF"), ("BMP", "BMP"),
     ("JPEG2000", "JPEG 2000"), ("PPM", "PPM"), ("GIF", "GIF")],
)  # fmt: skip
def test_a_picture_is_one_without_a_suffix_and_with_a_wrong_one(tmp_path: Path, format: str, name: str) -> None:
    for file in ("bare", "a.mp4", "a.dat"):
        Image.new("RGB", (64, 48), "red").save(tmp_path / file, format)
        assert file_kind(tmp_path / file) == FileKind("picture", name)


def test_heic_is_a_picture(tmp_path: Path) -> None:
    assert file_kind(write_heic(tmp_path / "a")) == FileKind("picture", "HEIC")


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\xff\x0a" + bytes(20), "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(20), "JPEG XL"),
        (b"8BPS\0\x01" + bytes(20), "Photoshop"),
        (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom", "camera raw"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "AVIF"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"FUJIFILMCCD-RAW 0201", "camera raw"),
        (b"II\x2a\0\x10\0\0\0CR\x02\0" + bytes(20), "camera raw"),
        (tiff(TAGS), "camera raw"),
        (tiff(TAGS, ">"), "camera raw"),
        (tiff({254: 0, 330: 4096}), "TIFF"),
        (tiff({254: 1}), "TIFF"),
        (b"II\x2b\0\x08\0\0\0" + bytes(20), "TIFF"),
    ],
)
def test_pictures_are_known_also_where_they_are_not_read(tmp_path: Path, head: bytes, name: str) -> None:
    (tmp_path / "a").write_bytes(head)
    assert file_kind(tmp_path / "a") == FileKind("picture", name)


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [(".mp4", "libx264"), (".mov", "libx264"), (".mkv", "libx264"), (".avi", "mpeg4"), (".ts", "libx264"),
     (".webm", "libvpx-vp9"), (".mpg", "mpeg2video"), (".flv", "flv"), (".wmv", "wmv2"), (".ogv", "libvpx")],
)  # fmt: skip
def test_a_video_is_one_under_any_name(tmp_path: Path, suffix: str, codec: str) -> None:
    make_video(tmp_path / f"a{suffix}", codec=codec, frames=10, rate=25)
    video = (tmp_path / f"a{suffix}").rename(tmp_path / "a.jpg")
    found = file_kind(video)
    assert found is not None
    assert found.kind == "video"


@pytest.mark.parametrize(("frames", "kind"), [(1, "picture"), (2, "video")])
def test_a_gif_is_a_picture_until_it_moves(tmp_path: Path, frames: int, kind: str) -> None:
    first, *others = (Image.effect_noise((300, 200), 50 + place).convert("P") for place in range(frames))
    first.save(tmp_path / "a", "GIF", save_all=True, append_images=others, comment=b"c" * 600)
    assert file_kind(tmp_path / "a") == FileKind(kind, "GIF")  # type: ignore[arg-type]


@pytest.mark.parametrize(("frames", "kind"), [(1, "picture"), (2, "video")])
def test_a_png_is_a_picture_until_it_moves(tmp_path: Path, frames: int, kind: str) -> None:
    first, *others = (Image.new("RGB", (8, 8), (place, 0, 0)) for place in range(frames))
    first.save(tmp_path / "a", "PNG", save_all=True, append_images=others, icc_profile=bytes(9000))
    found = file_kind(tmp_path / "a")
    assert found is not None
    assert found.kind == kind


def test_a_gif_of_endless_blocks_is_not_followed_for_ever(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"GIF89a" + bytes(7) + b"!\xf9" + b"\x01\0" * 1_000_000)
    assert file_kind(tmp_path / "a") == FileKind("video", "GIF")


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"a portrait, really", b"Get free things here", b"P1 is the first prize", b"BM is a company",
     b"II\x2a", b"RIFF\0\0\0\0WAVEfmt ", b"OggS" + bytes(200), b"G" * 10,
     b"PK\x03\x04", b"<svg/>", b"\0\0\0\x18ftypM4A \0\0\0\0"],
)  # fmt: skip
def test_nothing_else_is_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    assert file_kind(tmp_path / "a.jpg") is None


def test_sound_is_neither(tmp_path: Path) -> None:
    assert file_kind(make_sound(tmp_path / "a.wav", codec="pcm_s16le")) is None


def test_what_is_no_file_is_none(tmp_path: Path) -> None:
    assert file_kind(tmp_path) is None
    assert file_kind(tmp_path / "gone") is None
    assert file_kind(Path("x\0y")) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have names on POSIX only")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    assert file_kind(tmp_path / "pipe.jpg") is None


@given(st.sampled_from([b"", b"GIF89a", b"II\x2a\0", b"MM\0\x2a", b"\0\0\0\x20ftyp", b"P5", b"BM"]), st.binary())
def test_no_bytes_are_too_odd(tmp_path_factory: pytest.TempPathFactory, mark: bytes, rest: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "odd"
    path.write_bytes(mark + rest)
    assert file_kind(path) is None or file_kind(path) in (
        FileKind("picture", "GIF"), FileKind("video", "GIF"), FileKind("picture", "TIFF"), FileKind("picture", "BMP"),
        FileKind("picture", "camera raw"), FileKind("video", "MP4"), FileKind("picture", "PPM")
    )  # fmt: skip
