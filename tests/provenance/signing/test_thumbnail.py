"""Thumbnails: none unless asked for; then a small picture of what the file shows, without what is not shown."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from provenance.manifests.declaration import Declaration
from provenance.pki.keys import DevelopmentKeys
from provenance.signing.seal import development_signer
from provenance.signing.sign import sign_file
from provenance.signing.thumbnail import has_picture, make_thumbnail
from provenance.verifying.verify import verify
from sfumato.app.cli.main import main
from sfumato.errors import SealError
from sfumato.media.video.reader import VideoReader
from tests.provenance.excluding import made
from tests.signing_fixtures import json_lines


def _claimed(path: Path) -> Image.Image | None:
    """The thumbnail in the active manifest of a file."""
    from c2pa import Reader

    with Reader(str(path)) as reader:
        stated = reader.get_active_manifest().get("thumbnail")
        if stated is None:
            return None
        content = io.BytesIO()
        reader.resource_to_stream(stated["identifier"], content)
    assert stated["format"] == "image/jpeg"
    return Image.open(content)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """800 x 400, red on the left, green on the right, turned by its EXIF, with a comment nobody should meet again."""
    pixels = np.zeros((400, 800, 3), np.uint8)
    pixels[:, :400, 0] = pixels[:, 400:, 1] = 250
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    exif[0x010E] = "where it was taken"
    Image.fromarray(pixels).save(tmp_path / "photo.jpg", exif=exif)
    return tmp_path / "photo.jpg"


def test_a_picture_becomes_small_upright_and_bare(photo: Path) -> None:
    data = make_thumbnail(photo)
    small = Image.open(io.BytesIO(data))
    assert (small.format, small.size) == ("JPEG", (256, 128))
    left, right = np.asarray(small)[64, [20, 235]]
    assert left[1] > 200 > 50 > left[0]
    assert right[0] > 200 > 50 > right[1]
    assert b"where it was taken" not in data
    assert len(data) < 20_000


def test_a_small_picture_stays_as_large_as_it_is(portrait: Path) -> None:
    assert Image.open(io.BytesIO(make_thumbnail(portrait))).size == (48, 64)


def test_of_a_video_it_is_the_first_frame(unsealed: Path) -> None:
    with VideoReader(unsealed) as video:
        first, second, *_ = (frame.image.astype(float) for frame in video)
    small = np.asarray(Image.open(io.BytesIO(make_thumbnail(unsealed)))).astype(float)
    assert abs(small - first).mean() < abs(small - second).mean() / 2


@pytest.mark.parametrize("suffix", ["wav", "mp3", "flac", "m4a", "svg"])
def test_what_shows_no_pixels_has_none(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"a.{suffix}").write_bytes(made(suffix, seed=1))
    assert not has_picture(tmp_path / f"a.{suffix}")
    assert make_thumbnail(tmp_path / f"a.{suffix}") == b""


def test_a_picture_that_cannot_be_read_is_refused(photo: Path) -> None:
    photo.write_bytes(photo.read_bytes()[:300])
    with pytest.raises(SealError, match="No thumbnail can be made") as caught:
        make_thumbnail(photo)
    assert "--allow-thumbnail" in caught.value.advice


@pytest.mark.parametrize("suffix", [".mp4", ".jpg", ".png", ".webp", ".gif", ".avi"])
def test_it_goes_into_the_claim_and_both_readers_trust_it(
    suffix: str,
    keys: DevelopmentKeys,
    root: bytes,
    unsealed: Path,
    encypher: Callable[[Path], str],
    tmp_path: Path,
) -> None:
    source, out = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    source.write_bytes(unsealed.read_bytes() if suffix == ".mp4" else made(suffix[1:], seed=1))
    signer = development_signer(keys.folder.parent)
    sign_file(source, out, Declaration(thumbnail=True), signer)
    assert verify(out, [root]).outcome == encypher(out).lower() == "trusted"
    thumbnail = _claimed(out)
    assert thumbnail is not None
    assert max(thumbnail.size) <= 256
    sign_file(out, tmp_path / f"again{suffix}", Declaration("edited"), signer)
    assert verify(tmp_path / f"again{suffix}", [root]).outcome == "trusted"
    assert _claimed(tmp_path / f"again{suffix}") is None


def test_a_video_that_is_hashed_in_pieces_has_one_too(
    unsealed: Path, keys: DevelopmentKeys, root: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("provenance.library.settings.LARGE", 1000)
    monkeypatch.setattr("provenance.library.settings.PIECE_KB", 4)
    sign_file(unsealed, tmp_path / "out.mp4", Declaration(thumbnail=True), development_signer(keys.folder.parent))
    assert verify(tmp_path / "out.mp4", [root]).outcome == "trusted"
    assert _claimed(tmp_path / "out.mp4") is not None


@pytest.mark.usefixtures("own_keys")
def test_the_option_adds_one_and_a_second_run_knows(
    tree: Path, tmp_path: Path, root: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tree / "sound.wav").write_bytes(made("wav", seed=1))
    command: list[Any] = ["sign", str(tree), "-o", str(tmp_path / "out"), "--kind", "generated", "--json"]
    assert main([*command, "--allow-thumbnail"]) == 0
    assert {line["outcome"] for line in json_lines(capsys)} == {"signed"}
    assert _claimed(tmp_path / "out" / "a.mp4") is not None
    assert _claimed(tmp_path / "out" / "sound.wav") is None
    assert main([*command, "--allow-thumbnail"]) == 0
    assert {line["outcome"] for line in json_lines(capsys)} == {"skipped"}
    assert main(command) == 1
    assert sorted(line["outcome"] for line in json_lines(capsys)) == ["failed", "failed", "failed", "skipped"]


@pytest.mark.usefixtures("own_keys")
def test_a_sidecar_holds_one(unsealed: Path, root: bytes, tmp_path: Path) -> None:
    shutil.copy(unsealed, tmp_path / "film.mp4")
    assert main(["sign", str(tmp_path / "film.mp4"), "--sidecar", "--kind", "edited", "--allow-thumbnail"]) == 0
    assert verify(tmp_path / "film.mp4", [root]).outcome == "trusted"
    assert b"c2pa.thumbnail.claim" in (tmp_path / "film.c2pa").read_bytes()
