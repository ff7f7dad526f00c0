"""Prepared footage as people and frames: reads the shards, finds who is who, and keeps some people out of training.
Folders of shards, or packs: the same people and fewer, smaller pictures in one file that travels.

Identities are not what a folder calls them: clips whose mean SFace embeddings are close are one person, and so are
clips that the footage gives one label. Whether a person is held out is decided by a digest of the shard names, so
adding footage does not reshuffle the others; people whom the footage itself keeps for testing (VoxCeleb's test part)
are never trained on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from generator.data.shards import StoredCrops, load_shard, read_crops
from sfumato.errors import CheckpointError, UsageError
from sfumato.media.faces import CROP_VERSION
from sfumato.media.people import SAME_PERSON, group_people
from sfumato.training.pack import PackedClip, as_webp, read_pack, side_of, write_pack

PACK = "generator"  # the kind of pack
_READERS = 8  # threads that open shards: a hundred thousand small files are mostly waiting


@dataclass(frozen=True)
class Clip:
    """One shot of a prepared file. `landmarks` are px at `size`; frames are decoded on request."""

    name: str
    digest: str
    picture: bool
    size: int
    jpegs: Sequence[bytes]
    times: NDArray[np.float64]
    landmarks: NDArray[np.float32]  # (frames, 68, 2)
    identity: NDArray[np.float32]  # (128,), unit
    sharpness: float
    person: str = ""  # the label that the footage gives; "" for none
    held_out: bool = False  # the footage keeps this person for testing

    def __len__(self) -> int:
        return len(self.jpegs)

    def frame(self, index: int, size: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Frame `index` at `size`: (size, size, 3) uint8 RGB and landmarks (68, 2) px in it."""
        image = cv2.imdecode(np.frombuffer(self.jpegs[index], np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise CheckpointError(f"A stored crop of {self.name} is damaged", "Delete its shard and prepare it again.")
        if size != self.size:
            image = cv2.resize(
                image, (size, size), interpolation=cv2.INTER_AREA if size < self.size else cv2.INTER_CUBIC
            )
        points = (self.landmarks[index] + 0.5) * (size / self.size) - 0.5  # pixel centres, as the picture is resized
        return np.ascontiguousarray(image[:, :, ::-1]), points.astype(np.float32)


@dataclass(frozen=True)
class PersonFootage:
    """Everything there is of one person."""

    key: str
    clips: tuple[Clip, ...]

    @property
    def videos(self) -> tuple[Clip, ...]:
        return tuple(c for c in self.clips if not c.picture)

    @property
    def held_out(self) -> bool:
        """One recording in the footage's own test part is enough: the person, not the recording, has to be unknown."""
        return any(c.held_out for c in self.clips)


@dataclass(frozen=True)
class Dataset:
    """Prepared footage. `description` is what `dataset.json` says: crop version, landmark backend, stored size."""

    people: tuple[PersonFootage, ...]
    description: dict[str, Any]

    def split(self, held_out: int, smallest: int = 24) -> tuple[tuple[PersonFootage, ...], tuple[PersonFootage, ...]]:
        """(training, held out). Only people with a clip of `smallest` frames are held out, `held_out` of them: those of
        the footage's own test part first. The others of that part are in neither. Raises UsageError when nobody would
        be left.
        """
        eligible = sorted(
            (p for p in self.people if any(len(c) >= smallest for c in p.videos)), key=lambda p: (not p.held_out, p.key)
        )
        if held_out >= len(eligible) > 0:
            raise UsageError(
                f"{held_out} people to hold out, but only {len(eligible)} have clips", "Lower held_out or add footage."
            )
        chosen = {p.key for p in eligible[:held_out]}
        training = tuple(p for p in self.people if p.key not in chosen and not p.held_out)
        if self.people and not training:
            raise UsageError(
                "All people of this footage are kept for testing", "Prepare the training part of the data set too."
            )
        return training, tuple(p for p in eligible if p.key in chosen)


def open_dataset(paths: list[Path], landmarks: str | None = None) -> Dataset:
    """Reads folders made by `sfumato prepare`: landmarks and identities now, pictures when a frame is asked for; and
    packs made of them by `pack_dataset`.

    Raises UsageError when one is neither, or when they do not fit together; MediaError for a damaged pack.
    """
    descriptions = []
    clips: dict[str, Clip] = {}  # by digest: the same recording in two folders counts once
    for path in paths:
        found, there = _open_folder(path) if path.is_dir() else _open_pack(path)
        descriptions.append(found)
        for clip in there:
            clips.setdefault(clip.digest, clip)
    first = descriptions[0]
    for other in descriptions[1:]:
        if (other["crop"], other["landmarks"]) != (first["crop"], first["landmarks"]):
            raise UsageError(
                "The folders were prepared with different crops or landmarks", "Prepare them again, the same way."
            )
    if first["crop"] != CROP_VERSION:
        raise UsageError(
            f"Prepared with crop {first['crop']}, this version uses {CROP_VERSION}", "Prepare the footage again."
        )
    if landmarks is not None and first["landmarks"] != landmarks:
        cause = f"Prepared with landmarks {first['landmarks']!r}, asked for {landmarks!r}"
        raise UsageError(cause, "Prepare the footage again, or train with --set landmarks.")
    if not clips:
        raise UsageError(f"No usable clips in {', '.join(map(str, paths))}", "Prepare footage with visible faces.")
    return Dataset(as_people(list(clips.values())), first)


def _open_folder(path: Path) -> tuple[dict[str, Any], list[Clip]]:
    try:
        found = json.loads((path / "dataset.json").read_text(encoding="utf-8"))
        size, _, _ = int(found["size"]), found["crop"], found["landmarks"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path} is not prepared footage", "Make it with: sfumato prepare FOOTAGE -o FOLDER."
        ) from error
    return found, read_shards(path, size)


def pack_dataset(
    dataset: Dataset, path: Path, size: int, frames: int, quality: int,
    advance: Callable[[float], None] = lambda amount: None,
) -> int:  # fmt: skip
    """Writes everybody of `dataset` as one file: of each clip `frames` frames at most, evenly over it, at `size` px and
    WebP of this quality. Returns how many pictures it holds; `advance` gets 1 for each clip. Raises OutputError.
    """
    packed = []
    for clip in (clip for person in dataset.people for clip in person.clips):
        chosen = np.linspace(0, len(clip) - 1, min(frames, len(clip))).round().astype(int)
        shown = [clip.frame(int(index), size) for index in chosen]
        facts = {
            "source": clip.name, "sha256": clip.digest, "picture": clip.picture, "sharpness": clip.sharpness,
            "person": clip.person, "held_out": clip.held_out,
        }  # fmt: skip
        pictures, points = tuple(as_webp(image, quality) for image, _ in shown), np.stack([p for _, p in shown])
        packed.append(PackedClip(facts, pictures, points, clip.times[chosen], clip.identity))
        advance(1)
    about = dataset.description | {"size": size, "frames": frames, "quality": quality}
    write_pack(path, PACK, about, packed)
    return sum(len(clip.pictures) for clip in packed)


def _open_pack(path: Path) -> tuple[dict[str, Any], list[Clip]]:
    pack = read_pack(path, PACK)
    try:
        size, _, _ = int(pack.about["size"]), pack.about["crop"], pack.about["landmarks"]
        clips = [_unpacked(clip, size) for clip in pack.clips]
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{path} is no pack of prepared footage: {error}", "Make it anew: sfumato pack.") from error
    return pack.about, clips


def _unpacked(clip: PackedClip, size: int) -> Clip:
    """Raises KeyError, TypeError or ValueError for what `pack_dataset` does not write."""
    facts = clip.facts
    if any(side_of(picture) != size for picture in clip.pictures) or clip.features.shape != (128,):
        raise ValueError("a picture or an identity is of another size")
    return Clip(
        str(facts["source"]), str(facts["sha256"]), bool(facts["picture"]), size, clip.pictures, clip.places,
        clip.points, clip.features, float(facts["sharpness"]), str(facts["person"]), bool(facts["held_out"]),
    )  # fmt: skip


def shard_paths(folder: Path) -> list[Path]:
    """The shards of a prepared folder, sorted; what a killed run left half-written is no shard."""
    return sorted(p for p in (folder / "shards").glob("*.parquet") if not p.name.startswith("."))


def read_shards(folder: Path, size: int) -> list[Clip]:
    """All clips of a prepared folder, without their pictures. Raises UsageError when a shard is damaged."""
    with ThreadPoolExecutor(_READERS) as pool:
        return list(pool.map(partial(read_shard, size=size, lazy=True), shard_paths(folder)))


def read_shard(path: Path, size: int, lazy: bool = False) -> Clip:
    """One shard as a Clip; its pictures stay in the file if `lazy`. Raises UsageError when it is damaged."""
    shard = load_shard(path)
    try:
        facts = shard.facts
        name, digest, picture = str(facts["source"]), str(facts["sha256"]), bool(facts["picture"])
        shot, person, held_out = (
            int(facts.get("shot", 0)),
            str(facts.get("person") or ""),
            bool(facts.get("held_out", False)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"The shard {path} is damaged", "Delete it and run prepare again.") from error
    identity = shard.identities.mean(0)
    return Clip(
        name, hashlib.sha256(f"{digest} {shot}".encode()).hexdigest() if shot else digest, picture, size,
        StoredCrops(path, len(shard.times)) if lazy else read_crops(path), shard.times, shard.landmarks,
        identity / max(float(np.linalg.norm(identity)), 1e-9), float(np.mean(shard.measures["sharpness"])), person,
        held_out,
    )  # fmt: skip


def as_people(clips: list[Clip], threshold: float = SAME_PERSON) -> tuple[PersonFootage, ...]:
    """Clips gathered by person (see `sfumato.media.people`)."""
    labels = group_people(np.stack([c.identity for c in clips]), threshold, [c.person for c in clips])
    groups: dict[int, list[Clip]] = {}
    for clip, label in zip(clips, labels, strict=True):
        groups.setdefault(label, []).append(clip)
    people = (
        PersonFootage(hashlib.sha256(min(c.digest for c in group).encode()).hexdigest()[:16], tuple(group))
        for group in groups.values()
    )
    return tuple(sorted(people, key=lambda p: p.key))
