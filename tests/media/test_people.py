"""Who is who: close identities are one person, labels join, and many recordings are compared without a table of all
pairs.
"""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from sfumato.media import people as module
from sfumato.media.people import group_people


def directions(count: int, seed: int = 0) -> np.ndarray:
    """(count, 128) random unit vectors: as far apart as different people."""
    vectors = np.random.default_rng(seed).normal(size=(count, 128)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def near(vectors: np.ndarray, amount: float = 0.04, seed: int = 1) -> np.ndarray:
    """The same people, a little different."""
    moved = vectors + np.random.default_rng(seed).normal(size=vectors.shape) * amount
    return (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)


def test_nobody_is_nobody() -> None:
    assert group_people(np.empty((0, 128), np.float32)) == []


def test_two_recordings_of_each_of_many_people_are_found() -> None:
    people = directions(40)
    assert group_people(np.concatenate([people, near(people)])) == [*range(40), *range(40)]


def test_a_label_joins_what_does_not_look_alike() -> None:
    assert group_people(directions(4), labels=["a", "a", "", ""]) == [0, 0, 1, 2]


def test_two_labels_of_one_person_are_joined() -> None:
    one = directions(1)
    vectors = np.concatenate([one, near(one), directions(1, 5)])
    assert group_people(vectors, labels=["a", "b", "c"]) == [0, 0, 1]


def test_one_odd_recording_under_a_label_does_not_join_two_people() -> None:
    a, b = directions(2)
    vectors = np.stack([a, a, a, a, b, b])  # the fifth is called a, and shows b
    assert group_people(vectors, labels=["a", "a", "a", "a", "a", "b"]) == [0, 0, 0, 0, 0, 1]


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    people = directions(30)
    vectors = np.concatenate([people, near(people), near(people, seed=2)])[np.random.default_rng(3).permutation(90)]
    at_once = group_people(vectors)
    monkeypatch.setattr(module, "_BLOCK", 7)
    assert group_people(vectors) == at_once


def test_memory_is_that_of_a_block_not_of_all_pairs() -> None:
    vectors = np.repeat(directions(1), 6_000, axis=0)  # everybody is one: as many pairs as there can be
    tracemalloc.start()
    try:
        assert set(group_people(vectors)) == {0}
        assert tracemalloc.get_traced_memory()[1] < 6_000**2 * 4  # bytes of one table of cosines
    finally:
        tracemalloc.stop()
