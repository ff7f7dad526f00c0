"""Frames of one person, fast: what stays the same is computed once, the network runs folded, the warps run in OpenCV.

In: landmarks. Out: the frame. The numbers are those of `Animator.render_plainly` within rounding; the order of the
steps is another one. Nothing is shared between calls but constants: several threads may render at once, each on one
core.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from itertools import pairwise
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from generator.compiler.backends import Backend, load_backend
from generator.compiler.folding import Plan, fold, motion_basis
from generator.motion.track import Landmarks
from generator.networks.families import FLOW_GAIN, GATE_GAIN, PAINT_GAIN, SHUT, WarpGenerator
from generator.networks.mouth import unknown
from generator.networks.synthesizer import Generator, Synthesizer
from generator.person.fine_tune import Person
from generator.rendering.blocks import block_order, fold_picture, folded, unfold
from generator.rendering.layers import Layers
from generator.rendering.mouth import Mouth
from generator.rendering.regions import Box, Regions
from generator.rendering.spline import Spline
from sfumato.media.landmarks.drawing import draw_sketch

Array = NDArray[np.float32]
Image = NDArray[np.uint8]
_REACH = 3  # places around a part of a field: what is bicubic in it does not see that it is cut out
_LEVELS = (np.arange(256) / 127.5 - 1).astype(np.float32)  # of a sketch, in [-1, 1]
_KEPT = 8  # portraits held as floats at a time; a 1024 px portrait takes 17 MB then


class Renderer(Protocol):
    """Renders one person."""

    products: int  # multiplications with weights in one frame

    def __call__(self, landmarks: Landmarks, size: int) -> Image:
        """landmarks: (68, 2) in [-1, 1]. Returns (size, size, 3) uint8 RGB."""
        ...


def load_renderer(person: Person, layers: Layers, backend: str, threads: int = 1) -> Renderer | None:
    """`layers`: of the person's pictures in the order of `person.faces`. None for a family that has no fast path."""
    if type(person.generator) is WarpGenerator:
        return WarpRenderer(person, layers, backend, threads)
    if type(person.generator) is Generator:
        return PlainRenderer(person, backend, threads)
    return None


class PlainRenderer:
    """The paper's family: sketch in, picture out; another size is an enlargement."""

    def __init__(self, person: Person, backend: str, threads: int = 1) -> None:
        network = person.generator.network
        self._size, self._stem = int(person.faces.shape[-1]), network.stem
        order = block_order(np.arange(3 * self._stem**2), self._stem, [[0, 1, 2]])
        plan = fold(
            network, person.psi, self._size // self._stem, lambda w: w[:, order], lambda w, b: (w[order], b[order]),
            tanh=True
        )  # fmt: skip
        self._network: Backend = load_backend(backend, plan, threads)
        self.products = plan.products

    def __call__(self, landmarks: Landmarks, size: int) -> Image:
        guide = np.empty((self._size // self._stem,) * 2 + (3 * self._stem**2,), np.float32)
        fold_picture(_sketch(landmarks, self._size), self._stem, guide)
        return _to_image(_resize(unfold(self._network(guide), self._stem), size))


class WarpRenderer:
    """The warp family. Of T portraits only the nearest are warped, and a portrait that counts several times is warped
    once; the mouth is then taken from those that show it best, see generator/rendering/regions.py.
    """

    def __init__(self, person: Person, layers: Layers, backend: str, threads: int = 1) -> None:
        generator = person.generator
        assert isinstance(generator, WarpGenerator)  # noqa: S101 (load_renderer asked)
        network = generator.network
        self._size, self._stem, self._warps, self._reach = (
            int(person.faces.shape[-1]),
            network.stem,
            generator.warps,
            generator.reach,
        )
        self._distinct = min(self._warps, len(person.faces))
        self._spline = Spline(person.landmarks.cpu().numpy())
        self._basis = motion_basis(self._stem)  # (stem stem, k)
        self._motion = np.einsum("pk,ab->pabk", self._basis, np.eye(2)).reshape(2 * self._stem**2, -1)
        self._motion = self._motion.astype(np.float32)  # (stem stem 2, 2 k), of x and y
        faces = [np.ascontiguousarray(face.permute(1, 2, 0).cpu().numpy()) for face in person.faces]
        # in [-1, 1], as E saw them; a fourth channel, as OpenCV samples four faster than three
        self._faces = [np.asarray(cv2.cvtColor(face, cv2.COLOR_RGB2RGBA), np.float32) for face in faces]
        self._layers = layers
        self._large = lru_cache(maxsize=_KEPT)(layers.person)
        self._behind = lru_cache(maxsize=2)(self._fold_backdrop)
        self._known = person.landmarks.cpu().numpy()  # (T, 68, 2)
        self._regions = Regions(self._known) if len(person.faces) > 1 else None
        psi, own = person.psi[:, : network.coefficients], person.psi[:, network.coefficients :]
        self._answers = lru_cache(maxsize=2)(partial(self._compiled, network, psi, backend, threads))
        plan, _ = self._answers(layers.size == self._size)
        self.products, self._inputs = plan.products, plan.inputs
        self._mouth = Mouth(generator.mouth, own, backend, threads) if generator.mouth is not None else None
        self.products += self._mouth.products if self._mouth is not None else 0

    def __call__(self, landmarks: Landmarks, size: int) -> Image:
        points = np.asarray(landmarks, np.float32)
        order = self._spline.nearest(points, self._warps)
        chosen = order[: self._distinct]
        coarse = self._spline.moves(chosen, points)  # D times (c, c, 2)
        moved = [folded(_moves_at(part, self._size), self._stem) for part in coarse]  # (n, n, stem stem 2) each
        _, network = self._answers(size == self._size)
        head = network(self._guide(points, chosen, moved))
        fine = moved if size == self._size else [_moves_at(part, size) for part in coarse]
        picture = self._compose(head, chosen, fine, self._spline.flow_shares(chosen, points, size), size)
        if self._regions is not None:
            self._regions.lay(picture, points, lambda *which: self._bent(points, size, *which))
        if self._mouth is not None:
            self._mouth.paint(picture, points, unknown(points, self._known))
        return _to_image(picture)

    def _compiled(
        self, network: Synthesizer, psi: Tensor, backend: str, threads: int, tanh: bool
    ) -> tuple[Plan, Backend]:
        """`tanh`: what ends the head at the network's own size is the network's last step; at another size it comes
        behind the enlargement.
        """
        plan = fold(network, psi, self._size // self._stem, self._guide_weights, self._head_weights, tanh=tanh)
        return plan, load_backend(backend, plan, threads)

    def _guide(self, points: Landmarks, chosen: Sequence[int], moved: Sequence[Array]) -> Array:
        """What the network reads, block by block: sketch, warped faces, motion. (n, n, inputs)"""
        stem, count = self._stem, 3 * self._stem**2
        guide = np.empty((self._size // stem,) * 2 + (self._inputs,), np.float32)
        sketch = folded(draw_sketch(((points + 1) * self._size - 1) / 2, self._size), stem)
        guide[..., :count] = cv2.LUT(sketch.reshape(len(guide), -1), _LEVELS).reshape(*guide.shape[:2], -1)
        motion = np.split(guide[..., (self._distinct + 1) * count :], self._distinct, axis=2)
        for index, (source, move) in enumerate(zip(chosen, moved, strict=True)):
            layer: Any = _sample(self._faces[source], _places(move, self._size, self._size, stem))
            layer = cv2.cvtColor(layer, cv2.COLOR_RGBA2RGB)
            guide[..., (index + 1) * count : (index + 2) * count] = layer.reshape(*guide.shape[:2], -1)
            motion[index][...] = move @ self._motion
        return guide

    def _compose(
        self, head: Array, chosen: Sequence[int], fine: Sequence[Array], shares: Sequence[Array | None], size: int
    ) -> Array:
        """Flows refine the warps, gates choose among them, residual and mask paint over them: `WarpGenerator.compose`,
        in its order. Every step is of one place alone, so at the network's size they are done block by block, and only
        the frame is unfolded.
        """
        stem = self._stem if size == self._size else 1
        starts = np.cumsum([0, *[2] * self._warps, *[1] * (self._warps - 1), 4]) * self._stem**2
        parts = [self._part(head, start, stop, size) for start, stop in pairwise(starts.tolist())]
        flows, gates, painted = parts[: self._warps], parts[self._warps : -1], parts[-1]
        large = [self._large(source) for source in chosen]
        places = [_places(move, size, len(picture), stem) for move, picture in zip(fine, large, strict=True)]
        reach: list[Any] = [self._reach * len(picture) / 2 for picture in large]  # px of the portrait
        for index, share in enumerate(shares):
            if share is not None:
                reach[index] = _spread(folded(np.float32(reach[index]) * share, stem).reshape(size, size), 2)
        warp: Any = None
        for index, flow in enumerate(flows):
            part = min(index, self._distinct - 1)
            layer = _sample(large[part], _added(flow, reach[part], places[part]))
            if warp is None:
                warp = layer
                continue
            shut = np.float32(1 / (1 + np.exp(-SHUT)))
            gate = gates[index - 1] * (0.5 / (1 - shut))
            gate += (0.5 - shut) / (1 - shut)
            layer -= warp
            layer *= _spread(gate.reshape(size, size), 4)
            warp += layer
        within: Any = np.clip(cv2.extractChannel(warp, 3), 0, 1)
        behind = self._behind(size, stem)
        if behind is not None:
            warp += _times(behind, 1 - within)
        share = painted[..., 3].reshape(size, size) * np.float32(0.5)  # the mask, behind the residual
        share += 0.5
        synthesis: Any = cv2.scaleAdd(painted, 2, warp.reshape(painted.shape)).reshape(size, size, 4)
        np.clip(synthesis, -1, 1, out=synthesis)
        synthesis -= warp
        warp += _times(synthesis, share if behind is None else share * within)
        picture = np.asarray(cv2.cvtColor(warp, cv2.COLOR_RGBA2RGB), np.float32)
        return picture if stem == 1 else unfold(picture.reshape(*head.shape[:2], -1), stem)

    def _bent(self, points: Landmarks, size: int, sources: Sequence[int], box: Box) -> Iterator[Array]:
        """What a box of the frame would show of portraits, (h, w, 4) each with the share of person."""
        left, top, right, bottom = box
        coarse = self._spline.moves(sources, points)
        for index, source in enumerate(sources):
            places = _resize_part(coarse[index], size, box).clip(-2, 2)
            places += _identity(size)[top:bottom, left:right]
            large = self._large(source)
            yield _sample(large, _pixels(places, large.shape[0]))

    def _part(self, head: Array, start: int, stop: int, size: int) -> Array:
        """Channels of the head (n, n, outputs) at `size`, (., ., C); at the network's own size block by block, and not
        copied. All of them end in a tanh: a sigmoid is one too, and the factors are in the weights.
        """
        if size == self._size:
            places = len(head) ** 2
            return head.reshape(places, -1)[:, start:stop].reshape(places, self._stem**2, -1)
        whole = _resize(unfold(head[..., start:stop], self._stem), size)
        return np.asarray(np.tanh(whole, out=whole))

    def _fold_backdrop(self, size: int, stem: int) -> Array | None:
        """What stays still, (size, size, 4), in the order of blocks; the last channel is 0."""
        behind = self._layers.backdrop(size)
        if behind is None:
            return None
        return folded(np.dstack([behind, np.zeros_like(behind[..., :1])]), stem).reshape(size, size, 4)

    def _guide_weights(self, weight: Array) -> Array:
        """Weights (O, 3 + 5 warps blocks, h, w) that read the guide as training has it, to those that read ours."""
        area = self._stem**2
        blocks = np.split(weight, 3 + 5 * self._warps, axis=1)  # a channel of the guide each: stem stem weights
        sketch, faces, motion = blocks[:3], blocks[3 : 3 + 3 * self._warps], blocks[3 + 3 * self._warps :]
        parts = [_interleave(sketch)]
        last = self._distinct - 1
        parts += [_interleave(faces[3 * d : 3 * d + 3]) for d in range(last)]
        parts.append(_interleave([np.sum(faces[3 * last + c :: 3], axis=0) for c in range(3)]))  # with its copies
        moving = [*motion[: 2 * last], *(np.sum(motion[2 * last + axis :: 2], axis=0) for axis in range(2))]
        parts += [
            np.einsum("oihw,ik->okhw", part.reshape(len(weight), area, *weight.shape[2:]), self._basis)
            for part in moving
        ]
        return np.concatenate(parts, axis=1).astype(np.float32)

    def _head_weights(self, weight: Array, bias: Array) -> tuple[Array, Array]:
        """The last convolution with the factors before each tanh, and pixels in the order in which `unfold` takes
        them.
        """
        count = self._warps
        groups = [[2 * i, 2 * i + 1] for i in range(count)]  # flows; then gates, residual with mask
        groups += [[2 * count + i] for i in range(count - 1)] + [[3 * count - 1 + c for c in range(4)]]
        order = block_order(np.arange(len(weight)), self._stem, groups)
        gain, offset = np.full(3 * count + 3, FLOW_GAIN, np.float32), np.zeros(3 * count + 3, np.float32)
        gain[2 * count : 3 * count - 1], offset[2 * count : 3 * count - 1] = (
            GATE_GAIN / 2,
            SHUT / 2,
        )  # sigmoid(x) = (1 + tanh(x / 2)) / 2
        gain[3 * count - 1 : 3 * count + 2], gain[3 * count + 2] = PAINT_GAIN, GATE_GAIN / 2
        gain, offset = (np.repeat(values, self._stem**2) for values in (gain, offset))
        return (weight * gain[:, None, None, None])[order], (bias * gain + offset)[order]


def _interleave(blocks: Sequence[Array]) -> Array:
    """Channels' weights (O, stem stem, h, w) each to (O, stem stem C, h, w), pixel by pixel."""
    return np.stack(blocks, axis=2).reshape(len(blocks[0]), -1, *blocks[0].shape[2:])


def _resize(field: Array, size: int) -> Array:
    """(s, s, C) to (size, size, C), bicubic as torch's: both have -0.75 and repeat the border."""
    if len(field) == size:
        return field
    return np.asarray(cv2.resize(field, (size, size), interpolation=cv2.INTER_CUBIC), np.float32).reshape(
        size, size, -1
    )


def _resize_part(field: Array, size: int, box: Box) -> Array:
    """`box` of what `_resize` gives; where places of the one are whole pixels of the other, no more is made of it."""
    left, top, right, bottom = box
    times, rest = divmod(size, len(field))
    if rest or not times:
        return _resize(field, size)[top:bottom, left:right]
    first = [max(edge // times - _REACH, 0) for edge in (left, top)]
    last = [min(-(-edge // times) + _REACH, len(field)) for edge in (right, bottom)]
    part = np.ascontiguousarray(field[first[1] : last[1], first[0] : last[0]])
    shape = ((last[0] - first[0]) * times, (last[1] - first[1]) * times)
    wide = np.asarray(cv2.resize(part, shape, interpolation=cv2.INTER_CUBIC), np.float32)
    x, y = first[0] * times, first[1] * times
    return wide[top - y : bottom - y, left - x : right - x]


def _moves_at(coarse: Array, size: int) -> Array:
    """How far each place comes, (c, c, 2) to (size, size, 2)."""
    moved = _resize(coarse, size)
    return np.asarray(np.clip(moved, -2, 2, out=moved if moved is not coarse else None))


def _places(moved: Array, size: int, large: int, stem: int) -> Array:
    """Where in a picture of `large` px each place of `size` comes from, (size, size, 2) px, from `moved` in [-1, 1];
    both in the order of blocks.
    """
    places = moved.reshape(size, size, 2) * np.float32(large / 2)
    places += _origins(size, large, stem)
    return places


@lru_cache(maxsize=4)
def _origins(size: int, large: int, stem: int) -> Array:
    return folded(_pixels(_identity(size).copy(), large), stem).reshape(size, size, 2)


def _pixels(places: Array, size: int) -> Array:
    """Places in [-1, 1] to the pixels of a picture of `size`; `places` is used up."""
    places *= np.float32(size / 2)
    places += np.float32((size - 1) / 2)
    return places


@lru_cache(maxsize=4)
def _identity(size: int) -> Array:
    line = (np.arange(size, dtype=np.float32) * 2 + 1) / size - 1
    return np.stack(np.meshgrid(line, line), axis=-1)


def _spread(share: Array, channels: int) -> Array:
    """(H, W) to (H, W, channels): faster than leaving it to NumPy to repeat one number for each channel."""
    return np.asarray(cv2.merge([share] * channels), np.float32)


def _added(flow: Array, reach: Any, places: Array) -> Array:
    """places + reach * flow, (H, W, 2) each, of which `reach` may be a number."""
    if isinstance(reach, float):
        return np.asarray(cv2.scaleAdd(flow, reach, places.reshape(flow.shape)), np.float32).reshape(places.shape)
    moved = flow * reach.reshape(flow.shape)
    moved += places.reshape(flow.shape)
    return np.asarray(moved.reshape(places.shape))


def _times(colours: Array, share: Array) -> Array:
    """(H, W, 4) times (H, W); the last channel is as it was."""
    spread = np.asarray(cv2.cvtColor(share, cv2.COLOR_GRAY2RGBA), np.float32)  # faster than `_spread`; 1 at last
    spread *= colours
    return spread


def _sample(picture: Array, places: Array) -> Array:
    """Bilinear, mirrored at the border as `grid_sample`'s reflection is."""
    nothing: Any = None
    return np.asarray(cv2.remap(picture, places, nothing, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))


def _sketch(landmarks: Landmarks, size: int) -> Array:
    pixels = ((np.asarray(landmarks, np.float32) + 1) * size - 1) / 2
    sketch = draw_sketch(pixels, size)
    return np.asarray(cv2.addWeighted(sketch, 1 / 127.5, sketch, 0, -1, dtype=cv2.CV_32F))


def _to_image(picture: Array) -> Image:
    """[-1, 1] to 0..255, rounded half to even as torch does."""
    return np.asarray(cv2.addWeighted(picture, 127.5, picture, 0, 127.5, dtype=cv2.CV_8U))
