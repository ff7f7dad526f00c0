"""The pattern of the mark: an orthonormal basis, synthesis undone by analysis."""

from __future__ import annotations

import numpy as np
import pytest

from provenance.watermark.pattern import BANDS, BLOCKS, CHIPS, analyse, basis, marked_bands, spread, synthesize
from tests.watermark_fixtures import PAYLOAD


def test_the_basis_is_orthonormal_and_synthesis_is_undone_by_analysis() -> None:
    rows = basis()
    np.testing.assert_allclose(rows @ rows.T, np.eye(len(rows)), atol=1e-5)
    chips = spread().chips(PAYLOAD)
    assert chips.shape == (BLOCKS, BLOCKS, len(BANDS))
    assert chips.size == CHIPS
    found = marked_bands(analyse(synthesize(chips)))
    np.testing.assert_array_equal(np.sign(found), chips)
    assert float(synthesize(chips).std()) == pytest.approx(1, abs=0.02)
