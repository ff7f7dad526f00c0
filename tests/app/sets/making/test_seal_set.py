"""The sums and the manifest of a set: a file that is not as its row says is never signed for."""

from __future__ import annotations

from pathlib import Path

import pytest

from provenance.verifying.verify import verify
from sfumato.app.sets.layout import CLIPS, DETAILS, FACTS, MANIFEST, RECIPE, RIGHTS, SUMS, SetFacts
from sfumato.app.sets.making.seal_set import seal_set
from sfumato.errors import MediaError
from sfumato.media.clips import ClipRow, file_digest

FACTS_OF_IT = SetFacts(
    "studio", "Nothing.", "3", "CC0", "a" * 64, "sfumato 1", {}, {"clips": 1, "splits": {"test": 1}}, "b" * 64
)


@pytest.fixture
def clip(tmp_path: Path) -> ClipRow:
    for name in (RECIPE, CLIPS, DETAILS, RIGHTS, FACTS, "a b.mp4"):
        (tmp_path / name).write_text(name)
    return ClipRow("a b.mp4", "real", "twin", "real", "ada", file_digest(tmp_path / "a b.mp4"), split="test")


def test_sums_are_those_of_sha256sum_and_the_manifest_says_the_digest(tmp_path: Path, clip: ClipRow) -> None:
    seal_set(tmp_path, FACTS_OF_IT, [clip])
    lines = (tmp_path / SUMS).read_text().splitlines()
    assert sorted(line[66:] for line in lines) == sorted([RECIPE, CLIPS, DETAILS, RIGHTS, FACTS, "a b.mp4"])
    assert f"{clip.sha256}  a b.mp4" in lines
    found = verify(tmp_path / SUMS)
    assert (found.outcome, found.title) == ("untrusted", "studio 3")
    assert found.facts["parameters"] == {"set": "studio", "version": "3", "digest": "b" * 64, "clips": 1}


def test_a_file_that_changed_is_not_signed_for(tmp_path: Path, clip: ClipRow) -> None:
    (tmp_path / "a b.mp4").write_text("other")
    with pytest.raises(MediaError, match=r"a b\.mp4 has changed since it was made"):
        seal_set(tmp_path, FACTS_OF_IT, [clip])
    assert not (tmp_path / SUMS).exists()
    assert not (tmp_path / MANIFEST).exists()
