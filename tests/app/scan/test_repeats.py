"""Copies are judged once: by content and suffix, and only as long as another of the size is to come."""

from dataclasses import replace
from pathlib import Path

import pytest

from detector.inference.prediction import Prediction
from sfumato.app.scan.cascade import Looked, Stages
from sfumato.app.scan.record import FileFacts
from sfumato.app.scan.repeats import Repeats
from tests.scan_fixtures import mark_facts


def files(folder: Path, **contents: str) -> dict[str, FileFacts]:
    for name, text in contents.items():
        (folder / name.replace("_", ".")).write_text(text)
    return {name: FileFacts.of(folder / name.replace("_", ".")) for name in contents}


@pytest.fixture
def judged() -> Looked:
    return Looked(Prediction("abstain"), None, Stages({"watermark": 1.0, "full": 2.0}))


def test_a_copy_is_found_with_the_path_of_the_first(tmp_path, judged) -> None:
    facts = files(tmp_path, a_mp4="one", b_mp4="one", c_mp4="two")
    seen = Repeats(tmp_path.iterdir())
    assert seen.find(facts["a_mp4"]) is None
    seen.done(facts["a_mp4"], replace(judged, mark=mark_facts()))
    assert seen.find(facts["c_mp4"]) is None
    found = seen.find(facts["b_mp4"])
    assert (found.path, found.prediction.status, found.prediction.timing.total) == (
        str(tmp_path / "a.mp4"), "abstain", 0.0
    )  # fmt: skip
    assert found.mark == mark_facts(seconds=0.0)
    assert found.stages == Stages({"watermark": 0.0, "full": 0.0})


def test_what_nobody_looked_at_is_no_copy_for_others(tmp_path, judged) -> None:
    facts = files(tmp_path, a_mp4="one", b_mp4="one", c_mp4="one")
    seen = Repeats(tmp_path.iterdir())
    seen.done(facts["a_mp4"], None)
    assert seen.find(facts["b_mp4"]) is None
    seen.done(facts["b_mp4"], judged)
    assert seen.find(facts["c_mp4"]) is not None


def test_another_suffix_is_read_in_another_way(tmp_path, judged) -> None:
    facts = files(tmp_path, a_mp4="one", b_jpg="one")
    seen = Repeats(tmp_path.iterdir())
    seen.done(facts["a_mp4"], judged)
    assert seen.find(facts["b_jpg"]) is None


def test_what_stands_alone_is_not_kept_and_copies_are_let_go_of(tmp_path, judged) -> None:
    facts = files(tmp_path, a_mp4="one", b_mp4="one", c_mp4="alone")
    seen = Repeats(tmp_path.iterdir())
    for name in ("c_mp4", "a_mp4"):
        seen.done(facts[name], judged)
    assert seen.find(facts["c_mp4"]) is None and seen.find(facts["b_mp4"]) is not None
    seen.done(facts["b_mp4"], judged)
    assert seen.find(facts["b_mp4"]) is None


def test_a_file_that_is_gone_is_no_copy(tmp_path, judged) -> None:
    gone = FileFacts.of(tmp_path / "gone.mp4")
    seen = Repeats([tmp_path / "gone.mp4", tmp_path / "gone.mp4"])
    seen.done(gone, judged)
    assert seen.find(gone) is None
