"""The mutation gate itself: which mutants it makes, which it leaves out, and what it says of text that is gone."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parent


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    pytest.importorskip("cosmic_ray", reason="needs cosmic-ray (pip install -e '.[dev]')")
    monkeypatch.setattr(sys, "path", list(sys.path))
    spec = importlib.util.spec_from_file_location("mutation_gate", FOLDER / "gate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SOURCE = '''"""Text 1."""
from __future__ import annotations
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from a import b
else:
    most = 9

@dataclass(frozen=True)
class Limit:
    value: int | None = 3

def above(value: int | None, *, limit: Limit) -> bool | None:
    return value > limit.value

async def later(value: int, /, by: int) -> int | None:
    return value * by
'''


def test_what_is_for_types_alone_and_marks_of_signatures_are_left_alone(gate: ModuleType) -> None:
    found = {mutant.becomes for mutant in gate.mutants_of(SOURCE)}
    assert found == {
        "most = 8",
        "most = 10",
        "value: int | None = 2",
        "value: int | None = 4",
        "return value >= limit.value",
        "return value <= limit.value",
        "return value / by",
    }


def test_a_sample_is_the_same_each_time_and_inside_a_larger_one(gate: ModuleType) -> None:
    mutants = list(range(50))
    small, large = gate.sampled(mutants, "a.py", 5), gate.sampled(mutants, "a.py", 20)
    assert small == gate.sampled(mutants, "a.py", 5)
    assert (len(small), len(large)) == (5, 20)
    assert set(small) < set(large)
    assert gate.sampled(mutants, "a.py", 0) == gate.sampled(mutants, "a.py", 99) == mutants


def test_a_named_fault_must_stand_in_one_place(gate: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\ny = 2\n")
    (tmp_path / "b.py").write_text("y = 2\n")
    fault = {"files": ["*.py"], "old": "x = 1", "new": "x = 2"}
    assert gate.with_fault(fault, tmp_path) == ("a.py", "x = 2\ny = 2\n")
    with pytest.raises(LookupError, match="is gone"):
        gate.with_fault({**fault, "old": "z = 1"}, tmp_path)
    with pytest.raises(LookupError, match="2 places"):
        gate.with_fault({**fault, "old": "y = 2"}, tmp_path)


def test_files_come_in_the_order_of_their_patterns_each_once(gate: ModuleType, tmp_path: Path) -> None:
    for name in ("a.py", "b.py", "c.py", "__init__.py", "notes.txt"):
        (tmp_path / name).write_text("")
    assert gate.files_of(["c.*", "*"], tmp_path) == ["c.py", "a.py", "b.py"]


def test_a_table_that_means_no_file_is_refused(gate: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    with pytest.raises(SystemExit, match=r"nothing/\*\.py; has it moved"):
        gate.files_of(["a.py", "nothing/*.py"], tmp_path)
