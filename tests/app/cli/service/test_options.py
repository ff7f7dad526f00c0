"""What the commands of the service share."""

from __future__ import annotations

import sys

import pytest

from sfumato.app.cli.main import main
from sfumato.exit_codes import ExitCode


def test_without_the_extra_it_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path
) -> None:
    for name in [each for each in sys.modules if each.startswith("sfumato.app.service")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["serve", "--folder", str(tmp_path / "service")]) == ExitCode.REQUEST
    assert "pip install -e '.[serve]'" in capsys.readouterr().err
