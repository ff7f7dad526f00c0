"""Leaks: people, sources, drivers, files and generators that a test set shares with a training or with itself."""

from detector.evaluation.leakage import hashed_names, inner_leaks, model_leaks, training_leaks
from tests.detector_fixtures import clip_row
from tests.evaluation_fixtures import sample


def test_a_person_a_source_a_driver_and_a_file_of_the_training() -> None:
    learnt = [
        sample("t1", "real", identity="ann", split="train"),
        sample("t2", "fake", source_ids=("photo",), split="calibration"),
        sample("t3", "fake", driver_id="bob", split="validation"), sample("t4", "real", sha256="a" * 64, split="train"),
        sample("t5", "real", identity="eve", split="test"),
    ]  # fmt: skip
    tested = [
        sample("a", "real", identity="ann"), sample("b", "fake", source_ids=("photo", "other")),
        sample("c", "real", identity="bob"),
        sample("d", "real", identity="eve"), sample("e", "real", sha256="a" * 64),
    ]  # fmt: skip
    found = {leak.kind: leak for leak in training_leaks(tested, learnt)}
    assert found["person or source"].names == ("ann", "bob", "photo")  # eve was held out
    assert found["file"].names == ("/nowhere/e.mp4",)
    assert training_leaks([sample("d", "real", identity="eve")], learnt) == []


def test_a_generator_of_the_training_is_told_but_is_no_fault() -> None:
    found = model_leaks([sample("a", "fake", generator_digest="b" * 64)], {"training": {"generators": ["b" * 64]}})
    assert [(leak.kind, leak.severe) for leak in found] == [("generator", False)]
    assert model_leaks([sample("a", "fake", generator_digest="c" * 64)], {"training": {"generators": ["b" * 64]}}) == []


def test_a_person_in_test_and_train_of_one_set() -> None:
    whole = [sample("a", "real", identity="ann", split="train"), sample("b", "fake", source_ids=("ann",), split="test")]
    assert [(leak.kind, leak.names) for leak in inner_leaks(whole[1:], whole)] == [("split", ("ann",))]
    assert inner_leaks(whole[1:], whole[1:]) == []


def test_one_file_with_two_labels(tmp_path) -> None:
    for name, content in (("a", "same"), ("b", "same"), ("c", "else")):
        (tmp_path / f"{name}.mp4").write_text(content)
    samples = [
        sample(name, label, path=tmp_path / f"{name}.mp4")
        for name, label in (("a", "real"), ("b", "fake"), ("c", "fake"))
    ]
    (found,) = inner_leaks(samples)
    assert found.kind == "file with two labels"
    assert found.names == (str(tmp_path / "a.mp4"), str(tmp_path / "b.mp4"))


def test_names_are_cut_and_counted() -> None:
    learnt = [sample(f"t{i}", "real", identity=f"p{i:02}", split="train") for i in range(30)]
    (found,) = training_leaks([sample(f"a{i}", "real", identity=f"p{i:02}") for i in range(30)], learnt)
    assert found.count == 30
    assert len(found.names) == 10


def test_a_model_tells_whom_it_knows_without_naming_them() -> None:
    rows = [
        clip_row("a.mp4", identity="ann"), clip_row("f.mp4", "fake", "calibration", identity="bob"),
        clip_row("t.mp4", split="test", identity="eve"),
    ]  # fmt: skip
    packed = hashed_names(rows)
    assert len(packed) == 4 * 3 * 6 / 3  # two people, one real file
    assert "ann" not in packed
    tested = [
        sample("1", "real", identity="ann"), sample("2", "fake", source_ids=("bob",)),
        sample("3", "real", identity="eve"),
        sample("4", "real", sha256=rows[0].sha256), sample("5", "real", sha256=rows[2].sha256),
    ]  # fmt: skip
    found = {leak.kind: leak for leak in model_leaks(tested, {"training": {"learnt_from": packed}})}
    assert found["person or source"].names == ("ann", "bob")
    assert found["file"].names == ("/nowhere/4.mp4",)
    assert all(leak.severe for leak in found.values())
    assert model_leaks(tested, {"training": {}}) == []
