"""DFDC: labels of metadata.json and of labels.csv, twins by `original`, validation by parts."""

import pytest

from detector.datasets.adapters.dfdc import DFDC
from sfumato.errors import MediaError
from tests.dataset_fixtures import by_id, tree

METADATA = {
    "real.mp4": {"label": "REAL", "split": "train"},
    "fake.mp4": {"label": "FAKE", "split": "train", "original": "real.mp4"},
    "gone.mp4": {"label": "FAKE", "split": "train", "original": "real.mp4"},
}


@pytest.fixture
def root(tmp_path):
    files = {f"dfdc_train_part_{n}/{name}": "" for n in (2, 7) for name in (f"real{n}.mp4", f"fake{n}.mp4")}
    for n in (2, 7):
        files[f"dfdc_train_part_{n}/metadata.json"] = {
            key.replace(".mp4", f"{n}.mp4"): value | ({"original": f"real{n}.mp4"} if "original" in value else {})
            for key, value in METADATA.items()
        }
    files |= {"test/a.mp4": "", "test/b.mp4": "", "test/labels.csv": "filename,label\na.mp4,1\nb.mp4,0\nc.mp4,1\n"}
    return tree(tmp_path, files)


def test_known_answers(root) -> None:
    found = {sample.video_id: sample for sample in by_id("dfdc", root).values()}
    assert {key: (sample.label, sample.split) for key, sample in found.items()} == {
        "real2": ("real", "validation"), "fake2": ("fake", "validation"), "real7": ("real", "train"),
        "fake7": ("fake", "train"),
        "a": ("fake", "test"), "b": ("real", "test"),
    }  # fmt: skip
    assert found["fake7"].identity == found["real7"].identity
    assert found["fake7"].pair_of == root / "dfdc_train_part_7/real7.mp4"


def test_verify(root) -> None:
    found = DFDC().verify(root)
    assert found.parts["train fake"] == (2, 104500)
    assert found.parts["test real"] == (1, 2500)
    assert found.missing == ["dfdc_train_part_2/gone2.mp4", "dfdc_train_part_7/gone7.mp4", "test/c.mp4"]


def test_unknown_label_is_refused(root) -> None:
    tree(root, {"test/labels.csv": "filename,label\na.mp4,maybe\n"})
    with pytest.raises(MediaError, match="maybe"):
        DFDC().verify(root)
