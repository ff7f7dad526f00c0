"""One picture is one picture: whatever its mode and its space, the same colours come out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from sfumato.media.colour import profiles
from sfumato.media.colour.profiles import matrix_profile
from sfumato.media.images import read_image
from tests.colour_fixtures import cmyk_profile, grey_profile, iccp, in_space, muted, with_chunk, write_sixteen_bits

PROFILES = {
    "Display P3": matrix_profile(profiles.DISPLAY_P3, profiles.SRGB_CURVE),
    "Adobe RGB": matrix_profile(profiles.ADOBE_RGB, profiles.ADOBE_CURVE),
}
CLOSE = 2  # levels of 256: what eight bits in a wider space lose, and half a level of LittleCMS


def far(path: Path, expected: NDArray[Any]) -> int:
    """The largest difference of any channel of any pixel."""
    return int(np.abs(read_image(path).astype(int) - expected).max())


@pytest.mark.parametrize("space", PROFILES)
@pytest.mark.parametrize(
    ("mode", "suffix"),
    [("RGBX", ".tiff"), *((mode, suffix) for mode in ("RGB", "RGBA") for suffix in (".png", ".tiff", ".webp"))],
)
def test_every_mode_gives_the_colours_of_the_space(tmp_path: Path, space: str, mode: str, suffix: str) -> None:
    picture = Image.fromarray(in_space(muted(), space).astype(np.uint8)).convert(mode)
    options: dict[str, Any] = {"lossless": True} if suffix == ".webp" else {}
    picture.save(tmp_path / f"a{suffix}", icc_profile=PROFILES[space], **options)
    assert far(tmp_path / f"a{suffix}", muted()) <= CLOSE


@pytest.mark.parametrize("space", PROFILES)
def test_a_jpeg_gives_them_too(tmp_path: Path, space: str) -> None:
    flat = np.full((32, 32, 3), (150, 110, 90), np.uint8)
    coded = Image.fromarray(in_space(flat, space).astype(np.uint8))
    coded.save(tmp_path / "a.jpg", quality=100, subsampling=0, icc_profile=PROFILES[space])
    assert far(tmp_path / "a.jpg", flat) <= CLOSE + 1  # JPEG rounds YCbCr


@pytest.mark.parametrize("space", PROFILES)
@pytest.mark.parametrize("transparent", [False, True])
def test_a_palette_gives_the_colours_of_its_entries(tmp_path: Path, space: str, transparent: bool) -> None:
    coded = Image.fromarray(in_space(muted(), space).astype(np.uint8)).quantize(64)
    coded.convert("RGB").save(tmp_path / "same.png", icc_profile=PROFILES[space])
    options: dict[str, Any] = {"transparency": bytes([255] * 64)} if transparent else {}
    coded.save(tmp_path / "a.png", icc_profile=PROFILES[space], **options)
    assert far(tmp_path / "a.png", read_image(tmp_path / "same.png")) == 0


@pytest.mark.parametrize("space", PROFILES)
def test_sixteen_bits_give_them_too(tmp_path: Path, space: str) -> None:
    written = Image.open(write_sixteen_bits(tmp_path / "plain.png", in_space(muted(), space, 65535)))
    assert written.mode == "RGB"
    with_chunk(tmp_path / "plain.png", tmp_path / "a.png", b"iCCP", iccp(PROFILES[space]))
    assert far(tmp_path / "a.png", muted()) <= CLOSE + 1  # Pillow cuts the lower eight bits off


@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_grey_follows_the_curve_of_its_profile(tmp_path: Path, mode: str) -> None:
    light = np.linspace(0.1, 1, 64).reshape(8, 8)
    values = light * 65535 if mode == "I;16" else light * 255  # of gamma 1: light itself
    picture = Image.fromarray(values.round().astype(np.uint16 if mode == "I;16" else np.uint8))
    (picture if mode == "I;16" else picture.convert(mode)).save(tmp_path / "a.png", icc_profile=grey_profile(1.0))
    expected = 255 * (1.055 * light ** (1 / 2.4) - 0.055)
    assert far(tmp_path / "a.png", expected[..., None]) <= 3  # in the dark a step of light is three of sRGB


def test_a_grey_picture_with_a_profile_for_colours_is_read_by_its_curve(tmp_path: Path) -> None:
    values = np.linspace(20, 255, 64).reshape(8, 8).astype(np.uint8)
    picture = Image.fromarray(values)
    profile = matrix_profile(profiles.BT709, (1.0,))
    picture.convert("RGB").save(tmp_path / "rgb.png", icc_profile=profile)
    picture.save(tmp_path / "grey.png", icc_profile=profile)
    assert far(tmp_path / "grey.png", read_image(tmp_path / "rgb.png")) == 0


def test_cmyk_follows_its_profile(tmp_path: Path) -> None:
    ink = np.array([200, 120, 40], np.uint8)
    for suffix in (".tiff", ".jpg"):
        Image.new("CMYK", (16, 16), (255, 0, 0, 0)).save(tmp_path / f"a{suffix}", icc_profile=cmyk_profile(ink))
        assert far(tmp_path / f"a{suffix}", ink) <= 3  # the table has eight bits of Lab


def test_transparency_is_kept(tmp_path: Path) -> None:
    coded = Image.fromarray(in_space(muted(), "Display P3").astype(np.uint8)).convert("RGBA")
    coded.paste((0, 0, 0, 0), (0, 0, 10, 10))
    coded.save(tmp_path / "a.png", icc_profile=PROFILES["Display P3"])
    expected = muted()
    expected[:10, :10] = 255
    assert far(tmp_path / "a.png", expected) <= CLOSE


def test_the_one_transparent_colour_of_a_file_stays_transparent(tmp_path: Path) -> None:
    picture = Image.new("RGB", (8, 8), (90, 120, 60))
    picture.save(tmp_path / "a.png", transparency=(90, 120, 60), icc_profile=PROFILES["Display P3"])
    assert read_image(tmp_path / "a.png").min() == 255


def test_lab_becomes_srgb(tmp_path: Path) -> None:
    Image.new("LAB", (8, 8), (255, 128, 128)).save(tmp_path / "a.tiff")
    assert far(tmp_path / "a.tiff", np.array(255)) <= 1
