"""The stream of batches: the same ones whatever the number of workers, errors handed over whole, nobody left behind."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch

from generator.data.dataset import PersonFootage
from generator.data.episodes import EpisodeSampler
from generator.data.stream import EpisodeStream
from generator.networks.episode import Episode
from sfumato.errors import CheckpointError
from tests.generator_fixtures import clip_of, people, train_config
from tests.process_fixtures import ready_processes


@contextmanager
def stream(workers: int, sampler: EpisodeSampler | None = None) -> Iterator[EpisodeStream]:
    sampler = sampler or EpisodeSampler(people(3, pictures=2), train_config(pictures=0.5, vary_frames=True))
    ready_processes("generator")
    opened = EpisodeStream(sampler, range(2), workers)
    try:
        yield opened
    finally:
        opened.close()


def equal(a: Episode, b: Episode) -> bool:
    return all(torch.equal(getattr(a, name), getattr(b, name)) for name in vars(a))


# In order; with D's own batches from some step on; with a jump back, as after a resume.
ORDER = [(0, 0), (1, 0), *((step, update) for step in (2, 3, 4, 9) for update in range(3)), (10, 0), (1, 0), (2, 0)]


@pytest.mark.parametrize("workers", [1, 2])
def test_batches_are_the_same_whatever_the_number_of_workers(workers: int) -> None:
    with stream(0) as plain, stream(workers) as ahead:
        for key in ORDER:
            assert equal(plain.take(*key), ahead.take(*key)), key


def test_workers_really_draw_and_end_when_told() -> None:
    with stream(2) as ahead:
        ahead.take(0)
        assert len(multiprocessing.active_children()) == 2
        ahead._batches.sampler = None  # type: ignore[assignment]  # this process could no longer draw one
        ahead.take(1)
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_frame_is_an_error_with_advice(workers: int) -> None:
    clip = clip_of(0)
    damaged = replace(clip, jpegs=tuple(b"no picture" for _ in clip.jpegs))
    sampler = EpisodeSampler((PersonFootage("one", (damaged,)),), train_config(batch=1))
    with stream(workers, sampler) as opened, pytest.raises(CheckpointError, match="damaged") as refused:
        opened.take(0)
    assert "\n" not in str(refused.value) and refused.value.advice
