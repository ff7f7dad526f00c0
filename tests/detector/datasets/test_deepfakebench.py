"""DeepfakeBench JSON: its classes become labels, and what is written is read back the same."""

import pytest

from detector.datasets.deepfakebench import DeepfakeBench, label_of, write_deepfakebench
from detector.datasets.sample import Sample
from sfumato.errors import MediaError, UsageError
from tests.dataset_fixtures import by_id, tree


def entry(label: str, folder: str) -> dict:
    return {"label": label, "frames": [f"{folder}/000.png", f"{folder}/010.png"]}


def test_known_answers(tmp_path) -> None:
    twice = {"id1_0": entry("CelebDFv2_real", "c/id1_0")}
    listed = {
        "FF-NT": {"FF-real": {"train": {"c23": {"071": entry("FF-real", "r/071")}}, "val": {}, "test": {}},
                  "FF-NT": {"train": {}, "val": {}, "test": {"c23": {"071_054": entry("FF-NT", "f/071_054")}}}},
        "Celeb-DF-v2": {"CelebDFv2_real": {"train": twice, "test": twice}},
    }  # fmt: skip
    pictures = {f"{folder}/{n}.png": "" for folder in ("r/071", "f/071_054", "c/id1_0") for n in ("000", "010")}
    found = by_id("deepfakebench", tree(tmp_path, {"x.json": listed} | pictures) / "x.json")
    assert {key: (s.label, s.split, s.compression, s.family) for key, s in found.items()} == {
        "real/071": ("real", "train", "c23", "real"), "FF-NT/071_054": ("fake", "test", "c23", "reenact"),
        "real/id1_0": ("real", "test", "", "real"),  # listed in train too, as its rearrange.py does
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "label"), [("UADFV_Real", "real"), ("FF-real", "real"), ("FF-DF", "fake"), ("simswap_Fake", "fake")]
)
def test_labels(name, label) -> None:
    assert label_of(name) == label


def test_written_and_read_back(tmp_path) -> None:
    tree(tmp_path, {f"{name}/{n}.png": "" for name in ("a", "b") for n in (1, 2)})
    samples = [
        Sample("ours", "a", tmp_path / "a", "real", "camera", "real", "p", "test"),
        Sample("ours", "b", tmp_path / "b", "fake", "warp", "reenact", "p", "validation", "c23"),
    ]
    assert write_deepfakebench(samples, tmp_path / "ours.json") == 2
    found = {
        s.video_id: (s.label, s.split, s.compression, s.path) for s in DeepfakeBench().listed(tmp_path / "ours.json")
    }
    assert found == {"a": ("real", "test", "", tmp_path / "a"), "b": ("fake", "validation", "c23", tmp_path / "b")}


def test_videos_are_refused_and_so_is_another_json(tmp_path) -> None:
    with pytest.raises(UsageError, match="folder of frames"):
        write_deepfakebench(
            [Sample("ours", "a", tmp_path / "a.mp4", "real", "camera", "real", "p")], tmp_path / "x.json"
        )
    tree(tmp_path, {"x.json": [1, 2]})
    with pytest.raises(MediaError, match="DeepfakeBench"):
        by_id("deepfakebench", tmp_path / "x.json")
