"""Celeb-DF: in the test list 1 means real, in the labels of everything else it means fake."""

import pytest

from detector.datasets import REGISTRY
from sfumato.errors import MediaError
from tests.dataset_fixtures import by_id, tree

LIST = "1 Celeb-real/id1_0003.mp4\n0 Celeb-synthesis/id1_id2_0003.mp4\n1 YouTube-real/00170.mp4\n"


@pytest.fixture
def root(tmp_path):
    names = [
        "Celeb-real/id1_0003.mp4",
        "Celeb-real/id2_0001.mp4",
        "Celeb-synthesis/id1_id2_0003.mp4",
        "Celeb-synthesis/id2_id1_0001.mp4",
    ]
    return tree(tmp_path, dict.fromkeys(names, "") | {"Youtube-real/00170.mp4": "", "List_of_testing_videos.txt": LIST})


@pytest.mark.parametrize("name", ["celeb-df-v1", "celeb-df-v2"])
def test_known_answers(root, name) -> None:
    found = by_id(name, root)
    assert {key: (sample.label, sample.split) for key, sample in found.items()} == {
        "Celeb-real/id1_0003": ("real", "test"), "Celeb-real/id2_0001": ("real", "train"),
        "YouTube-real/00170": ("real", "test"),
        "Celeb-synthesis/id1_id2_0003": ("fake", "test"), "Celeb-synthesis/id2_id1_0001": ("fake", "train"),
    }  # fmt: skip
    swap = found["Celeb-synthesis/id1_id2_0003"]
    assert swap.identity == "celeb-df/id2"  # the face of B in the video of A
    assert swap.source_ids == ("celeb-df/id1", "celeb-df/id2")
    assert swap.pair_of == root / "Celeb-real/id1_0003.mp4"


def test_a_list_with_inverted_labels_is_refused(root) -> None:
    tree(root, {"List_of_testing_videos.txt": "0 Celeb-real/id1_0003.mp4\n"})
    with pytest.raises(MediaError, match="0 means fake"):
        by_id("celeb-df-v2", root)


def test_without_the_list_nothing_has_a_split(root) -> None:
    (root / "List_of_testing_videos.txt").unlink()
    assert {sample.split for sample in by_id("celeb-df-v2", root).values()} == {None}


def test_verify(root) -> None:
    tree(root, {"List_of_testing_videos.txt": LIST + "1 Celeb-real/id9_0000.mp4\n"})
    found = REGISTRY.load("celeb-df-v2")().verify(root)
    assert found.parts == {"Celeb-real": (2, 590), "YouTube-real": (1, 300), "Celeb-synthesis": (2, 5639)}
    assert found.missing == ["Celeb-real/id9_0000.mp4"]
    assert any("4 lines; 518" in note for note in found.notes)
