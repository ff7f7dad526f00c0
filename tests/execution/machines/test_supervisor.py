"""What begins in the process that works: in the caller's folder, with what was pickled there."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from sfumato.errors import UsageError
from sfumato.execution.machines.supervisor import begin_in
from tests.execution.pool_tasks import begin


def test_work_begins_in_the_folder_of_the_caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path.cwd())  # put back afterwards
    work = begin_in(str(tmp_path), pickle.dumps(begin))
    assert Path.cwd() == tmp_path
    assert pickle.loads(work(pickle.dumps("say a"))) == "a"


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no folder .+ here: No such file or directory\. .+ all machines share"):
        begin_in(str(tmp_path / "none"), pickle.dumps(begin))
