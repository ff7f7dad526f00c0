"""CSV: labels as words or as numbers with 1 = fake; a row that cannot be meant is refused with its line."""

import pytest

from detector.datasets.table import FAMILIES, Table
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


def test_a_collection_of_fakes_by_others(tmp_path) -> None:
    """As such tables are written: `file`, what belongs together, what is the counterpart of what, and where from."""
    text = (
        "file,label,method,family,group,pair_of,origin,notes\n"
        "a/real.mp4,real,camera,real,g1,,lab/page,\n"
        'a/lips.mp4,fake,Wav2Lip,lipsync,g1,a/real.mp4,lab/page,"a seam, often"\n'
        "b.jpg,fake,StyleGAN2 (a page),gan,,,,\n"
    )
    found = by_id("csv", tree(tmp_path / "set", {"t.csv": text}) / "t.csv")
    fake, real = found["Wav2Lip/a/lips.mp4"], found["camera/a/real.mp4"]
    assert fake.pair_of == real.path == tmp_path / "set" / "a" / "real.mp4"
    assert fake.source_ids == real.source_ids == ("set/g1",) and real.pair_of is None
    assert (fake.dataset, fake.family) == ("lab/page", "composite")
    alone = found["StyleGAN2 (a page)/b.jpg"]
    assert (alone.dataset, alone.family, alone.source_ids, alone.pair_of) == ("t", "synthesis", (), None)


@pytest.mark.parametrize("written", ["Lip-sync", "lip_sync", "LIPSYNC", "lip sync"])
def test_a_family_is_known_however_it_is_written(tmp_path, written) -> None:
    tree(tmp_path, {"t.csv": f"path,label,family\na,1,{written}\n"})
    assert [sample.family for sample in Table().samples(tmp_path / "t.csv")] == [FAMILIES["lipsync"]]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.mp4,2,.5,,", "label"),
        ("a.mp4,1,nan,,", "score"),
        ("a.mp4,1,high,,", "high"),
        (",1,.5,,", "path"),
        ("a.mp4,1,,b.mp4,real", "family"),
        ("a.mp4,1,,b.mp4,odd", "odd"),
        ("a.mp4,0,,b.mp4,", "pair_of"),
    ],
)
def test_a_row_that_cannot_be_understood_is_refused_with_its_line(tmp_path, row, message) -> None:
    tree(tmp_path, {"t.csv": f"path,label,score,pair_of,family\n{row}\n"})
    with pytest.raises(MediaError, match=f"line 2.*{message}"):
        list(Table().samples(tmp_path / "t.csv"))


def test_a_missing_column_is_refused(tmp_path) -> None:
    tree(tmp_path, {"t.csv": "video,label\na,1\n"})
    with pytest.raises(MediaError, match="'path'"):
        list(Table().samples(tmp_path / "t.csv"))
