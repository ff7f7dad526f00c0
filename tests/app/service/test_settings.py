"""What the service is asked to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfumato.app.service.settings import ServiceSettings
from sfumato.errors import UsageError


def test_the_database_is_in_the_folder_unless_it_is_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ServiceSettings(tmp_path).database_url == f"sqlite:///{tmp_path / 'service.sqlite3'}"
    assert ServiceSettings(tmp_path, "postgresql://host/name").database_url == "postgresql://host/name"
    assert ServiceSettings(tmp_path).uploads == tmp_path / "uploads"
    monkeypatch.chdir(tmp_path)
    assert ServiceSettings(Path("here")).uploads == tmp_path / "here" / "uploads"


@pytest.mark.parametrize("wrong", [{"largest": 0}, {"lease": 0.0}, {"attempts": -1}, {"retention_days": 0.0}])
def test_nonsense_is_refused(tmp_path: Path, wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        ServiceSettings(tmp_path, **wrong)  # type: ignore[arg-type]
