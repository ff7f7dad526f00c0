"""The table of limits: each is held with one sentence, and docs/limits.md shows them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfumato.errors import MediaError, UsageError
from sfumato.limits import Limit, shown, table

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "limits.md").read_text(encoding="utf-8")


def row(limit: Limit) -> str:
    """As the page has it."""
    return f"| {limit.where} | {shown(limit.most, limit.of)} | {limit.reason} |"


def test_the_page_shows_every_limit_and_no_other() -> None:
    beginning = PAGE.index("| where |")
    rows = PAGE[beginning : PAGE.index("\n\n", beginning)].splitlines()[2:]
    assert rows == [row(limit) for _, limit in table()]


def test_as_many_as_allowed_pass_and_one_more_does_not() -> None:
    limit = Limit(3, "boxes", "a film", "two are enough")
    limit.hold("a.mp4", 3)
    with pytest.raises(MediaError, match=r"a\.mp4 has 4 boxes; the limit is 3 boxes"):
        limit.hold("a.mp4", 4)
    with pytest.raises(UsageError, match="Cut it"):
        limit.hold("a.mp4", 4, UsageError, "Cut it.")


@pytest.mark.parametrize(
    ("count", "of", "said"),
    [
        (20, "bytes", "20 bytes"),
        (3 * 2**20, "bytes of header", "3 MB of header"),
        (150_000_000, "pixels", "150 megapixels"),
    ],
)
def test_large_numbers_are_said_in_larger_units(count: int, of: str, said: str) -> None:
    assert shown(count, of) == said
