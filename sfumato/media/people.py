"""Who is who: recordings whose identities are close show one person, whatever their folders call them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SAME_PERSON = 0.5  # cosine of mean embeddings; on 32 known faces: same person .706 and more, others .291 and less


def group_people(identities: NDArray[Any], threshold: float = SAME_PERSON) -> list[int]:
    """identities: (N, 128) unit vectors. Returns one label each: those with a cosine of `threshold` or more are one person,
    and so are those joined through a third (connected components)."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    if len(identities) == 0:
        return []
    _, labels = connected_components(csr_array(identities @ identities.T >= threshold), directed=False)
    return [int(label) for label in labels]


def mean_identity(identities: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The mean direction (128,) of at least one embedding."""
    mean = np.mean(identities, axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)
