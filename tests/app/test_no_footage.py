"""What is known to be no real: by its content, by its list, by its credential; all else is kept."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from detector.datasets.sample import Sample
from provenance.manifests.declaration import Declaration
from provenance.signing.seal import development_signer
from provenance.signing.sign import sign_file
from sfumato.app.animation.gallery import shipped_portraits
from sfumato.app.no_footage import why_unreal, without_unreal
from sfumato.media.images import write_image


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    write_image(tmp_path / "a.png", np.full((48, 64, 3), 90, np.uint8))
    return tmp_path / "a.png"


def signed(picture: Path, kind: str, source_type: str = "") -> Path:
    out = picture.with_name("signed.png")
    sign_file(picture, out, Declaration(kind, source_type=source_type), development_signer())
    return out


def test_a_shipped_painting_is_known_by_its_content(tmp_path: Path) -> None:
    for name, portrait in shipped_portraits().items():
        shutil.copy(portrait.path, tmp_path / f"{name}-holiday.jpg")
        assert portrait.title in why_unreal(tmp_path / f"{name}-holiday.jpg")


@pytest.mark.parametrize(
    ("kind", "source_type", "declared"),
    [
        ("generated", "", "trainedAlgorithmicMedia"),
        ("generated", "compositeWithTrainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"),
        ("generated", "digitalArt", "digitalArt"),
    ],
)
def test_a_credential_that_declares_no_camera_counts(picture: Path, kind: str, source_type: str, declared: str) -> None:
    assert f"declares it {declared}" in why_unreal(signed(picture, kind, source_type))


def test_an_edit_without_a_camera_behind_it_counts(picture: Path) -> None:
    assert "edit of another file" in why_unreal(signed(picture, "edited"))


def test_a_declared_capture_is_kept_and_so_is_an_edit_of_one(picture: Path) -> None:
    captured = signed(picture, "generated", "digitalCapture")
    assert why_unreal(captured) == ""
    edited = picture.with_name("edited.png")
    sign_file(captured, edited, Declaration("edited"), development_signer())
    assert why_unreal(edited) == ""


def test_a_credential_that_no_longer_holds_counts_as_well(picture: Path) -> None:
    out = signed(picture, "generated")
    data = bytearray(out.read_bytes())
    data[data.index(b"IDAT") + 12] ^= 1
    out.write_bytes(data)
    assert "(invalid) declares it trainedAlgorithmicMedia" in why_unreal(out)


def test_a_list_that_calls_it_painted_counts_and_a_camera_does_not(picture: Path) -> None:
    assert "calls it painting" in why_unreal(picture, "painting")
    assert why_unreal(picture) == why_unreal(picture, "youtube") == ""


def test_what_cannot_be_read_is_left_to_whoever_reads_it(tmp_path: Path) -> None:
    assert why_unreal(tmp_path / "gone.mp4") == why_unreal(tmp_path) == ""


def test_the_others_are_kept_in_order(picture: Path) -> None:
    samples = [Sample("own", name, picture, "real", method, "real", name)
               for name, method in (("a", "camera"), ("b", "drawing"), ("c", "camera"))]  # fmt: skip
    kept, refused = without_unreal(samples)
    assert [sample.video_id for sample in kept] == ["a", "c"]
    assert [name for name, _ in refused] == ["b"]
