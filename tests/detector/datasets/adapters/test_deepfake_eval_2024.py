"""Deepfake-Eval-2024: labels from its lists; what its authors do not know is left out, what is only heard is real."""

import pytest

from detector.datasets.adapters.deepfake_eval_2024 import DeepfakeEval2024
from sfumato.errors import MediaError
from tests.dataset_fixtures import by_id, tree

VIDEOS = """Filename,Video Ground Truth,Audio Ground Truth,Finetuning Set
a.mp4,Real,Real,Test
b.mp4,Fake,Real,Train
c.mp4,Real,Fake,Test
d.mp4,Unknown,Unknown,Test
gone.mp4,Fake,Fake,
"""
IMAGES = "Filename,Ground Truth\np.png,Fake\n"


@pytest.fixture
def root(tmp_path):
    return tree(
        tmp_path,
        {f"video-data/{name}.mp4": "" for name in "abcd"}
        | {"image-data/p.png": ""}
        | {"video-metadata-publish-with-links.csv": VIDEOS, "image-metadata-publish.csv": IMAGES},
    )


def test_known_answers(root) -> None:
    found = {sample.path.name: sample for sample in by_id("deepfake-eval-2024", root).values()}
    assert {key: (s.label, s.method, s.family, s.split) for key, s in found.items()} == {
        "a.mp4": ("real", "video real", "real", "test"),
        "b.mp4": ("fake", "video unknown", "synthesis", "train"),
        "c.mp4": ("real", "video fake voice", "real", "test"),
        "p.png": ("fake", "image unknown", "synthesis", None),
    }


def test_verify(root) -> None:
    found = DeepfakeEval2024().verify(root)
    assert found.parts == {"video real": (2, 2), "video fake": (1, 2), "image fake": (1, 1)}
    assert found.missing == ["video-data/gone.mp4"]
    assert found.notes[0] == "1 files are neither Real nor Fake to its authors, and are left out."
    assert DeepfakeEval2024().verify(root / "video-data").notes[0].startswith("No video-metadata-publish.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Filename,Label\na.mp4,Real\n", "has no column 'Video Ground Truth'"),
        ("Name,Video Ground Truth\na.mp4,Real\n", "no column 'Filename'"),
        ("Filename,Video Ground Truth\n../x.mp4,Real\n", "line 2: '../x.mp4' is no file's name"),
        ("Filename,Video Ground Truth\n/x.mp4,Real\n", "is no file's name"),
        ("Filename,Video Ground Truth\n,Real\n", "is no file's name"),
    ],
)
def test_a_damaged_list_is_refused(root, text, message) -> None:
    (root / "video-metadata-publish-with-links.csv").write_text(text)
    with pytest.raises(MediaError, match=message):
        by_id("deepfake-eval-2024", root)
