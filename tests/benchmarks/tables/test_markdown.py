"""Tables of Markdown: heads and cells, and numbers with what is known of their intervals."""

from __future__ import annotations

from benchmarks.rows.row import Estimate
from benchmarks.tables.markdown import number_text, table_text


def test_a_table_has_a_head_and_a_line_a_row() -> None:
    assert table_text(("a", "b"), [("1", ""), ("2", "3")]) == "| a | b |\n|---|---|\n| 1 |  |\n| 2 | 3 |"


def test_there_is_no_table_without_rows() -> None:
    assert table_text(("a", "b"), []) == ""


def test_a_number_is_as_much_as_was_measured() -> None:
    assert number_text(Estimate(0.5, (0.25, 1.0)), "+.2f") == "+0.50 (+0.25 to +1.00)"
    assert number_text(Estimate(0.5), ".1f") == "0.5"
    assert number_text(None, ".1f") == ""
