"""Who is believed when a file says something about its colours, and what is told when nobody can be."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sfumato.media.colour import profiles
from sfumato.media.colour.profiles import matrix_profile
from sfumato.media.images import read_image
from tests.colour_fixtures import cmyk_profile, grey_profile, iccp, in_space, muted, with_chunk

P3 = matrix_profile(profiles.DISPLAY_P3, profiles.SRGB_CURVE)
P3_NUMBERS = bytes([12, 13, 0, 1])
CHROMATICITIES = (0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)  # Adobe RGB's


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """The picture in Display P3, in a file that does not say so."""
    Image.fromarray(in_space(muted(), "Display P3").astype(np.uint8)).save(tmp_path / "plain.png")
    return tmp_path / "plain.png"


def far(path: Path, expected: Path | None = None) -> int:
    """From `expected`, or from the picture in sRGB."""
    right = muted() if expected is None else read_image(expected)
    return int(np.abs(read_image(path).astype(int) - right).max())


def chunked(source: Path, *chunks: tuple[bytes, bytes]) -> Path:
    """A copy with `chunks`, the first one first."""
    path = source
    for number, (name, data) in enumerate(reversed(chunks)):
        path = with_chunk(path, source.with_name(f"chunked-{number}.png"), name, data)
    return path


def chrm() -> bytes:
    return struct.pack(">8I", *(round(value * 100_000) for value in CHROMATICITIES))


def test_the_numbers_of_a_cicp_chunk_are_followed(plain: Path) -> None:
    assert far(chunked(plain, (b"cICP", P3_NUMBERS))) <= 2


def test_they_go_before_a_profile(plain: Path) -> None:
    linear = matrix_profile(profiles.BT709, (1.0,))
    assert far(chunked(plain, (b"iCCP", iccp(linear)), (b"cICP", P3_NUMBERS))) <= 2


def test_a_profile_goes_before_an_srgb_chunk(plain: Path) -> None:
    assert far(chunked(plain, (b"iCCP", iccp(P3)), (b"sRGB", b"\0"))) <= 2


def test_an_srgb_chunk_goes_before_gama_and_chrm(plain: Path) -> None:
    told = chunked(plain, (b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 100_000)), (b"cHRM", chrm()))
    assert far(told, plain) == 0


def test_gama_and_chrm_are_followed(tmp_path: Path) -> None:
    Image.fromarray(in_space(muted(), "Adobe RGB").astype(np.uint8)).save(tmp_path / "a.png")
    gamma = struct.pack(">I", round(100_000 * 256 / 563))
    # gAMA of 1/2.2 stands for sRGB's curve, from which Adobe's departs in the dark.
    assert far(chunked(tmp_path / "a.png", (b"cHRM", chrm()), (b"gAMA", gamma))) <= 6


def test_a_linear_gama_is_followed(tmp_path: Path) -> None:
    Image.fromarray(in_space(muted(), "linear").astype(np.uint8)).save(tmp_path / "a.png")
    assert far(chunked(tmp_path / "a.png", (b"gAMA", struct.pack(">I", 100_000)))) <= 4  # steps of light in the dark


def test_the_gama_by_which_encoders_say_srgb_changes_nothing(plain: Path) -> None:
    assert far(chunked(plain, (b"gAMA", struct.pack(">I", 45_455))), plain) == 0


def test_an_avif_says_it_by_numbers_too(tmp_path: Path) -> None:
    flat = np.full((64, 64, 3), (150, 110, 90), np.uint8)
    Image.fromarray(in_space(flat, "Display P3").astype(np.uint8)).save(tmp_path / "a.avif", quality=100)
    data = (tmp_path / "a.avif").read_bytes()
    place = data.index(b"colrnclx") + 8
    (tmp_path / "a.avif").write_bytes(data[:place] + struct.pack(">HH", 12, 13) + data[place + 4 :])
    assert np.abs(read_image(tmp_path / "a.avif").astype(int) - flat).max() <= 4  # the codec's own loss


def test_a_cameras_word_for_adobe_rgb_is_understood(tmp_path: Path) -> None:
    flat = np.full((32, 32, 3), (150, 110, 90), np.uint8)
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA005] = {1: "R03"}
    coded = Image.fromarray(in_space(flat, "Adobe RGB").astype(np.uint8))
    coded.save(tmp_path / "a.jpg", quality=100, subsampling=0, exif=exif)
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - flat).max() <= 3


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (b"nonsense", "damaged"),
        (P3[:200], "damaged"),
        (P3[:128] + bytes(len(P3) - 128), "damaged"),
        (struct.pack(">I", 1 << 31) + P3[4:], "damaged"),
        (cmyk_profile(np.array([9, 9, 9], np.uint8)), "for CMYK pictures"),
        (grey_profile(2.2), "for grey pictures"),
        (P3[:12] + b"link" + P3[16:], "of a kind that no picture has"),
        (P3[:16] + b"HSV " + P3[20:], "of a kind that no picture has"),
        (struct.pack(">I", 17 << 20) + P3[4:] + bytes((17 << 20) - len(P3)), "16 MB"),
    ],
    ids=["nonsense", "cut off", "empty tags", "size", "cmyk", "grey", "link", "hsv", "huge"],
)
def test_a_profile_that_cannot_be_followed_is_left_out_and_told(plain: Path, profile: bytes, words: str) -> None:
    told = chunked(plain, (b"iCCP", iccp(profile)))
    notes: list[str] = []
    assert np.array_equal(read_image(told, notes=notes), read_image(plain))
    assert len(notes) == 1
    assert words in notes[0]


def test_a_large_profile_that_is_right_is_followed(plain: Path) -> None:
    large = struct.pack(">I", 2 << 20) + P3[4:] + bytes((2 << 20) - len(P3))
    assert far(chunked(plain, (b"iCCP", iccp(large)))) <= 2


@pytest.mark.parametrize(
    ("chunk", "words"),
    [
        ((b"iCCP", b"p\0\0no deflate"), "damaged"),
        ((b"iCCP", b"p\0\0" + iccp(P3)[9:60]), "damaged"),
        ((b"cICP", bytes([9, 16, 0, 1])), "HDR"),
        ((b"gAMA", struct.pack(">I", 1)), "gAMA"),
        ((b"cHRM", bytes(32)), "cHRM"),
    ],
    ids=["no deflate", "deflate cut off", "hdr", "gamma", "chromaticities"],
)
def test_a_chunk_that_cannot_be_followed_is_left_out_and_told(
    plain: Path, chunk: tuple[bytes, bytes], words: str
) -> None:
    notes: list[str] = []
    assert np.array_equal(read_image(chunked(plain, chunk), notes=notes), read_image(plain))
    assert len(notes) == 1
    assert words in notes[0]


def test_nothing_is_told_where_all_is_right(plain: Path) -> None:
    notes: list[str] = []
    read_image(chunked(plain, (b"iCCP", iccp(P3))), notes=notes)
    assert notes == []
