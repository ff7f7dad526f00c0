"""DFDCP: everything is in dataset.json, and clips of different people share a name."""

import pytest

from detector.datasets.adapters.dfdc_preview import DFDCPreview
from sfumato.errors import MediaError
from tests.dataset_fixtures import by_id, tree

ENTRIES = {
    "original_videos/1/clip.mp4": {
        "label": "real",
        "set": "test",
        "augmentations": [],
        "target_id": "1",
        "swapped_id": None,
    },
    "method_A/1/1_2/clip.mp4": {
        "label": "fake",
        "set": "test",
        "augmentations": ["x"],
        "target_id": "1",
        "swapped_id": "2",
    },
    "method_B/3/3_4/clip.mp4": {
        "label": "fake",
        "set": "train",
        "augmentations": [],
        "target_id": "3",
        "swapped_id": "4",
    },
    "method_B/3/3_4/gone.mp4": {
        "label": "fake",
        "set": "train",
        "augmentations": [],
        "target_id": "3",
        "swapped_id": "4",
    },
}


@pytest.fixture
def root(tmp_path):
    return tree(tmp_path, {"dataset.json": ENTRIES} | {name: "" for name in ENTRIES if "gone" not in name})


def test_known_answers(root) -> None:
    found = by_id("dfdcp", root)
    assert {key: (s.label, s.split, s.identity) for key, s in found.items()} == {
        "real/original_videos/1/clip.mp4": ("real", "test", "dfdcp/1"),
        "method_A/method_A/1/1_2/clip.mp4": ("fake", "test", "dfdcp/2"),
        "method_B/method_B/3/3_4/clip.mp4": ("fake", "train", "dfdcp/4"),
    }


def test_verify(root) -> None:
    found = DFDCPreview().verify(root)
    assert found.parts == {"real": (1, 1131), "fake": (2, 4119)}
    assert found.missing == ["method_B/3/3_4/gone.mp4"]


def test_unknown_set_is_refused(root) -> None:
    tree(root, {"dataset.json": {"method_A/1/1_2/clip.mp4": {"label": "fake", "set": "validation"}}})
    with pytest.raises(MediaError, match="validation"):
        by_id("dfdcp", root)
