"""The table of exit codes: every code has a meaning, and the page is the table."""

from __future__ import annotations

from pathlib import Path

from sfumato.exit_codes import MEANINGS, ExitCode

PAGE = Path(__file__).parents[2] / "docs" / "exit-codes.md"


def test_every_code_has_a_meaning() -> None:
    assert list(MEANINGS) == list(ExitCode)


def test_the_page_is_the_table() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    assert rows[1:] == [f"| {code.value} | {meaning} |" for code, meaning in MEANINGS.items()]
