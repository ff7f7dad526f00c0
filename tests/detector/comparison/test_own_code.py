"""Anybody's detector: what it must be, what it may answer, and that nothing it does ends the run."""

import sys

import numpy as np
import pytest

from detector.comparison.own_code import load_own_code, score_by
from sfumato.errors import UsageError
from tests.evaluation_fixtures import sample

MODULE = """
import sys
print("hello from the module")
calls = []
def size(path):
    calls.append(path.name)
    print("looking at", path)
    if path.name == "bad.mp4":
        raise RuntimeError("no <luck>\\nsecond line")
    if path.name == "quits.mp4":
        sys.exit(3)
    return None if path.name == "empty.mp4" else len(path.read_bytes()) / 10
class Loaded:
    version = "7"
    def __call__(self, path):
        return 0.25
class Broken:
    def __init__(self):
        raise OSError("no weights here")
number = 3
"""


@pytest.fixture
def own(tmp_path, monkeypatch, request):
    """A module in the current folder, under a name of this test's own; what imports it, and its name."""
    name = f"own_detector_{abs(hash(request.node.name))}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    yield name
    sys.modules.pop(name, None)


def videos(folder, **contents):
    for name, content in contents.items():
        (folder / f"{name}.mp4").write_text(content)
    return [sample(name, "fake", path=folder / f"{name}.mp4") for name in contents]


def test_a_number_is_a_score_and_none_is_an_abstention(own, tmp_path, capsys) -> None:
    found = list(score_by(load_own_code(f"{own}:size"), videos(tmp_path, a="xxx", empty="")))
    assert [(item.status, item.frames().tolist()) for item in found] == [("ok", [0.3]), ("abstain", [])]
    told = capsys.readouterr()
    assert told.out == ""
    assert "hello from the module" in told.err and "looking at" in told.err


def test_what_fails_is_that_files_failure(own, tmp_path) -> None:
    samples = [*videos(tmp_path, bad="x", quits="x", good="x"), sample("gone", "real")]
    found = list(score_by(load_own_code(f"{own}:size"), samples))
    assert [item.status for item in found] == ["error", "error", "ok", "error"]
    assert [item.reason for item in found] == [
        "RuntimeError: no <luck>", "SystemExit: 3", "", "there is no such file",
    ]  # fmt: skip


def test_a_second_run_asks_about_failures_alone(own, tmp_path) -> None:
    code, samples = load_own_code(f"{own}:size"), videos(tmp_path, a="xxx", bad="x", empty="")
    first = list(score_by(code, samples, tmp_path / "j.sqlite3"))
    sys.modules[own].calls.clear()
    assert list(score_by(code, samples, tmp_path / "j.sqlite3")) == first
    assert sys.modules[own].calls == ["bad.mp4"]


def test_other_code_or_another_version_is_another_detector(own, tmp_path) -> None:
    before = load_own_code(f"{own}:Loaded").digest
    sys.modules[own].Loaded.version = "8"
    newer = load_own_code(f"{own}:Loaded").digest
    (tmp_path / f"{own}.py").write_text(MODULE + "\n# changed\n")
    assert len({before, newer, load_own_code(f"{own}:Loaded").digest, load_own_code(f"{own}:size").digest}) == 4


@pytest.mark.parametrize("answer", ["0.5", b"1", float("nan"), float("inf"), [0.1, 0.2], np.zeros(3), {}, 1j])
def test_an_answer_that_is_no_number_is_an_error(own, tmp_path, answer) -> None:
    code = load_own_code(f"{own}:size")
    object.__setattr__(code, "judge", lambda path: answer)
    (found,) = score_by(code, videos(tmp_path, a="x"))
    assert found.status == "error"
    assert "not a finite number" in found.reason


@pytest.mark.parametrize("answer", [1, True, np.float32(0.5), np.array(0.5), -3.5])
def test_numbers_of_any_kind_are_scores(own, tmp_path, answer) -> None:
    code = load_own_code(f"{own}:size")
    object.__setattr__(code, "judge", lambda path: answer)
    (found,) = score_by(code, videos(tmp_path, a="x"))
    assert found.frames().tolist() == [float(answer)]


@pytest.mark.parametrize(
    ("attribute", "message"),
    [("nothing", "no attribute"), ("number", "cannot be called"), ("Broken", "OSError: no weights here")],
)
def test_what_is_no_detector_is_refused(own, attribute, message) -> None:
    with pytest.raises(UsageError, match=message):
        load_own_code(f"{own}:{attribute}")


@pytest.mark.parametrize("name", ["../evil:run", "a b:c", "no_colon", "x:", ":y", "-m:z"])
def test_a_name_that_is_none_is_not_imported(name) -> None:
    with pytest.raises(UsageError, match="names no detector"):
        load_own_code(name)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("{own}:sise", "Did you mean 'size'?"),
        ("{own}.py:judge", "Name the module, not its file: {own}:judge."),
        ("nobody_has_this_module:judge", "on PYTHONPATH"),
        ("{own}:Broken", "the callable itself"),
    ],
)
def test_what_cannot_be_loaded_is_told_with_what_to_do(own, name, advice) -> None:
    with pytest.raises(UsageError) as caught:
        load_own_code(name.format(own=own))
    assert advice.format(own=own) in caught.value.advice


def test_a_module_that_is_not_there_is_told(own) -> None:
    with pytest.raises(UsageError, match="cannot be loaded: ModuleNotFoundError"):
        load_own_code("nobody_has_this_module:judge")
