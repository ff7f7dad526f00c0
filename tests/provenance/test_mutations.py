"""Damage of every kind to signed files of every kind: nothing crashes, hangs, or is trusted with other media in it."""

from __future__ import annotations

from pathlib import Path

from tests.provenance.mutations import KINDS, run


def test_no_mutation_is_trusted_with_other_media(tmp_path: Path) -> None:
    found = run(180, 0, tmp_path)  # 2,000 of them: python tests/provenance/mutations.py 2000
    assert found.wrong == []
    assert {"trusted", "invalid", "unreadable", "none"} <= set(found.outcomes)
    assert set(found.kinds) == set(KINDS)
    assert sum(found.trusted.values()) > 5  # what players pass over may change, and did
