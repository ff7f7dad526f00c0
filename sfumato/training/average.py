"""The average of a net's weights along its training: what is validated and kept.

In: a net after each step. Out: an `Average`, a net of the same shape.
"""

from __future__ import annotations

from typing import Generic, TypeVar, cast

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

Net = TypeVar("Net", bound=nn.Module)


class Average(AveragedModel, Generic[Net]):
    """An exponential moving average of a net's weights. Early on it follows faster: after n updates the share that it
    keeps is (1 + n) / (10 + n), at most `decay`.
    """

    def __init__(self, net: Net, decay: float, *, buffers: bool) -> None:
        """decay: in [0, 1), the share of the average that an update keeps. buffers: whether those are averaged too, as
        batch statistics want it; else they are the net's own: of spectral norm's directions, unit vectors, a mean is
        none.
        """

        def towards(average: Tensor, new: Tensor, count: Tensor | int) -> Tensor:
            kept = min(decay, int(count) / (9 + int(count)))  # count: updates before this one, and one
            return average.lerp(new, 1 - kept) if average.is_floating_point() else new

        super().__init__(net, avg_fn=towards, use_buffers=buffers)
        self.updates = 0
        self.eval().requires_grad_(False)

    @property
    def net(self) -> Net:
        """The averaged net, in eval mode."""
        return cast(Net, self.module)

    @property
    def updates(self) -> int:
        """How many steps have been averaged in."""
        return int(self.n_averaged) - 1

    @updates.setter
    def updates(self, count: int) -> None:
        self.n_averaged.fill_(count + 1)  # torch copies the net where it counts none; ours counts the start as one
