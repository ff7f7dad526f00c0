"""Whatever an exclusion leaves out and a player shows is never trusted, whoever signed it, in files of every kind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.provenance.excluding import DECODED, Signed, forgeries, holes

COUNT = int(os.environ.get("SFUMATO_EXCLUSIONS", "220"))  # a full run: 5000


@pytest.fixture(scope="module")
def signed() -> Signed:
    return Signed()


def test_no_exclusion_at_a_random_place_hides_what_is_shown(signed: Signed) -> None:
    found = holes(signed, COUNT, 0)
    print(f"{COUNT} exclusions: decoded differently and refused {found.refused}, harmless {found.passed}")
    assert found.wrong == []
    assert set(found.refused) == set(DECODED)
    assert all(found.refused.values())
    assert sum(found.passed.values()) > 0  # an exclusion within the store is harmless


def test_no_forgery_that_an_exclusion_allows_is_trusted(signed: Signed, tmp_path: Path) -> None:
    """The library calls every one of them trusted: the picture is another one, and the signature holds."""
    found = forgeries(signed, COUNT // 5, 1, tmp_path)
    print(f"{COUNT // 5} forgeries: trusted by the library and refused {found.refused}, harmless {found.passed}")
    assert found.wrong == []
    assert sum(found.refused.values()) > COUNT // 10
