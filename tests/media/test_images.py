"""Pictures in and out: every kind a person may have, every fault a file may have."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from sfumato.errors import MediaError, OutputError
from sfumato.media.images import read_image, write_image
from tests.media_fixtures import make_video, picture
from tests.picture_fixtures import write_heic


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG", ".webp"])
def test_what_is_written_is_read(tmp_path: Path, suffix: str) -> None:
    image = np.kron(picture(3), np.ones((4, 4, 1), np.uint8))
    write_image(tmp_path / f"a{suffix}", image)
    read = read_image(tmp_path / f"a{suffix}")
    assert read.shape == image.shape
    assert read.dtype == np.uint8
    assert np.abs(read.astype(int) - image).mean() < (0.01 if suffix == ".png" else 3)
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    upright = Image.fromarray(picture(0))
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the Pillow transposition that a camera held so has recorded
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(read_image(tmp_path / "a.png"), picture(0))


def test_transparency_is_laid_over_white(tmp_path: Path) -> None:
    image = np.zeros((4, 4, 4), np.uint8)
    image[:2, :, 3] = 255
    Image.fromarray(image).save(tmp_path / "a.png")
    Image.fromarray(image).quantize(8).save(tmp_path / "palette.png")
    for name in ("a.png", "palette.png"):
        read = read_image(tmp_path / name)
        assert read[0].max() == 0
        assert read[3].min() == 255


def test_sixteen_bits_keep_their_grey(tmp_path: Path) -> None:
    grey = np.linspace(0, 65535, 48 * 64).reshape(48, 64).astype(np.uint16)
    for name in ("a.png", "a.tiff"):
        Image.fromarray(grey).save(tmp_path / name)
        assert np.abs(read_image(tmp_path / name)[..., 0].astype(float) - grey / 257).max() <= 1


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.jpg")
    red = read_image(tmp_path / "a.jpg")[4, 4]
    assert red[0] > 240
    assert red[1:].max() < 15


def test_an_animation_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert read_image(tmp_path / "a.gif")[0, 0].tolist() == [255, 0, 0]


def test_a_broken_colour_profile_is_ignored_and_a_good_one_applied(tmp_path: Path) -> None:
    Image.fromarray(picture(0)).save(tmp_path / "broken.png", icc_profile=b"nonsense")
    assert np.array_equal(read_image(tmp_path / "broken.png"), picture(0))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(picture(0)).save(tmp_path / "good.png", icc_profile=profile)
    assert np.abs(read_image(tmp_path / "good.png").astype(int) - picture(0)).max() <= 1


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_max_pixels_downsizes_and_never_enlarges(tmp_path: Path, suffix: str) -> None:
    write_image(tmp_path / f"a{suffix}", np.zeros((300, 600, 3), np.uint8))
    assert read_image(tmp_path / f"a{suffix}", max_pixels=5000).shape == (50, 100, 3)
    assert read_image(tmp_path / f"a{suffix}", max_pixels=180_000).shape == (300, 600, 3)


def test_a_panorama_keeps_its_detail_where_a_square_of_its_length_would_not(tmp_path: Path) -> None:
    write_image(tmp_path / "a.jpg", np.zeros((100, 6000, 3), np.uint8))
    assert read_image(tmp_path / "a.jpg", max_pixels=1000 * 1000).shape == (100, 6000, 3)


@pytest.mark.parametrize(
    ("name", "format"), [("a.jfif", "JPEG"), ("bare", "WEBP"), ("a.mp4", "AVIF"), ("a.png", "JPEG")]
)
def test_a_picture_is_read_whatever_its_file_is_called(tmp_path: Path, name: str, format: str) -> None:
    Image.new("RGB", (64, 48), (200, 60, 40)).save(tmp_path / name, format, quality=95)
    assert np.abs(read_image(tmp_path / name).astype(int) - (200, 60, 40)).max() <= 4


def test_heic_is_read(tmp_path: Path) -> None:
    pytest.importorskip("pi_heif")
    read = read_image(write_heic(tmp_path / "a.heic"))
    assert read.shape == (32, 64, 3)
    assert np.abs(read[:, 2:30].astype(int) - (200, 60, 40)).max() <= 4
    assert np.abs(read[:, 34:62].astype(int) - (30, 90, 160)).max() <= 4


def test_heic_without_its_reader_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    with pytest.raises(MediaError, match="is a HEIC picture") as caught:
        read_image(write_heic(tmp_path / "a.heic"))
    assert "JPEG" in caught.value.advice


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"\xff\x0a" + bytes(30), "JPEG XL picture"), (b"8BPS\0\x01" + bytes(30), "Photoshop picture"),
     (b"IIU\0" + bytes(30), "camera raw picture")],
)  # fmt: skip
def test_a_picture_that_is_not_read_is_told_from_what_is_none(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(MediaError, match=words) as caught:
        read_image(tmp_path / "a.jpg")
    assert "JPEG" in caught.value.advice


def test_a_video_is_no_picture(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mp4", frames=3).rename(tmp_path / "a.jpg")
    with pytest.raises(MediaError, match="is a video, not a picture"):
        read_image(tmp_path / "a.jpg")


def _faulty(folder: Path, fault: str) -> Path:
    path = folder / "a.png"
    if fault == "folder":
        return folder
    encoded = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(encoded, "PNG")
    contents = {"empty": b"", "text": b"a portrait, really", "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n"}
    contents["cut off"] = encoded.getvalue()[:2000]
    if fault != "missing":
        path.write_bytes(contents[fault])
    return path


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("missing", "does not exist"),
        ("folder", "is a folder"),
        ("empty", "0 bytes"),
        ("text", "not a picture"),
        ("postscript", "not a picture"),
        ("cut off", "damaged"),
    ],
)
def test_a_faulty_file_is_one_clear_error(tmp_path: Path, fault: str, words: str) -> None:
    with pytest.raises(MediaError, match=words) as caught:
        read_image(_faulty(tmp_path, fault))
    assert caught.value.advice
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_picture_made_to_exhaust_memory_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    with pytest.raises(MediaError, match="megapixels"):
        read_image(tmp_path / "bomb.png")
    Image.new("P", (11_500, 11_000)).save(tmp_path / "palette.png")  # few enough pixels, each with a colour to look up
    with pytest.raises(MediaError, match=r"11500 x 11000.* of decoded picture"):
        read_image(tmp_path / "palette.png")


def test_grey_of_many_rows_is_as_bright_everywhere(tmp_path: Path) -> None:
    """It is made 8 bits some rows at a time."""
    rows = np.linspace(0, 65535, 3000).astype(np.uint16)
    Image.fromarray(np.repeat(rows[:, None], 1000, axis=1)).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert np.abs(image[:, 500, 0] - rows / 65535 * 255).max() < 0.51


def test_writing_refuses_other_suffixes_and_folders_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="PNG, JPEG or WebP"):
        write_image(tmp_path / "a.tiff", picture(0))
    with pytest.raises(OutputError, match="Cannot write"):
        write_image(tmp_path / "no" / "a.png", picture(0))
    with pytest.raises(ValueError, match="uint8"):
        write_image(tmp_path / "a.png", np.zeros((4, 4, 3), np.float32))  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
