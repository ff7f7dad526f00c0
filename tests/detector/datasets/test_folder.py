"""real/ and fake/: the label is the folder, the method the folder below."""

import pytest

from sfumato.errors import UsageError
from tests.dataset_fixtures import by_id, tree


def test_known_answers(tmp_path) -> None:
    names = [
        "real/a.mp4",
        "real/party/b.png",
        "fake/c.mp4",
        "fake/blend-simswap/d.mp4",
        "fake/hallo/e/0001.png",
        "fake/hallo/e/0002.png",
    ]
    found = by_id("folder", tree(tmp_path, dict.fromkeys(names, "") | {"real/notes.txt": ""}))
    assert {key: (s.label, s.family) for key, s in found.items()} == {
        "real/a.mp4": ("real", "real"), "real/party/b.png": ("real", "real"), "fake/c.mp4": ("fake", "synthesis"),
        "blend-simswap/blend-simswap/d.mp4": ("fake", "blend"), "hallo/hallo/e": ("fake", "synthesis"),
    }  # fmt: skip


def test_an_empty_folder_is_refused(tmp_path) -> None:
    with pytest.raises(UsageError, match="No video"):
        by_id("folder", tmp_path)
