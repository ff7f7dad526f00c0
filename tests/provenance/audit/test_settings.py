"""How a log is signed: read from beside it, written back equal, nonsense refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provenance.audit.settings import AuditSettings, load_settings, save_settings, settings_file, signer_of
from provenance.pki.keys import development_keys
from sfumato.errors import ConfigError, SealError
from tests.audit_fixtures import Newsroom


def test_they_are_the_usual_ones_without_a_file(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "a.jsonl") == AuditSettings()


@pytest.mark.parametrize(
    "settings",
    [AuditSettings(), AuditSettings("pem:/k é\n\"'", "/c", "ps256", 7, 0.5), AuditSettings("module:sign", "c\\d")],
)
def test_they_read_back_as_they_were_written(tmp_path: Path, settings: AuditSettings) -> None:
    log = tmp_path / "a\n.jsonl"
    save_settings(log, settings)
    assert load_settings(log) == settings


@pytest.mark.parametrize("values", [{"every_lines": 0}, {"every_lines": 10**6}, {"every_minutes": 0.0},
                                    {"every_minutes": float("nan")}, {"signer": "pem:x"}, {"chain": "x"},
                                    {"algorithm": "ps256"}])  # fmt: skip
def test_nonsense_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        AuditSettings(**values)


def test_a_key_of_nobodys_is_refused(tmp_path: Path) -> None:
    settings_file(tmp_path / "a.jsonl").write_text("evrey_lines = 3\n")
    with pytest.raises(ConfigError, match="evrey_lines"):
        load_settings(tmp_path / "a.jsonl")


def test_the_signer_is_the_one_that_is_named(tmp_path: Path) -> None:
    newsroom = Newsroom(tmp_path)
    signer = signer_of(AuditSettings(f"pem:{newsroom.key}", str(newsroom.chain)))
    assert signer.chain_pem == newsroom.signer().chain_pem
    assert signer_of(AuditSettings()).chain_pem == development_keys().chain_pem()
    newsroom.key.chmod(0o644)
    with pytest.raises(SealError, match="may be read by others"):
        signer_of(AuditSettings(f"pem:{newsroom.key}", str(newsroom.chain)))
