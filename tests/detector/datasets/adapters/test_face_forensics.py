"""FaceForensics++: splits go by pair, compressions and methods stay apart, twins are found."""

import pytest

from detector.datasets.adapters.face_forensics import FaceForensics
from sfumato.errors import MediaError
from tests.dataset_fixtures import by_id, tree

PAIRS = {
    "splits/train.json": [["071", "054"]],
    "splits/val.json": [["720", "672"]],
    "splits/test.json": [["953", "974"]],
}


@pytest.fixture
def root(tmp_path):
    files = dict(PAIRS)
    for number in ("071", "054", "720", "953", "974", "100"):
        files[f"original_sequences/youtube/c23/videos/{number}.mp4"] = ""
    for method in ("Deepfakes", "Face2Face"):
        for name in ("071_054", "720_672", "953_974", "071_953"):
            files[f"manipulated_sequences/{method}/c23/videos/{name}.mp4"] = ""
    files["manipulated_sequences/Deepfakes/c40/videos/953_974.mp4"] = ""
    files["original_sequences/actors/c23/videos/03__kitchen.mp4"] = ""
    files["manipulated_sequences/DeepFakeDetection/c23/videos/03_11__kitchen__ABCDEFGH.mp4"] = ""
    return tree(tmp_path, files)


def test_known_answers(root) -> None:
    found = by_id("faceforensics", root)
    swap, reenacted = found["Deepfakes/071_054"], found["Face2Face/071_054"]
    assert (swap.label, swap.family, swap.split, swap.identity) == ("fake", "blend", "train", "ff++/054")
    assert (reenacted.family, reenacted.identity, reenacted.driver_id) == ("reenact", "ff++/071", "ff++/054")
    assert swap.pair_of == root / "original_sequences/youtube/c23/videos/071.mp4"
    assert (found["real/071"].label, found["real/071"].split, found["real/974"].split) == ("real", "train", "test")


def test_a_fake_has_a_split_only_if_its_pair_has(root) -> None:
    found = by_id("faceforensics", root)
    assert found["Deepfakes/720_672"].split == "validation"
    assert found["Deepfakes/071_953"].split is None  # 071 is in train and 953 in test, but they are no pair
    assert found["real/100"].split is None


def test_compressions_of_one_video_are_two_groups(root) -> None:
    keys = [
        sample.key
        for sample in FaceForensics().listed(root)
        if sample.video_id == "953_974" and sample.method == "Deepfakes"
    ]
    assert sorted(key[3] for key in keys) == ["c23", "c40"]
    assert len(set(keys)) == 2


def test_deepfake_detection_is_a_data_set_of_its_own_and_all_test(root) -> None:
    found = by_id("faceforensics", root)
    fake = found["DeepFakeDetection/03_11__kitchen__ABCDEFGH"]
    assert (fake.dataset, fake.split, fake.source_ids) == ("DeepFakeDetection", "test", ("dfd/03", "dfd/11"))
    assert fake.pair_of is not None
    assert found["dfd-real/03__kitchen"].label == "real"


def test_verify_counts_and_names_what_is_missing(root) -> None:
    found = FaceForensics().verify(root)
    assert found.parts["Deepfakes c23"] == (4, 1000)
    assert "original_sequences/youtube/c23/videos/672.mp4" in found.missing
    assert "manipulated_sequences/Deepfakes/c23/videos/054_071.mp4" in found.missing
    assert not found.complete


def test_pair_in_two_splits_is_refused(root) -> None:
    tree(root, {"splits/test.json": [["054", "071"]]})
    with pytest.raises(MediaError, match="two splits"):
        FaceForensics().verify(root)
