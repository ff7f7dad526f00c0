"""Batches in the order of the steps, decoded ahead by worker processes where the configuration asks for some.

A batch depends on the seed, its step and its update alone, so it is the same whatever the number of workers; a run that
resumes asks for its next step and gets it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import torch.utils.data

from generator.data.episodes import EpisodeSampler
from generator.networks.episode import Episode
from sfumato.errors import SfumatoError
from sfumato.training.data_workers import worker_context

Key = tuple[int, int]  # step, update
_AHEAD = 2  # batches that each worker prepares before they are asked for


class _Batches(torch.utils.data.Dataset["Episode | SfumatoError"]):
    """What the workers run. An error of ours is handed over whole: torch would wrap it into a traceback."""

    def __init__(self, sampler: EpisodeSampler, share: range) -> None:
        self.sampler, self.share = sampler, share

    def __getitem__(self, key: Key) -> Episode | SfumatoError:
        try:
            return self.sampler.batch(*key, self.share)
        except SfumatoError as error:
            return error


class EpisodeStream:
    """`take(step, update)` gives one batch. Fast in the order of the steps; right in any order."""

    def __init__(self, sampler: EpisodeSampler, share: range, workers: int, pinned: bool = False) -> None:
        """`share`: which episodes of each global batch are drawn here; `pinned`: workers' batches lie where a GPU
        copies from by itself.
        """
        self._batches, self._workers, self._pinned = _Batches(sampler, share), workers, pinned
        self._updates = 1  # batches a step; D's own are drawn ahead from its first step on
        self._ahead: Iterator[Episode | SfumatoError] | None = None
        self._coming: deque[Key] = deque()

    def take(self, step: int, update: int = 0) -> Episode:
        """The batch on the CPU. Raises CheckpointError for a damaged frame."""
        if self._workers == 0:
            return _checked(self._batches[step, update])
        if update == 0 and (not self._coming or self._coming[0] != (step, 0)):
            self._start(step)
        if self._ahead is not None and self._coming and self._coming[0] == (step, update):
            self._coming.popleft()
            return _checked(next(self._ahead))
        self._updates = max(self._updates, update + 1)
        return _checked(self._batches[step, update])

    def close(self) -> None:
        """Ends the workers."""
        self._ahead = None  # torch's iterator stops and joins them when it is let go
        self._coming.clear()

    def _start(self, step: int) -> None:
        self.close()
        loader = torch.utils.data.DataLoader(
            self._batches, batch_size=None, sampler=self._keys(step), num_workers=self._workers, prefetch_factor=_AHEAD,
            worker_init_fn=_calm, multiprocessing_context=worker_context(__name__), pin_memory=self._pinned,
        )  # fmt: skip
        self._ahead = iter(loader)

    def _keys(self, step: int) -> Iterator[Key]:
        while True:
            for update in range(self._updates):
                self._coming.append((step, update))
                yield step, update
            step += 1


def _calm(worker: int) -> None:
    """A worker is one thread: OpenCV's own would take cores from the training."""
    import cv2

    cv2.setNumThreads(0)


def _checked(batch: Episode | SfumatoError) -> Episode:
    if isinstance(batch, SfumatoError):
        raise batch
    return batch
