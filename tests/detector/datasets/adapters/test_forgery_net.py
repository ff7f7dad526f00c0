"""ForgeryNet: the folder's number is the method; the last column may lie."""

import pytest

from detector.datasets.adapters.forgery_net import ForgeryNet
from sfumato.errors import MediaError
from tests.dataset_fixtures import by_id, tree

IMAGES = (
    "train_release/1/a/b/frame00001.png 1 2 3\ntrain_release/16/c/d/frame00002.png 0 0 "
    "0\ntrain_release/7/e/f/gone.png 1 1 7\n"
)
VIDEOS = "2 val_video_release/11/x/1.mp4 0 10 0 10 5 1 1 1 11\n0 val_video_release/19/y/2.mp4 0 0 0\n"


@pytest.fixture
def root(tmp_path):
    names = ["Training/train_release/1/a/b/frame00001.png", "Training/train_release/16/c/d/frame00002.png"]
    videos = ["Validation/val_video_release/11/x/1.mp4", "Validation/val_video_release/19/y/2.mp4"]
    return tree(
        tmp_path,
        dict.fromkeys([*names, *videos], "") | {"Training/image_list.txt": IMAGES, "Validation/video_list.txt": VIDEOS},
    )


def test_known_answers(root) -> None:
    found = {sample.video_id: sample for sample in by_id("forgerynet", root).values()}
    assert {key: (s.label, s.method, s.family, s.split) for key, s in found.items()} == {
        "a/b/frame00001": ("fake", "FaceShifter", "blend", "train"),  # the last column says 3, the folder 1
        "c/d/frame00002": ("real", "RAVDESS", "real", "train"),
        "x/1": ("fake", "StyleGAN2", "synthesis", "validation"),
        "y/2": ("real", "Voxceleb", "real", "validation"),
    }


def test_verify(root) -> None:
    found = ForgeryNet().verify(root)
    assert found.parts == {
        "train fake": (1, None),
        "train real": (1, None),
        "validation fake": (1, None),
        "validation real": (1, None),
    }
    assert found.missing == ["train_release/7/e/f/gone.png"]


@pytest.mark.parametrize(
    ("line", "message"),
    [("train_release/16/a/b.jpg 1 1 1", "RAVDESS"), ("train_release/1/a/b.jpg 1 1", "not a line"),
     ("../1/b.jpg 1 1 1", "leaves"),
     ("train_release/77/a.jpg 1 1 1", "1 to 19")],
)  # fmt: skip
def test_a_line_that_contradicts_itself_is_refused(root, line, message) -> None:
    tree(root, {"Training/image_list.txt": line})
    with pytest.raises(MediaError, match=message):
        by_id("forgerynet", root)
