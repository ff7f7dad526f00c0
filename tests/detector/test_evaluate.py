"""AUC against scikit-learn, ties included; degenerate inputs refused."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from detector.evaluate import auc


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    positive, negative = rng.integers(0, 8, 30).astype(float), rng.integers(-3, 6, 50).astype(float)
    expected = roc_auc_score(np.r_[np.ones(30), np.zeros(50)], np.r_[positive, negative])
    assert auc(positive, negative) == pytest.approx(expected, abs=1e-12)


def test_one_sided_input_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        auc([1.0], [])
