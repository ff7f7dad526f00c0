"""A person file: one learned person without the network they were learned on. In: a `Person`; out: a small file, and
the way back.

Safetensors: psi' (1, coefficients) in 32 bits; what fine-tuning changed in G, as 16-bit differences to the base
checkpoint, those of large matrices as two factors of rank 16; the T source frames as JPEG squares with their landmarks;
and, as JSON in the header, the base's digest, the digests of the pictures, how it was learned, and by what right. No
pickle; every size is bounded before it is read.

A person file IS a likeness: its source frames show the person, and with the base checkpoint it makes videos of them.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generator.networks.checkpoint import Checkpoint
from generator.person.fine_tune import Person
from generator.person.portrait import Portrait
from sfumato.atomic import atomic_path, require_writable
from sfumato.config import from_dict, to_dict
from sfumato.errors import CheckpointError, MediaError, SfumatoError, UsageError
from sfumato.media.faces import Crop, Face
from sfumato.structure.tensors import hold_tensors
from sfumato.text import printable

FORMAT = "sfumato-person-1"
SUFFIX = ".person"
STORED = 512  # px of a stored square: twice the usual video; a finer one would only make the likeness larger
_QUALITY = 95  # of the JPEG squares; 4:4:4
# T = 8, portrait-128, 3 clips: .64 MB for 4.86, frames within .26 of 255 levels of the whole difference, the same SSIM
_RANK = 16
_MOST_FRAMES = 256
_LARGEST_FILE, _LARGEST_PICTURE = 1 << 30, 4 << 20  # bytes; the full-size G in 16 bits takes 76 MB
Factors = tuple[NDArray[np.float16], ...]  # (the difference itself), or (left (out, r), right (r, in)): their product
_DIGEST = re.compile(r"[0-9a-f]{64}")
_UNREADABLE = (OSError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError)
_ADVICE = "Make it with: sfumato learn PORTRAIT... -o x.person."


@dataclass(frozen=True)
class PersonFacts:
    """What the file says of itself. Digests are SHA-256 in hex: `base` of the checkpoint, `portraits` of the pictures
    as they were.
    """

    base: str
    base_name: str
    landmarks: str
    crop: str
    portraits: tuple[str, ...]
    consent: str
    seed: int = 0
    iterations: int = 0  # of fine-tuning; 0: psi' = P e alone
    kept: int = 0  # after how many of them it was best on the frames held out

    def __post_init__(self) -> None:
        if not all(_DIGEST.fullmatch(digest) for digest in (self.base, *self.portraits)):
            raise ValueError("a digest is no SHA-256 in hex")
        if not 0 < len(self.portraits) <= _MOST_FRAMES:
            raise ValueError(f"a person is learned from 1 to {_MOST_FRAMES} pictures")


@dataclass(frozen=True)
class PersonFile:
    """The content of a person file. psi: (1, coefficients) float32; delta: name of G's tensor -> its difference, see
    `Factors`;
    pictures: T JPEGs; landmarks: (T, 68, 2) in [-1, 1]; signature: over `signed_bytes`, by whoever recorded the
    consent.
    """

    psi: NDArray[np.float32]
    delta: Mapping[str, Factors]
    pictures: tuple[bytes, ...]
    landmarks: NDArray[np.float32]
    facts: PersonFacts
    signature: bytes = field(default=b"", compare=False)

    def signed_bytes(self) -> bytes:
        """What a signature covers: everything but itself, in an order that does not depend on how the file was
        written.
        """
        tensors = self.tensors()
        content = {
            name: [str(a.dtype), list(a.shape), hashlib.sha256(a.tobytes()).hexdigest()] for name, a in tensors.items()
        }
        return json.dumps([FORMAT, to_dict(self.facts), content], sort_keys=True).encode()

    def tensors(self) -> dict[str, NDArray[Any]]:
        """As they are stored."""
        pictures = {f"picture.{i}": np.frombuffer(data, np.uint8) for i, data in enumerate(self.pictures)}
        changed = {f"delta{i}.{name}": part for name, factors in self.delta.items() for i, part in enumerate(factors)}
        return {"psi": self.psi, "landmarks": self.landmarks, **pictures, **changed}

    def portraits(self, size: int) -> list[Portrait]:
        """The source frames at `size` pixels, as if they had just been read. Raises MediaError for a damaged
        picture.
        """
        return [_portrait(data, points, size) for data, points in zip(self.pictures, self.landmarks, strict=True)]

    def require(self, checkpoint: Checkpoint) -> None:
        """Raises CheckpointError unless the person was learned on this very checkpoint."""
        facts = self.facts
        if facts.base != checkpoint.digest:
            base = f"{printable(facts.base_name, 60)} ({facts.base[:16]})"
            cause = f"This person was learned on the checkpoint {base}, not on this one ({checkpoint.digest[:16]})"
            raise CheckpointError(cause, "Name that one with --checkpoint, or learn the person again.")
        checkpoint.require(facts.landmarks)

    def person(self, checkpoint: Checkpoint, faces: Tensor, sketches: Tensor, landmarks: Tensor) -> Person:
        """The person on `checkpoint`, whose G stays as it is. faces, sketches: (T, 3, S, S) in [-1, 1]; landmarks: (T,
        68, 2).

        Raises CheckpointError for another base, or for tensors that do not fit it.
        """
        import copy

        self.require(checkpoint)
        generator, psi = checkpoint.generator, torch.from_numpy(self.psi).to(faces.device)
        own = generator.state_dict()
        with torch.no_grad():
            expected = generator.project(checkpoint.embedder.identity(faces[None], sketches[None])).shape
        fits = all(name in own and _fits(factors, tuple(own[name].shape)) for name, factors in self.delta.items())
        if psi.shape != expected or not fits:
            raise CheckpointError("The person file does not fit the checkpoint that it names", _ADVICE)
        if self.delta:
            generator = copy.deepcopy(generator)
            moved = {
                name: own[name] + _difference(factors).to(own[name]).view_as(own[name])
                for name, factors in self.delta.items()
            }
            generator.load_state_dict({**own, **moved})
        return Person(
            generator.eval(), psi, faces, sketches, landmarks, iterations=self.facts.iterations, kept=self.facts.kept
        )


def pack_person(person: Person, portraits: list[Portrait], checkpoint: Checkpoint, facts: PersonFacts) -> PersonFile:
    """`person` as a file's content: what differs from `checkpoint`, and the squares of `portraits`, downsized to STORED
    pixels.
    """
    base, tuned = checkpoint.generator.state_dict(), person.generator.state_dict()
    delta = {
        name: _factors((tuned[name] - base[name]).detach().cpu())
        for name in sorted(base)
        if base[name].is_floating_point() and not torch.equal(tuned[name], base[name])
    }
    landmarks = np.stack([portrait.landmarks for portrait in portraits]).astype(np.float32)
    pictures = tuple(_jpeg(portrait.large) for portrait in portraits)
    return PersonFile(person.psi.detach().cpu().numpy().astype(np.float32), delta, pictures, landmarks, facts)


def check_destination(path: Path) -> None:
    """Raises UsageError for another suffix, OutputError for a folder that cannot be written to: before the work, not
    after it.
    """
    if path.suffix != SUFFIX:
        raise UsageError(f"{path} does not end in {SUFFIX}", f"Name the output something{SUFFIX}.")
    require_writable(path)


def write_person(path: Path, content: PersonFile) -> None:
    """Writes atomically. Raises UsageError for another suffix, OutputError when it cannot be written."""
    from safetensors.numpy import save

    check_destination(path)
    header = {"format": FORMAT, "facts": json.dumps(to_dict(content.facts)), "signature": content.signature.hex()}
    with atomic_path(path) as temporary:
        temporary.write_bytes(
            save({name: np.ascontiguousarray(a) for name, a in content.tensors().items()}, metadata=header)
        )


def read_person(path: Path) -> PersonFile:
    """Reads a person file. Raises MediaError when it is missing, damaged, too large, of another format, or holds what
    no person is.
    """
    from safetensors import SafetensorError, safe_open

    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise MediaError(f"The person file {path} is larger than {_LARGEST_FILE >> 20} MB", _ADVICE)
        hold_tensors(path)
        with safe_open(str(path), framework="np") as file:
            header = file.metadata() or {}
            if header.get("format") != FORMAT:
                raise MediaError(f"{path} is not a person file of this version", _ADVICE)
            facts = from_dict(PersonFacts, json.loads(header["facts"]))
            count = len(facts.portraits)
            named = [f"picture.{index}" for index in range(count)]
            if any(file.get_slice(name).get_shape()[0] > _LARGEST_PICTURE for name in named):
                raise ValueError("a picture is too large")
            keys = sorted(file.keys())
            first = [name.removeprefix("delta0.") for name in keys if name.startswith("delta0.")]
            delta = {
                name: tuple(file.get_tensor(f"delta{i}.{name}") for i in range(2) if f"delta{i}.{name}" in keys)
                for name in first
            }
            if sum(map(len, delta.values())) + count + 2 != len(keys):
                raise ValueError("it holds something else")
            content = PersonFile(
                file.get_tensor("psi"),
                delta,
                tuple(file.get_tensor(name).tobytes() for name in named),
                file.get_tensor("landmarks"),
                facts,
                bytes.fromhex(header.get("signature", "")),
            )
    except MediaError:
        raise
    except (SafetensorError, SfumatoError, *_UNREADABLE) as error:
        raise MediaError(f"The person file {path} is missing or damaged", _ADVICE) from error
    _check(path, content)
    return content


def _check(path: Path, content: PersonFile) -> None:
    """Types, shapes and finite numbers; whether they fit a checkpoint is for `PersonFile.person` to say."""
    changed = [part for factors in content.delta.values() for part in factors]
    floats: list[NDArray[Any]] = [content.psi, content.landmarks, *changed]
    kinds = [np.float32, np.float32, *[np.float16] * len(changed)]
    count = len(content.pictures)
    fits = content.psi.ndim == 2 and len(content.psi) == 1 and content.landmarks.shape == (count, 68, 2)
    if not fits or any(a.dtype != kind for a, kind in zip(floats, kinds, strict=True)):
        raise MediaError(f"The person file {path} holds tensors of the wrong kind or shape", _ADVICE)
    if not all(np.isfinite(a).all() for a in floats) or np.abs(content.landmarks).max() >= 10:
        raise MediaError(f"The person file {path} holds numbers that are no person", _ADVICE)


def _factors(difference: Tensor) -> Factors:
    """16 bits; of a matrix (out, everything else) that is large enough, its best approximation of rank _RANK."""
    rows = difference.flatten(1) if difference.ndim > 1 else difference[None]
    if min(rows.shape) <= 2 * _RANK:
        return (difference.numpy().astype(np.float16),)
    left, sizes, right = torch.linalg.svd(rows, full_matrices=False)
    share = sizes[:_RANK].sqrt()
    return (left[:, :_RANK] * share).numpy().astype(np.float16), (share[:, None] * right[:_RANK]).numpy().astype(
        np.float16
    )


def _fits(factors: Factors, shape: tuple[int, ...]) -> bool:
    """Whether the product of `factors` can be added to a tensor of `shape`."""
    if len(factors) == 1:
        return factors[0].shape == shape
    left, right = (factor.shape for factor in factors)
    flat = (shape[0], math.prod(shape[1:])) if len(shape) > 1 else ()
    return len(left) == len(right) == 2 and left[1] == right[0] <= _RANK and (left[0], right[1]) == flat


def _difference(factors: Factors) -> Tensor:
    whole = torch.from_numpy(factors[0]).float()
    return whole if len(factors) == 1 else whole @ torch.from_numpy(factors[1]).float()


def _jpeg(square: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    if len(square) > STORED:
        square = np.asarray(cv2.resize(square, (STORED, STORED), interpolation=cv2.INTER_AREA), np.uint8)
    encoded = io.BytesIO()
    Image.fromarray(square).save(encoded, format="JPEG", quality=_QUALITY, subsampling=0)
    return encoded.getvalue()


def _portrait(data: bytes, landmarks: NDArray[np.float32], size: int) -> Portrait:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as picture:
            side = picture.width
            if picture.height != side or not 16 <= side <= 2 * STORED or picture.mode != "RGB":
                raise ValueError("not a square of a usable size")
            square = np.array(picture, np.uint8)
    except Exception as error:  # decoders raise anything on damaged bytes
        raise MediaError("A picture in the person file is damaged", _ADVICE) from error
    shrinks = cv2.INTER_AREA if size < side else cv2.INTER_CUBIC
    large = square if size == side else np.asarray(cv2.resize(square, (size, size), interpolation=shrinks), np.uint8)
    points = (landmarks + 1) / 2 * side
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    five = np.stack([points[36:42].mean(0), points[42:48].mean(0), points[30], points[48], points[54]])
    face = Face((float(left), float(top), float(right - left), float(bottom - top)), 1.0, five.astype(np.float32))
    return Portrait(Crop(0.0, 0.0, float(side)), face, large, landmarks)
