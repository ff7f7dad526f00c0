"""What is known to be no real: by its content, its looks, its list, its credential, its watermark; all else is kept."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.datasets.sample import Sample
from provenance.manifests.declaration import Declaration
from provenance.signing.seal import development_signer
from provenance.signing.sign import sign_file
from provenance.watermark.embed import SpreadMarker
from sfumato.app.animation.gallery import shipped_portraits
from sfumato.app.no_footage import why_unreal, without_drawn, without_unreal
from sfumato.media.images import read_image, write_image
from tests.detector_fixtures import face_picture
from tests.media_fixtures import make_video
from tests.watermark_fixtures import PAYLOAD, encode, scene


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
    samples = [Sample("own", name, picture, "real", method, "real", name)
               for name, method in (("a", "camera"), ("b", "Painting"), ("c", "youtube"))]  # fmt: skip
    kept, drawn = without_drawn(samples)
    assert [sample.video_id for sample in kept] == ["a", "c"]
    assert drawn == [("b", "no photograph: the list calls it Painting")]


COPIES = {
    "smaller and compressed": lambda image: cv2.resize(image, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA),
    "turned over": lambda image: image[:, ::-1],
    "cut to the upper part": lambda image: image[: image.shape[1]],
    "in a frame": lambda image: cv2.copyMakeBorder(image, 120, 90, 200, 30, cv2.BORDER_CONSTANT, value=(40, 30, 20)),
    "grey and brighter": lambda image: np.clip(image.mean(2, keepdims=True) * 1.2 + 10, 0, 255).repeat(3, 2),
}


@pytest.mark.parametrize("change", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("name", ["mona-lisa", "lady-agnew"])
def test_what_looks_like_a_shipped_painting_is_known(tmp_path: Path, name: str, change) -> None:
    shipped = shipped_portraits()[name]
    copy = np.ascontiguousarray(change(read_image(shipped.path)).astype(np.uint8))
    cv2.imwrite(str(tmp_path / "aunt.jpg"), copy[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 60])
    assert f"nearly the picture of a painting, no photograph: {shipped.title}" in why_unreal(tmp_path / "aunt.jpg")


def test_a_painting_that_was_filmed_is_known(tmp_path: Path) -> None:
    image = cv2.resize(read_image(shipped_portraits()["mona-lisa"].path), (232, 320), interpolation=cv2.INTER_AREA)
    make_video(tmp_path / "a.mp4", images=[image] * 3, frames=3, width=232, height=320)
    assert "Mona Lisa" in why_unreal(tmp_path / "a.mp4")


def test_people_who_are_no_painting_are_kept(tmp_path: Path) -> None:
    for seed in range(5):
        write_image(tmp_path / f"{seed}.png", face_picture(seed, 256))
        assert why_unreal(tmp_path / f"{seed}.png") == ""


@pytest.mark.parametrize(("marked", "why"), [(True, "it carries the watermark of what sfumato made"), (False, "")])
def test_a_video_with_our_watermark_counts_without_any_credential(tmp_path: Path, marked: bool, why: str) -> None:
    marker = SpreadMarker(PAYLOAD)
    images = [marker.mark(image, []) if marked else image for image in scene(frames=12)]
    encode(images, tmp_path / "a.mp4", crf=23)
    assert why_unreal(tmp_path / "a.mp4") == why


def test_what_cannot_be_read_is_left_to_whoever_reads_it(tmp_path: Path) -> None:
    assert why_unreal(tmp_path / "gone.mp4") == why_unreal(tmp_path) == ""


def test_the_others_are_kept_in_order(picture: Path) -> None:
    painting = shipped_portraits()["mona-lisa"].path
    samples = [Sample("own", name, path, "real", "camera", "real", name)
               for name, path in (("a", picture), ("b", painting), ("c", picture))]  # fmt: skip
    kept, refused = without_unreal(samples)
    assert [sample.video_id for sample in kept] == ["a", "c"]
    assert [name for name, _ in refused] == ["b"]
