"""The network for one person as a short list of steps in which everything that stays the same is folded. A network and
psi in, steps out.

Exact algebra, no approximation but rounding: spectral norm and AdaIN coefficients become constants; a 3 x 3 convolution
before an average pool is a 4 x 4 one of stride 2, one behind nearest upsampling a transposed 4 x 4 one (both need 4/9
of the products). With fewer portraits than warps the last one repeats, and the weights that read its copies are added
up. What the warps moved is a smooth
field: a block of stem x stem pixels is given by six numbers, not sixteen (`motion_basis`; what that leaves out is below
1e-4 pixels).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from generator.networks.layers import AdaptiveBlock, Block, SelfAttention
from generator.networks.synthesizer import Synthesizer

Array = NDArray[np.float32]
_POOLED: Array = np.array(
    [[0.5, 0, 0], [0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 0.5]], np.float32
)  # taps of conv3, then the mean of two
_UPSAMPLED = np.array(
    [[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]], np.float32
)  # taps of conv3 behind nearest x2, as a transposed conv


@dataclass(frozen=True)
class Step:
    """`output` = `kind` of `inputs`, names of earlier outputs; `arrays` are its constants.

    conv (weight, bias), stride 1 or 2, any kernel, output as large as the input over the stride; upconv (weight, bias):
    transposed, stride 2; norm (scale, shift): instance norm, and where psi is an input the place in it stands for them;
    attention (query, key, value, output, gain); relu; leaky (.2); tanh; add; pool and up: by 2. `reach`: see
    generator.compiler.quantize.
    """

    kind: str
    inputs: tuple[str, ...]
    output: str
    arrays: tuple[Array, ...] = ()
    stride: int = 1
    place: tuple[int, int] | None = (
        None  # in psi: where the scale begins, less 1, and how many channels; the shift follows it
    )
    reach: tuple[float, float] | None = None  # lowest and highest number of the input of a convolution in 8 bits


@dataclass
class Plan:
    """Steps from "guide" (1, inputs, n, n), n = size / stem, to the last one's output (1, outputs, n, n)."""

    inputs: int
    outputs: int
    side: int
    steps: list[Step] = field(default_factory=list)

    def add(
        self,
        kind: str,
        *inputs: str,
        arrays: Iterable[Array] = (),
        stride: int = 1,
        place: tuple[int, int] | None = None,
    ) -> str:
        """Adds a step and returns the name of its output."""
        name = f"{kind}{len(self.steps)}"
        whole = tuple(np.ascontiguousarray(array, np.float32) for array in arrays)
        self.steps.append(Step(kind, inputs, name, whole, stride, place))
        return name

    def conv(self, x: str, weight: Array, bias: Array | None, stride: int = 1) -> str:
        """A convolution that keeps the size, or halves it with `stride` 2."""
        return self.add(
            "conv", x, arrays=(weight, np.zeros(len(weight), np.float32) if bias is None else bias), stride=stride
        )

    @property
    def products(self) -> int:
        """Multiplications with weights that one frame takes."""
        side, total = {"guide": self.side}, 0
        for step in self.steps:
            before = side[step.inputs[0]]
            side[step.output] = {"pool": before // 2, "up": 2 * before, "upconv": 2 * before}.get(
                step.kind, before // step.stride
            )
            if step.kind in ("conv", "upconv"):
                total += step.arrays[0].size * (side[step.output] if step.kind == "conv" else before) ** 2
            elif step.kind == "attention":
                query, _, value, output, _ = step.arrays
                total += before**2 * (2 * query.size + value.size + output.size) + before**4 * (len(query) + len(value))
        return total


Channels = Callable[
    [Array], Array
]  # a weight (O, I, h, w) that reads the guide as training has it to one that reads ours
Answer = Callable[
    [Array, Array], tuple[Array, Array]
]  # weight (O, I, h, w) and bias (O,) of the last convolution to those wanted


def fold(
    network: Synthesizer, psi: Tensor | None, side: int, inputs: Channels, outputs: Answer, tanh: bool = False
) -> Plan:
    """psi: (1, coefficients) of one person, None where it is an input; side: the network's size over its stem. Returns
    the plan.

    `inputs` and `outputs` bring the weights next to the guide and to the answer into the order that the caller uses.
    """
    plan = Plan(inputs(_weight(_first_conv(network))).shape[1], int(_weight(network.last).shape[0]), side)
    coefficients = _Coefficients(psi)
    features, x, size = dict[str, str](), "guide", side
    for position, block in enumerate(network.encoder):
        change: Channels = inputs if position == 0 else _as_it_is
        if isinstance(block, Block):
            x, size = _block(plan, x, block, change), size // 2 if block.resample == "down" else size
        else:
            x = _any(plan, x, block, change)
        features[str(size)] = x
    for block in [*network.same, *network.up]:
        if isinstance(block, AdaptiveBlock):
            x, size = _adaptive(plan, x, block, coefficients), 2 * size if block.up else size
        else:
            x = _any(plan, x, block, _as_it_is)
        if str(size) in network.skip:
            x = plan.add("add", x, _any(plan, features[str(size)], network.skip[str(size)], _as_it_is))
    x = _relu(plan, coefficients.norm(plan, x, network.last_norm.channels))
    if network.fuse is not None:
        own = network.last_norm.channels
        weight = _weight(
            network.fuse
        )  # of both in one; apart they need not be laid side by side, and each has a range of its own
        seen = plan.conv("guide", inputs(weight[:, own:]), None)
        x = plan.add("leaky", plan.add("add", plan.conv(x, weight[:, :own], _bias(network.fuse)), seen))
    weight = _weight(network.last)
    x = plan.conv(x, *outputs(weight, _or_zero(_bias(network.last), weight)))
    if tanh:
        plan.add("tanh", x)
    return plan


def motion_basis(stem: int) -> Array:
    """(stem stem, k): orthonormal polynomials of degree 2 over a block's pixels, row by row; k is 6, or all where a
    block has fewer.
    """
    line = (np.arange(stem) - (stem - 1) / 2) / max(stem / 2, 1)
    y, x = (axis.ravel() for axis in np.meshgrid(line, line, indexing="ij"))
    terms = [np.ones_like(x), x, y, x * y, x * x, y * y][: min(stem * stem, 6)]
    return np.linalg.qr(np.stack(terms, axis=1))[0].astype(np.float32)


class _Coefficients:
    """psi, cut up in the order in which the network reads it."""

    def __init__(self, psi: Tensor | None) -> None:
        self._psi = None if psi is None else psi.detach().float().cpu().numpy()[0]
        self._start = 0

    def norm(self, plan: Plan, x: str, channels: int) -> str:
        start, self._start = self._start, self._start + 2 * channels
        if self._psi is None:
            return plan.add("norm", x, place=(start, channels))
        scale, shift = self._psi[start : start + channels], self._psi[start + channels : self._start]
        return plan.add("norm", x, arrays=(1 + scale, shift))


def _block(plan: Plan, x: str, block: Block, change: Channels) -> str:
    y = x if block.first else _relu(plan, _affine(plan, x, block.norm1))
    y = _relu(plan, _affine(plan, plan.conv(y, change(_weight(block.conv1)), _bias(block.conv1)), block.norm2))
    if block.resample == "down":
        y = plan.conv(y, _spread(_weight(block.conv2), _POOLED), _bias(block.conv2), stride=2)
        x = plan.add("pool", x)
    else:
        y = plan.conv(y, _weight(block.conv2), _bias(block.conv2))
    return plan.add("add", y, _any(plan, x, block.skip, change))


def _adaptive(plan: Plan, x: str, block: AdaptiveBlock, coefficients: _Coefficients) -> str:
    y = _relu(plan, coefficients.norm(plan, x, block.norm1.channels))
    weight = _weight(block.conv1)
    if block.up:
        y = plan.add(
            "upconv", y, arrays=(_spread(weight, _UPSAMPLED).swapaxes(0, 1), _or_zero(_bias(block.conv1), weight))
        )
    else:
        y = plan.conv(y, weight, _bias(block.conv1))
    y = plan.conv(
        _relu(plan, coefficients.norm(plan, y, block.norm2.channels)), _weight(block.conv2), _bias(block.conv2)
    )
    skip = _any(plan, x, block.skip, _as_it_is)
    return plan.add("add", y, plan.add("up", skip) if block.up else skip)


def _any(plan: Plan, x: str, layer: nn.Module, change: Channels) -> str:
    """A convolution, self-attention, or nothing."""
    if isinstance(layer, nn.Conv2d):
        return plan.conv(x, change(_weight(layer)), _bias(layer))
    if isinstance(layer, SelfAttention):
        parts = (layer.query, layer.key, layer.value, layer.output)
        return plan.add(
            "attention", x, arrays=(*(_weight(part)[:, :, 0, 0] for part in parts), layer.gain.detach().cpu().numpy())
        )
    if isinstance(layer, nn.Identity):
        return x
    raise TypeError(f"a {type(layer).__name__} cannot be folded")


def _affine(plan: Plan, x: str, norm: Any) -> str:
    if isinstance(norm, nn.Identity):
        return x
    return plan.add("norm", x, arrays=(norm.weight.detach().cpu().numpy(), norm.bias.detach().cpu().numpy()))


def _relu(plan: Plan, x: str) -> str:
    return plan.add("relu", x)


def _first_conv(network: Synthesizer) -> nn.Module:
    first = network.encoder[0] if len(network.encoder) else network.last
    return first.conv1 if isinstance(first, Block) else first


def _weight(layer: Any) -> Array:
    return np.asarray(layer.weight.detach().float().cpu().numpy())  # with spectral norm: the weight over its norm


def _bias(layer: Any) -> Array | None:
    return None if layer.bias is None else np.asarray(layer.bias.detach().float().cpu().numpy())


def _or_zero(bias: Array | None, weight: Array) -> Array:
    return np.zeros(len(weight), np.float32) if bias is None else bias


def _spread(weight: Array, taps: Array) -> Array:
    """A 3 x 3 kernel to the 4 x 4 one with pooling or upsampling in it."""
    return np.asarray(np.einsum("ah,bw,oihw->oiab", taps, taps, weight), np.float32)


def _as_it_is(weight: Array) -> Array:
    return weight


def as_torch(plan: Plan, device: torch.device | str) -> Callable[[Tensor], Tensor]:
    """The plan run by torch, layer by layer."""
    from torch.nn import functional

    constants: list[Any] = [tuple(torch.from_numpy(array).to(device) for array in step.arrays) for step in plan.steps]

    @torch.inference_mode()
    def run(guide: Tensor) -> Tensor:
        """guide: (1, inputs, n, n). Returns (1, outputs, n, n)."""
        values, y = {"guide": guide}, guide
        for step, arrays in zip(plan.steps, constants, strict=True):
            x = values[step.inputs[0]]
            match step.kind:
                case "conv":
                    y = functional.conv2d(x, arrays[0], arrays[1], step.stride, (arrays[0].shape[-1] - 1) // 2)
                case "upconv":
                    y = functional.conv_transpose2d(x, arrays[0], arrays[1], 2, 1)
                case "norm":
                    y = functional.instance_norm(x, weight=arrays[0], bias=arrays[1], eps=1e-5)
                case "relu":
                    y = functional.relu(x)
                case "leaky":
                    y = functional.leaky_relu(x, 0.2)
                case "tanh":
                    y = torch.tanh(x)
                case "add":
                    y = x + values[step.inputs[1]]
                case "pool":
                    y = functional.avg_pool2d(x, 2)
                case "up":
                    y = functional.interpolate(x, scale_factor=2)
                case "attention":
                    query, key, value, output, gain = arrays
                    flat = x.flatten(2).transpose(1, 2)  # (1, n n, C)
                    seen = functional.scaled_dot_product_attention(
                        flat @ query.T, flat @ key.T, flat @ value.T, scale=1.0
                    )
                    y = x + gain * (seen @ output.T).transpose(1, 2).unflatten(2, x.shape[2:])
            values[step.output] = y
        return y

    return run
