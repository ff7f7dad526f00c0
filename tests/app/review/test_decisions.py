"""Decisions to labels: the last word of a reviewer counts, doubt and dispute have no label, nor has a changed file."""

import csv
import json
from typing import Any

import pytest

from detector.datasets.table import Table
from sfumato.app.review.decisions import LABELS, label, read_decisions, write_labels
from sfumato.errors import MediaError, UsageError
from sfumato.media.clips import file_digest


def line(path, decision="generated", reviewer="Ada", time="2026-01-31T12:00:00Z", **changes: Any) -> dict[str, Any]:
    digest = file_digest(path) if path.is_file() else "0" * 64
    said = {"schema": 1, "path": path.name, "sha256": digest, "decision": decision, "reviewer": reviewer, "time": time}
    return said | {"reason": "", "verdict": "suspicious", "score": 0.75, "model": None} | changes


@pytest.fixture
def files(tmp_path):
    """Four files that differ, in a folder of uploads."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    for name in "abcd":
        (folder / f"{name}.mp4").write_text(name)
    return [folder / f"{name}.mp4" for name in "abcd"]


def labelled(folder, *lines, table=None):
    export = folder / "decisions.jsonl"
    export.write_text("".join(json.dumps(each) + "\n" for each in lines))
    return label(read_decisions([export]), table or folder / "labels.csv")


def test_each_decision_is_the_label_that_it_means(files) -> None:
    found = labelled(files[0].parent, *(line(path, decision) for path, decision in zip(files, LABELS, strict=True)))
    assert found.rows == [
        ("a.mp4", "real", "camera", "real", "0.75"),
        ("b.mp4", "fake", "reviewed-generated", "synthesis", "0.75"),
        ("c.mp4", "fake", "reviewed-manipulated", "blend", "0.75"),
    ]
    assert found.left_out == [("d.mp4", "its reviewer could not tell")] and found.reviewers == {"Ada"}


def test_of_one_reviewer_the_last_word_counts_and_two_may_disagree(files) -> None:
    a, b, *_ = files
    found = labelled(
        a.parent,
        line(a, "real", time="2026-01-31T13:00:00+00:00"), line(a, "generated"),
        line(b, "real"), line(b, "manipulated", "Bo"),
    )  # fmt: skip
    assert [row[:2] for row in found.rows] == [("a.mp4", "real")]
    assert found.left_out == [("b.mp4", "its reviewers disagree (Ada: real, Bo: manipulated)")]
    agreed = labelled(a.parent, line(a, "real"), line(a, "real", "Bo"))
    assert len(agreed.rows) == 1 and agreed.reviewers == {"Ada", "Bo"}


def test_a_file_that_is_gone_or_changed_has_no_label(files) -> None:
    a, b, c, _ = files
    lines = [line(a), line(b), line(c, sha256=None)]
    a.unlink()
    b.write_text("other")
    assert [why for _, why in labelled(b.parent, *lines).left_out] == [
        "it is not where its record says", "its content is not the one that was judged",
        "its content is not the one that was judged",
    ]  # fmt: skip


def test_the_table_names_files_from_its_own_folder_and_is_read_as_a_data_set(files, tmp_path) -> None:
    found = labelled(files[0].parent, line(files[0], "real"), line(files[1], score=None), table=tmp_path / "labels.csv")
    write_labels(tmp_path / "labels.csv", found.rows)
    samples = Table().listed(tmp_path / "labels.csv")
    assert [(sample.path, sample.label, sample.family, sample.score) for sample in samples] == [
        (tmp_path / "uploads" / "a.mp4", "real", "real", 0.75),
        (tmp_path / "uploads" / "b.mp4", "fake", "synthesis", None),
    ]


def test_names_with_commas_quotes_and_formulas_survive_and_others_are_left_out(files) -> None:
    folder = files[0].parent
    named = [folder / '=cmd,"x".mp4', folder / " space.mp4", folder / "new\nline.mp4"]
    for path in named:
        path.write_text(path.name)
    found = labelled(folder, *(line(path) for path in named))
    write_labels(folder / "labels.csv", found.rows)
    with (folder / "labels.csv").open(newline="") as file:
        assert [row["path"] for row in csv.DictReader(file)] == ['=cmd,"x".mp4']
    assert {why for _, why in found.left_out} == {"a table cannot hold its name"}


BAD: list[tuple[dict[str, Any], str]] = [
    ({"schema": 2}, "no object of schema 1"),
    ({"decision": "fake"}, "the decision is 'fake'"),
    ({"decision": ["real"]}, "the decision is"),
    ({"reviewer": " "}, "nobody decided it"),
    ({"path": ""}, "names no file"),
    ({"sha256": "abc"}, "sha256 is none"),
    ({"score": "high"}, "score is no number"),
    ({"time": "yesterday"}, "yesterday"),
]


@pytest.mark.parametrize(("change", "why"), BAD)
def test_what_is_no_decision_is_refused_with_its_line(files, change, why) -> None:
    with pytest.raises(MediaError, match=rf"decisions.jsonl holds what is no decision, line 2: .*{why}"):
        labelled(files[0].parent, line(files[0]), line(files[1]) | change)


def test_an_export_without_a_decision_is_refused(tmp_path) -> None:
    (tmp_path / "decisions.jsonl").write_text("\n")
    with pytest.raises(UsageError, match="no decision"):
        read_decisions([tmp_path / "decisions.jsonl"])
