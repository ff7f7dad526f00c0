"""Who is who: recordings whose identities are close show one person, whatever their folders call them.

In: unit vectors, and labels where the footage has some. Out: one number a recording. Likeness is compared in blocks, so
that a hundred thousand recordings take minutes and not the memory of a hundred thousand squared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

SAME_PERSON = 0.5  # cosine of mean embeddings; on 32 known faces: same person .706 and more, others .291 and less
_BLOCK = 256  # rows compared at once


def group_people(
    identities: NDArray[Any], threshold: float = SAME_PERSON, labels: Sequence[str] | None = None
) -> list[int]:
    """identities: (N, 128) unit vectors. Returns one number each: those with a cosine of `threshold` or more are one
    person, and so are those joined through a third (connected components).

    `labels`, one each, "" for none: recordings of one label are one person in any case. Their mean is then what is
    compared, which one odd recording among many cannot pull over to somebody else. Sources may call one person by two
    names: labels join too.
    """
    count = len(identities)
    if count == 0:
        return []
    names = list(labels) if labels is not None else [""] * count
    units: dict[str, int] = {}
    unit_of = np.array([units.setdefault(name or f"\0{index}", len(units)) for index, name in enumerate(names)])  # (N,)
    means = np.zeros((len(units), identities.shape[1]), np.float32)
    np.add.at(means, unit_of, identities.astype(np.float32))
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
    return [int(person) for person in _components(means, threshold)[unit_of]]


def _components(vectors: NDArray[np.float32], threshold: float) -> NDArray[np.int64]:
    """Connected components (N,), numbered in order of first appearance, of the graph of pairs with a cosine of
    `threshold` or more.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(vectors)
    component = np.arange(count)
    for start in range(0, count, _BLOCK):
        rows, columns = np.nonzero(vectors[start : start + _BLOCK] @ vectors[start:].T >= threshold)
        # The components so far stand in for all edges so far: memory stays that of one block.
        left, right = component[rows + start], component[columns + start]
        new = left != right
        if not new.any():
            continue
        left, right = left[new], right[new]
        graph = coo_array((np.ones(len(left), np.bool_), (left, right)), shape=(count, count))
        _, joined = connected_components(graph, directed=False)
        component = joined[component]
    _, first, number = np.unique(component, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[number]


def mean_identity(identities: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The mean direction (128,) of at least one embedding."""
    mean = np.mean(identities, axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)
