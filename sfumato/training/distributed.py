"""Several processes, one run: what `torchrun` starts, and how their gradients become one.

Every rank draws its own share of the global batch; after the backward pass gradients are averaged, so all ranks take
the same step. An explicit all-reduce, not torch's DDP wrapper: in the generator's training E and G run in both updates
of a step, D runs twice before one backward pass and is frozen but for W in G's update, and W's gradient is sparse; the
detector freezes its backbone for the first steps. The wrapper's reducer expects none of that.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
import torch.distributed as dist
from torch import Tensor, nn

from sfumato.errors import UsageError
from sfumato.training.device import choose_device


@dataclass(frozen=True)
class Ranks:
    """This process among `world` of them. With a world of 1 every method returns what it was given."""

    rank: int = 0
    world: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))  # where tensors for the others must lie

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes, validates and reports."""
        return self.rank == 0

    def share(self, count: int) -> range:
        """The items of the global batch that fall to this rank, which takes `count` of them."""
        return range(self.rank * count, (self.rank + 1) * count)

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        """Each value's mean over the ranks, which must have the same keys; not a number anywhere is not a number
        everywhere.
        """
        if self.world == 1:
            return values
        numbers = torch.tensor(list(values.values()), dtype=torch.float64, device=self.device)
        dist.all_reduce(numbers)
        return dict(zip(values, (numbers / self.world).tolist(), strict=True))

    def mean_of(self, values: Tensor) -> Tensor:
        """The mean over the ranks of a tensor without gradient, of the same shape on each."""
        if self.world > 1:
            dist.all_reduce(values)
            values = values / self.world
        return values

    def gather(self, rows: Tensor) -> Tensor:
        """rows: (n, ...), the same n on every rank. Returns those of all ranks in order: (world n, ...)."""
        if self.world == 1:
            return rows
        parts = [torch.empty_like(rows, memory_format=torch.contiguous_format) for _ in range(self.world)]
        dist.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replaces each gradient by its mean over the ranks: the dense ones in one message, of the sparse ones only the
        rows seen.
        """
        if self.world == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        dense = [g for g in gradients if not g.is_sparse]
        if dense:
            flat = torch.cat([g.reshape(-1) for g in dense])
            dist.all_reduce(flat)
            flat /= self.world
            for gradient, mean in zip(dense, flat.split([g.numel() for g in dense]), strict=True):
                gradient.copy_(mean.view(gradient.shape))
        for parameter in parameters:
            if parameter.grad is not None and parameter.grad.is_sparse:
                parameter.grad = self._average_rows(parameter.grad)

    def _average_rows(self, gradient: Tensor) -> Tensor:
        """The sparse gradients (rows, N) of all ranks as one. Ranks may have seen different numbers of rows: zeros fill
        the gaps.
        """
        own = gradient.coalesce()
        index, values = own.indices()[0], own.values()  # (n,), (n, N)
        longest = int(self.gather(torch.tensor([len(index)], device=index.device)).max())
        padding = longest - len(index)
        index = torch.cat([index, index.new_zeros(padding)])
        values = torch.cat([values, values.new_zeros(padding, values.shape[1])])
        everyone = self.gather(index)[None], self.gather(values) / self.world
        return torch.sparse_coo_tensor(*everyone, gradient.shape, check_invariants=False).coalesce()

    def agree(self, modules: Iterable[nn.Module]) -> None:
        """Gives every rank the first one's weights and buffers."""
        if self.world > 1:
            for module in modules:
                for tensor in [*module.parameters(), *module.buffers()]:
                    whole = tensor.detach().contiguous()
                    dist.broadcast(whole, src=0)
                    tensor.detach().copy_(whole)


@contextmanager
def ranks_of_this_run(device: str) -> Iterator[Ranks]:
    """Reads what torchrun put into the environment; without it, a single process on `device` (see `choose_device`).

    NCCL joins GPUs, one for each local rank; gloo joins CPUs. Raises UsageError when the environment makes no sense, or
    for a device that is not there.
    """
    try:
        world = int(os.environ.get("WORLD_SIZE", "1"))
        rank, local = (int(os.environ.get(name, "0")) for name in ("RANK", "LOCAL_RANK"))
    except ValueError as error:
        raise UsageError(
            "WORLD_SIZE, RANK and LOCAL_RANK are not numbers", "Start several processes with torchrun."
        ) from error
    if world == 1:
        yield Ranks(device=choose_device(device))
        return
    if device in ("auto", "cuda"):
        device = f"cuda:{local}" if torch.cuda.is_available() or device == "cuda" else "cpu"
    chosen = choose_device(device)
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    try:
        dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo", rank=rank, world_size=world)
    except (ValueError, RuntimeError) as error:
        cause = f"The {world} processes do not find each other: {str(error).splitlines()[0]}"
        raise UsageError(cause, "Start them with torchrun.") from error
    try:
        yield Ranks(rank, world, chosen)
    finally:
        dist.destroy_process_group()
