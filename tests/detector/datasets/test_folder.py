"""real/ and fake/: the label is the folder, the method the folder below."""

import pytest

from sfumato.errors import SfumatoWarning, UsageError
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
    root = tree(tmp_path, dict.fromkeys(names, "") | {"real/notes.txt": "", "fake/.hidden/f.mp4": ""})
    with pytest.warns(SfumatoWarning, match="Passed over in folders: 1 .txt, 1 hidden"):
        found = by_id("folder", root)
    assert {key: (s.label, s.family) for key, s in found.items()} == {
        "real/a.mp4": ("real", "real"), "real/party/b.png": ("real", "real"), "fake/c.mp4": ("fake", "synthesis"),
        "blend-simswap/blend-simswap/d.mp4": ("fake", "blend"), "hallo/hallo/e": ("fake", "synthesis"),
    }  # fmt: skip


def test_linked_folders_are_walked_as_by_any_command(tmp_path) -> None:
    tree(tmp_path, {"elsewhere/a.mp4": "", "set/fake/b.mp4": "", "set/real/c.mp4": ""})
    (tmp_path / "set" / "real" / "more").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert "real/more/a.mp4" in by_id("folder", tmp_path / "set")


def test_an_empty_folder_is_refused(tmp_path) -> None:
    with pytest.raises(UsageError, match="Nothing of"):
        by_id("folder", tmp_path)
