"""Names of files: plain where the set's are not, of their own, and the same every time; copies are checked."""

from __future__ import annotations

import pytest

from sfumato.app.sets.forms.job import Job, copy_checked, plain_name, plain_word
from sfumato.errors import MediaError
from sfumato.media.clips import file_digest


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("videos/00012-fake.mp4", "00012-fake.mp4"),
        ("videos/a b.mp4", "a-b-"),
        ("videos/A.mp4", "a-"),
        ("videos/写真.mp4", "x-"),
        ("videos/x.y.mp4", "x-y-"),
        ("videos/" + "ü" * 200 + ".mp4", "x-"),
        ("videos/deep/00012-fake.mp4", "00012-fake-"),
        ("-rf.mp4", "rf-"),
    ],
)
def test_names_are_plain(path: str, name: str) -> None:
    found = plain_name(path)
    assert found.startswith(name) and found.endswith(".mp4")
    assert found.isascii() and found == found.lower() and " " not in found and found.count(".") == 1 and len(found) < 90


def test_two_paths_have_two_names() -> None:
    paths = ["videos/a b.mp4", "videos/a_b.mp4", "videos/a-b.mp4", "a-b.mp4", "videos/A-b.mp4", "videos/x/a-b.mp4"]
    assert len({plain_name(path) for path in paths}) == len(paths) - 1  # the same file cannot lie in two places
    assert plain_word("!?", 9) == "x"


def test_every_row_has_a_file_of_its_split(job: Job) -> None:
    assert len(set(job.names.values())) == len(job.media.rows)
    for row in job.media.rows:
        assert job.names[row.clip.path].startswith(f"data/{row.clip.split}/")
    assert [split for split, _ in job.splits()] == ["test", "train"]


def test_a_copy_is_kept_mended_or_refused(job: Job) -> None:
    row = job.media.rows[0]
    target = job.out / "copy.mp4"
    copy_checked(job.source(row), target, row.clip.sha256)
    first = target.stat().st_mtime_ns
    copy_checked(job.source(row), target, row.clip.sha256)
    assert target.stat().st_mtime_ns == first
    target.write_bytes(b"half")
    copy_checked(job.source(row), target, row.clip.sha256)
    assert file_digest(target) == row.clip.sha256
    with pytest.raises(MediaError, match="not the file that the set lists"):
        copy_checked(job.source(row), job.out / "other.mp4", "0" * 64)
    assert [file.name for file in job.out.iterdir()] == ["copy.mp4"]
