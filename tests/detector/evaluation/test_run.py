"""An evaluation as a whole: protocols beside each other, what sources are understood, lines and text."""

import json

import pytest

from detector.evaluation.leakage import Leak
from detector.evaluation.run import EvaluationConfig, choose_split, evaluate, find_samples
from sfumato.errors import UsageError
from sfumato.media.clips import write_clips
from tests.dataset_fixtures import tree
from tests.detector_fixtures import clip_row
from tests.evaluation_fixtures import crowd, sample, scored


@pytest.fixture(scope="module")
def found():
    return evaluate(crowd(30), EvaluationConfig(), [Leak("split", ("ann\n",), 1)])


def test_the_whole_is_measured_under_several_protocols_and_slices_under_one(found) -> None:
    whole = [(row.level, row.aggregator, row.no_face) for row in found.rows if not row.slice]
    assert whole[0] == ("video", "mean", "half")
    assert {("frame", "mean", "half"), ("video", "mean", "abstain"), ("track", "top-third", "half")} <= set(whole)
    assert len(whole) == len(set(whole)) == 8
    slices = [row for row in found.rows if row.slice]
    assert [row.slice for row in slices] == [{"family": "reenact"}, {"generator": "swap"}, {"generator": "warp"}]
    assert {(row.level, row.no_face) for row in slices} == {("video", "half")}


def test_every_number_names_a_protocol_that_is_explained(found) -> None:
    records = [json.loads(line) for line in found.lines({"name": "toy"})]
    explained = {record["protocol"] for record in records if record["record"] == "protocol"}
    rows = [record for record in records if record["record"] == "metrics"]
    assert {row["protocol"] for row in rows} == explained
    assert all(record["model"] == {"name": "toy"} and record["version"] for record in records)
    assert {record["record"] for record in records} == {"protocol", "metrics", "leaks", "shortcuts", "failures"}


def test_scores_that_come_one_a_video_are_called_given() -> None:
    rows = [scored(f"v{i}", ("real", "fake")[i % 2], float(i)) for i in range(30)]
    found = evaluate(rows, EvaluationConfig(frames=0))
    assert [(row.aggregator, row.no_face) for row in found.rows if not row.slice] == [("given", "abstain")]


def test_nothing_scored_is_refused_with_the_reason() -> None:
    with pytest.raises(UsageError, match="Nothing has a score"):
        evaluate([scored("a", "real"), scored("b", "fake")], EvaluationConfig())


def test_sources(tmp_path) -> None:
    write_clips(tmp_path / "clips.jsonl", [clip_row("a.mp4"), clip_row("b.mp4", "fake", "test")])
    assert [found.video_id for found in find_samples(tmp_path)[0]] == ["a.mp4", "b.mp4"]
    assert find_samples(tmp_path / "clips.jsonl")[1] == tmp_path
    pair = tree(tmp_path / "two", {"real/a.mp4": "", "fake/b.mp4": ""})
    assert [found.label for found in find_samples(pair)[0]] == ["real", "fake"]
    with pytest.raises(UsageError, match="Name its --adapter: av-deepfake1m, celeb"):
        find_samples(tree(tmp_path / "odd", {"x/a.mp4": ""}))
    with pytest.raises(UsageError, match="is a folder"):
        find_samples(tmp_path / "clips.jsonl", "faceforensics")
    with pytest.raises(UsageError, match="Unknown data set"):
        find_samples(tmp_path, "celebdf")


def test_the_test_split_is_the_default() -> None:
    samples = [sample("a", "real", split="train"), sample("b", "real", split="test"), sample("c", "real")]
    assert [s.video_id for s in choose_split(samples, None)[0]] == ["b"]
    assert choose_split(samples[::2], None) == (samples[::2], "all")
    assert len(choose_split(samples, "all")[0]) == 3
    with pytest.raises(UsageError, match="none, test, train"):
        choose_split(samples, "validation")
