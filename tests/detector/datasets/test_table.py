"""CSV: labels as words or as numbers with 1 = fake; a row that cannot be meant is refused with its line."""

import pytest

from detector.datasets.table import Table
from sfumato.errors import MediaError
from tests.dataset_fixtures import by_id, tree


def test_known_answers(tmp_path) -> None:
    text = (
        "path,label,score,split,method,family,identity,source_ids\n"
        "a.mp4,1,0.9,val,simswap,blend,ann,x;y\nb.mp4,REAL,,,,,,\n"
    )
    found = by_id("csv", tree(tmp_path, {"t.csv": text}) / "t.csv")
    fake, real = found["simswap/a.mp4"], found["real/b.mp4"]
    assert (fake.label, fake.score, fake.split, fake.family, fake.source_ids) == (
        "fake",
        0.9,
        "validation",
        "blend",
        ("x", "y"),
    )
    assert (real.label, real.score, real.split, real.identity) == ("real", None, None, "t/b.mp4")
    assert Table().verify(tmp_path / "t.csv").missing == [
        str(tmp_path / "b.mp4")
    ]  # a.mp4 has a score and need not be there


@pytest.mark.parametrize(
    ("row", "message"),
    [("a.mp4,2,.5", "label"), ("a.mp4,1,nan", "score"), ("a.mp4,1,high", "high"), (",1,.5", "path")],
)  # fmt: skip
def test_a_row_that_cannot_be_understood_is_refused_with_its_line(tmp_path, row, message) -> None:
    tree(tmp_path, {"t.csv": f"path,label,score\n{row}\n"})
    with pytest.raises(MediaError, match=f"line 2.*{message}"):
        list(Table().samples(tmp_path / "t.csv"))


def test_a_missing_column_is_refused(tmp_path) -> None:
    tree(tmp_path, {"t.csv": "file,label\na,1\n"})
    with pytest.raises(MediaError, match="'path'"):
        list(Table().samples(tmp_path / "t.csv"))
