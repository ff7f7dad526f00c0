"""A generated picture leaves sealed, or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from provenance.signing.seal import C2paSeal
from provenance.verifying.verify import verify
from sfumato.errors import SealError
from sfumato.media.images import read_image
from sfumato.media.sealed_picture import DEFAULT, REGISTRY, write_generated_picture
from sfumato.media.video import GeneratedFacts
from tests.media_fixtures import picture

FACTS = GeneratedFacts("samples", "m", "0" * 64, 3, (), "1" * 64)


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_a_picture_is_sealed_and_says_what_it_is(tmp_path: Path, name: str) -> None:
    write_generated_picture(tmp_path / name, picture(0), FACTS)
    found = verify(tmp_path / name)
    assert (found.outcome, found.declares, found.facts["seed"]) == ("untrusted", ("trainedAlgorithmicMedia",), 3)
    assert np.abs(read_image(tmp_path / name).astype(int) - picture(0)).mean() < 6
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_seal_that_only_copies_writes_nothing(tmp_path: Path) -> None:
    def copy(unsealed: Path, destination: Path, facts: object) -> None:
        shutil.copyfile(unsealed, destination)

    with pytest.raises(SealError, match="no credential"):
        write_generated_picture(tmp_path / "a.png", picture(0), FACTS, copy)
    assert list(tmp_path.iterdir()) == []


def test_the_default_seal_loads() -> None:
    assert REGISTRY.load(DEFAULT) is C2paSeal
