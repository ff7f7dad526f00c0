"""DeeperForensics: the split lists name fakes, and reals come from FaceForensics++."""

import pytest

from detector.datasets.adapters.deeper_forensics import DeeperForensics
from tests.dataset_fixtures import by_id, tree


@pytest.fixture
def root(tmp_path):
    return tree(tmp_path, {
        "manipulated_videos/end_to_end/000_M101.mp4": "", "manipulated_videos/end_to_end_level_5/000_M101.mp4": "",
        "manipulated_videos/end_to_end/001_W002.mp4": "", "lists/splits/train.txt": "000_M101.mp4\n",
        "lists/splits/test.txt": "001_W002.mp4\n002_W003.mp4\n",
        "original_sequences/youtube/c23/videos/000.mp4": "", "original_sequences/youtube/c23/videos/001.mp4": "",
        "source_videos/M101/light/M101.mp4": "",
    })  # fmt: skip


def test_known_answers(root) -> None:
    found = by_id("deeperforensics", root)
    assert {key: (s.label, s.split) for key, s in found.items()} == {
        "real/000": ("real", "train"), "real/001": ("real", "test"), "end_to_end/000_M101": ("fake", "train"),
        "end_to_end/001_W002": ("fake", "test"), "end_to_end_level_5/000_M101": ("fake", "train"),
    }  # fmt: skip
    fake = found["end_to_end/000_M101"]
    assert fake.source_ids == ("ff++/000", "deeperforensics/M101")
    assert fake.pair_of == root / "original_sequences/youtube/c23/videos/000.mp4"


def test_verify(root) -> None:
    found = DeeperForensics().verify(root)
    assert found.parts["end_to_end"] == (2, 1000)
    assert "manipulated_videos/end_to_end/002_W003.mp4" in found.missing
