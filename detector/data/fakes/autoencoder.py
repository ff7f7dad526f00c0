"""Reconstructions: a face squeezed through a small convolutional autoencoder, the decoder every swapping program has at
its heart.

In: real face crops, HWC uint8 RGB. Out: the same crops with the person kept and the decoder's texture in place of the
camera's. Eight times down, a narrow bottleneck, up again by nearest neighbour and convolution or by transposed
convolution: the two leave different traces. Which one, the bottleneck's width and the kernels follow from the seed.
Trained here on real crops of the training split alone.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from detector.data.fakes.forgery import Image
from sfumato.atomic import atomic_path
from sfumato.config import from_dict
from sfumato.errors import CheckpointError, SfumatoError, UsageError
from sfumato.media.clips import file_digest
from sfumato.media.tensors import to_tensor
from sfumato.structure.tensors import read_tensors

FORMAT = "sfumato-autoencoder-1"
_DOWN = 8
_RATE = 3e-3
_MAX_SIDE = 4096


@dataclass(frozen=True)
class AutoencoderConfig:
    """upsampling: "nearest" or "transposed". width: channels of the first stage. bottleneck: channels at an eighth of
    the size.
    """

    upsampling: str = "nearest"
    width: int = 24
    bottleneck: int = 48

    def __post_init__(self) -> None:
        if (
            self.upsampling not in ("nearest", "transposed")
            or not 4 <= self.width <= 256
            or not 2 <= self.bottleneck <= 512
        ):
            raise UsageError(
                "The autoencoder's settings are out of range",
                "nearest or transposed; width 4 to 256, bottleneck 2 to 512.",
            )


@dataclass(frozen=True)
class Autoencoder:
    """The trained net, what it was trained on (`record`) and the digest of its file, empty until it has one."""

    config: AutoencoderConfig
    net: nn.Sequential
    record: dict[str, Any] = field(default_factory=dict)
    digest: str = ""

    @torch.inference_mode()
    def reconstruct(self, images: Sequence[Image]) -> list[Image]:
        """images: HWC uint8 RGB, of one size. Returns as many of that size. Raises UsageError beyond 4096 px."""
        height, width = images[0].shape[:2]
        if max(height, width) > _MAX_SIDE:
            raise UsageError(
                f"A crop of {width} x {height} pixels is too large to reconstruct", f"At most {_MAX_SIDE}."
            )
        pixels = functional.pad(to_tensor(images), (0, -width % _DOWN, 0, -height % _DOWN), mode="replicate")
        made = self.net(pixels)[:, :, :height, :width].clamp(-1, 1)
        pictures = ((made + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
        return [np.ascontiguousarray(picture) for picture in pictures]


def draw_config(seed: int) -> AutoencoderConfig:
    """Even seeds interpolate, odd ones use transposed convolutions; the bottleneck's width is drawn."""
    rng = np.random.default_rng([seed, 8])
    return AutoencoderConfig("nearest" if seed % 2 == 0 else "transposed", bottleneck=int(rng.integers(32, 65)))


def build(config: AutoencoderConfig) -> nn.Sequential:
    """(B, 3, H, W) in [-1, 1] to the same, H and W multiples of 8."""
    down = (config.width, 2 * config.width, 3 * config.width)  # channels at H/2, H/4, H/8
    up = (
        2 * config.width,
        config.width,
        max(4, config.width // 2),
    )  # at H/4, H/2, H: the last is at full size and costs the most
    layers: list[nn.Module] = []
    channels = 3
    for width in down:
        layers += [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2, True)]
        channels = width
    layers += [
        nn.Conv2d(channels, channels, 3, 1, 1),
        nn.LeakyReLU(0.2, True),
        nn.Conv2d(channels, config.bottleneck, 1),
    ]
    layers += [nn.Conv2d(config.bottleneck, channels, 3, 1, 1), nn.LeakyReLU(0.2, True)]
    for width in up:
        if config.upsampling == "nearest":
            layers += [nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(channels, width, 3, 1, 1)]
        else:
            layers.append(nn.ConvTranspose2d(channels, width, 4, 2, 1))
        layers.append(nn.LeakyReLU(0.2, True))
        channels = width
    net = nn.Sequential(*layers, nn.Conv2d(channels, 3, 3, 1, 1))
    for layer in net:  # He et al. 2015: the library's own start lets a signal fade away over so many layers
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            step = layer.stride[0] if isinstance(layer, nn.ConvTranspose2d) else 1
            inputs = layer.in_channels * layer.kernel_size[0] ** 2 / step**2
            nn.init.normal_(layer.weight, std=(2 / (1.04 * inputs)) ** 0.5)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return net


def train_autoencoder(
    batches: Iterator[Sequence[Image]], seconds: float = 0.0, steps: int = 0, seed: int = 0,
    config: AutoencoderConfig | None = None,
    advance: Callable[[float], None] = lambda amount: None,
) -> Autoencoder:  # fmt: skip
    """Trains for `seconds`, or `steps` if they are over first (0: no limit, but not both). Each batch holds crops of
    one size.

    Loss: L1, and L1 of the horizontal and vertical gradients, which keeps eyes and lips from blurring. `advance` gets
    shares of 1. The same batches, seed and steps give the same weights. Raises UsageError without a limit or without
    crops.
    """
    if seconds <= 0 and steps <= 0:
        raise UsageError("The training of the autoencoder has no end", "Give seconds or steps.")
    config = config or draw_config(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = build(config)
    optimiser = torch.optim.Adam(net.parameters(), _RATE, betas=(0.9, 0.99))
    began, done, step, losses = time.perf_counter(), 0.0, 0, list[float]()
    for images in batches:
        share = max(step / steps if steps else 0.0, (time.perf_counter() - began) / seconds if seconds else 0.0)
        advance(min(share, 1.0) - done)
        done = min(share, 1.0)
        if share >= 1:
            break
        optimiser.param_groups[0]["lr"] = _RATE * (0.05 + 0.95 * 0.5 * (1 + np.cos(np.pi * share)))
        real = to_tensor(images)
        loss = _loss(net(real), real)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        losses.append(float(loss.detach()))
        step += 1
    if not step:
        raise UsageError(
            "There are no face crops to train the autoencoder on",
            "clips.jsonl needs reals with a face in the split train.",
        )
    record = {
        "seed": seed,
        "steps": step,
        "seconds": round(time.perf_counter() - began, 1),
        "loss": round(float(np.mean(losses[-50:])), 4),
    }
    return Autoencoder(config, net.eval(), record)


def save_autoencoder(path: Path, autoencoder: Autoencoder) -> None:
    """Writes safetensors with configuration and record in the header, atomically. Raises OutputError."""
    from safetensors.torch import save

    header = {
        "format": FORMAT,
        "config": json.dumps(asdict(autoencoder.config)),
        "record": json.dumps(autoencoder.record),
    }
    with atomic_path(path) as temporary:
        temporary.write_bytes(
            save({name: value.contiguous() for name, value in autoencoder.net.state_dict().items()}, metadata=header)
        )


def load_autoencoder(path: Path) -> Autoencoder:
    """Reads what `save_autoencoder` wrote. Raises CheckpointError for a file that is missing, damaged, foreign or does
    not fit itself.
    """
    advice = "Name a file made by `sfumato train autoencoder`."
    try:
        header, tensors = read_tensors(path, CheckpointError)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} is not there, damaged or not safetensors: {str(error)[:120]}", advice) from error
    if header.get("format") != FORMAT:
        raise CheckpointError(f"{path} has the format {header.get('format', 'unknown')!r}, not {FORMAT!r}", advice)
    try:
        config, record = from_dict(AutoencoderConfig, json.loads(header["config"])), json.loads(header["record"])
        net = build(config)
        net.load_state_dict(tensors)
        if not all(bool(value.isfinite().all()) for value in tensors.values()):
            raise ValueError("it holds numbers that are not finite")
    except (SfumatoError, RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path} does not fit its own configuration: {str(error)[:200]}", advice) from error
    return Autoencoder(config, net.eval(), record if isinstance(record, dict) else {}, file_digest(path))


def _loss(made: Tensor, real: Tensor) -> Tensor:
    """made, real: (B, 3, H, W) in [-1, 1]."""
    loss = (made - real).abs().mean()
    for axis in (2, 3):
        loss = loss + (made.diff(dim=axis) - real.diff(dim=axis)).abs().mean()
    return loss
