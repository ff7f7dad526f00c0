"""What the numbers look through: the files that are loaded, by what NOTICE and the files themselves say."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.metrics import networks
from benchmarks.metrics.networks import cross_networks, quality_networks

SUMS = Path(__file__).parents[3] / "sfumato" / "media" / "models" / "SHA256SUMS"
VENDORED = {name: digest for digest, name in (line.split() for line in SUMS.read_text("ascii").splitlines())}
FILES = {
    "csim": "face_recognition_sface_2021dec_int8bq.onnx", "landmark_error": "face_landmark.tflite",
    "mesh": "face_landmark.tflite", "same_faces": "face_detection_yunet_2023mar_int8bq.onnx",
}  # fmt: skip


def test_every_number_has_the_sha256_of_the_file_that_is_loaded() -> None:
    found = quality_networks(("mesh",), None)
    assert {number: found[number].sha256 for number in FILES} == {
        number: VENDORED[name] for number, name in FILES.items()
    }
    assert found["perceptual"] == found["fd_lite0"] == found["mouth_perceptual"]
    assert found["perceptual"].sha256 not in VENDORED.values()
    assert not {"fid", "dlib"} & set(found)


def test_inception_is_named_where_it_was_used() -> None:
    found = quality_networks(("mesh",), "ab" * 32)["fid"]
    assert (found.name, found.sha256) == ("Inception-v3", "ab" * 32)


def test_another_reader_is_named_with_its_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dlib.dat").write_bytes(b"")
    monkeypatch.setattr(networks, "_FILES", {**networks._FILES, networks._DLIB: lambda: tmp_path / "dlib.dat"})
    networks._network.cache_clear()
    found = cross_networks(("mesh", "dlib"))
    networks._network.cache_clear()
    assert found["dlib"].sha256.startswith("e3b0c442")  # of nothing
    assert found["mesh"] == found["shape"] == found["flicker"] and "landmark_error" not in found
