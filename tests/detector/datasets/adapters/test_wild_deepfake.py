"""WildDeepfake: the sequence is the video, the archive is the source."""

import pytest

from detector.datasets.adapters.wild_deepfake import WildDeepfake
from sfumato.errors import MediaError
from tests.dataset_fixtures import by_id, tree


@pytest.fixture
def root(tmp_path):
    places = ["real_train/0/real/12", "real_test/3/real/0", "fake test/3/fake/0", "fake test/3/fake/1"]
    return tree(tmp_path, {f"{place}/{n}.png": "" for place in places for n in (1, 20)} | {"real_test/9.tar.gz": ""})


def test_known_answers(root) -> None:
    found = by_id("wilddeepfake", root)
    assert {key: (s.label, s.split) for key, s in found.items()} == {
        "real/0/12": ("real", "train"), "real/3/0": ("real", "test"), "internet/3/0": ("fake", "test"),
        "internet/3/1": ("fake", "test"),
    }  # fmt: skip
    assert found["internet/3/0"].source_ids == found["internet/3/1"].source_ids  # one archive, one cluster
    assert found["internet/3/0"].source_ids != found["real/3/0"].source_ids  # archive 3 of another folder


def test_verify_names_archives_that_are_not_unpacked(root) -> None:
    assert WildDeepfake().verify(root).missing == ["real_test/9.tar.gz (not unpacked)"]


def test_an_archive_unpacked_into_the_wrong_folder_is_refused(root) -> None:
    tree(root, {"real_test/4/fake/0/1.png": ""})
    with pytest.raises(MediaError, match="Unpack each archive"):
        by_id("wilddeepfake", root)
