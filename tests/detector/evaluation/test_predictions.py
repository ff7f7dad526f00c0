"""Another detector's CSV: rows of a video are its frames, an empty score is an abstention, and nothing is guessed."""

import pytest

from detector.evaluation.predictions import has_frames, join_predictions, read_predictions, with_media
from sfumato.errors import MediaError, UsageError
from tests.evaluation_fixtures import sample
from tests.media_fixtures import make_video


def table(tmp_path, text: str):
    path = tmp_path / "p.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_of_one_video_are_its_frames(tmp_path) -> None:
    found = read_predictions(table(tmp_path, "path,label,score\na,1,0.2\na,1,0.6\nb,0,0.1\nc,0,\n"))
    assert [(item.sample.video_id, item.status, item.frames().tolist()) for item in found] == [
        ("a", "ok", [0.2, 0.6]), ("b", "ok", [0.1]), ("c", "abstain", []),
    ]  # fmt: skip
    assert has_frames(found)
    assert not has_frames(found[1:])


def test_rows_that_contradict_each_other_are_refused(tmp_path) -> None:
    with pytest.raises(MediaError, match="contradict"):
        read_predictions(table(tmp_path, "path,label,score\na,1,0.2\na,0,0.6\n"))


def test_a_table_without_a_score_is_refused(tmp_path) -> None:
    with pytest.raises(UsageError, match="no score"):
        read_predictions(table(tmp_path, "path,label\na,1\nb,0\n"))


def test_scores_are_joined_by_path_or_by_a_unique_name(tmp_path) -> None:
    samples = [
        sample(name, "fake", path=tmp_path / folder / f"{name}.mp4")
        for name, folder in (("a", "x"), ("b", "y"), ("d", "z"))
    ]
    found = join_predictions(
        samples, table(tmp_path, f"path,score\nx/a.mp4,0.5\nelse/b.mp4,0.25\n{tmp_path}/x/a.mp4,0.7\n"), tmp_path
    )
    assert [item.frames().tolist() for item in found] == [[0.5, 0.7], [0.25], []]
    assert found[2].status == "abstain"


@pytest.mark.parametrize(
    ("row", "message"),
    [("q.mp4,0.5", "no file of the set"), ("a.mp4,0.5", "could be 2 files"), ("x/a.mp4,much", "'much'")],
)
def test_rows_that_cannot_be_placed_are_refused_with_their_line(tmp_path, row, message) -> None:
    samples = [sample("a", label, path=tmp_path / folder / "a.mp4") for label, folder in (("fake", "x"), ("real", "y"))]
    with pytest.raises(MediaError, match=f"line 2.*{message}"):
        join_predictions(samples, table(tmp_path, f"path,score\n{row}\n"), tmp_path)


def test_media_facts_of_files_that_are_there(tmp_path) -> None:
    make_video(tmp_path / "a.mp4")
    found = list(with_media(read_predictions(table(tmp_path, "path,label,score\na.mp4,1,0.2\ngone.mp4,0,0.1\n"))))
    assert found[0].media["width"] == 64
    assert found[0].media["codec"] == "h264"
    assert found[0].media["size"] == (tmp_path / "a.mp4").stat().st_size
    assert found[1].media == {}
