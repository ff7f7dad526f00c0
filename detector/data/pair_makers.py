"""Makers of pairs: each draws a real crop and its fake twin of one method, from the crops of one split.

In: `Material`, the clips of a split and their crops. Out: `Maker`s, one a method. Some make the fake on the fly from
real crops (self-blends, swaps between two people, lip-syncs, reconstructions); the others read generated clips with
their real twins. To add one, write a `Maker` and a line of MAKERS.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.config import SampleConfig
from detector.data.cache import CropCache, StoredCrop
from detector.data.counterparts import Counterparts, People, by_identity, equally_sharp, even
from detector.data.degradations import h264, match_sharpness
from detector.inference.crops import TIGHTEN
from sfumato.media.clips import TWIN, ClipRow
from sfumato.media.landmarks.points import MIRROR

Image = NDArray[np.uint8]
Points = NDArray[np.float32]
_STRIDE = 7919  # a prime: walking with it spreads over people, however the list is sorted
_CANDIDATES = (
    256  # faces of others among which a swap looks for the pose most alike: alike enough, and never the same partner
)
_MOMENTS = 3  # of a person, of which the two whose mouths differ most are taken: two at random are mostly alike
_THUMBNAIL = 64  # px: bent eyes and mouths show, noise of the codec does not


@dataclass(frozen=True)
class Pair:
    """`real` and `fake`: HWC uint8 RGB of one size. `method` made the fake, of `family`."""

    real: Image
    fake: Image
    family: str
    method: str


class Material:
    """What makers draw from. `reals`: without the twins, which are frames of them once more and must not count
    twice.
    """

    def __init__(self, rows: Iterable[ClipRow], cache: CropCache, config: SampleConfig) -> None:
        rows = list(rows)
        self.cache, self.config = cache, config
        self.reals = [row for row in rows if row.label == "real" and row.method != TWIN]
        self.twins = [row for row in rows if row.label == "real" and row.method == TWIN]
        self.fakes = [row for row in rows if row.label != "real"]
        self.people = by_identity(self.reals)
        self.by_path = {row.path: row for row in [*self.reals, *self.twins]}

    def face(self, row: ClipRow, rng: np.random.Generator) -> StoredCrop:
        """A frame of a real clip, mirrored half of the time."""
        stored = self.cache.crop(row, int(rng.integers(self.cache.count(row))))
        return _mirror(stored) if rng.random() < 0.5 else stored

    def moments(self, row: ClipRow, rng: np.random.Generator) -> tuple[StoredCrop, StoredCrop | None]:
        """A frame of a real clip and another one, if it has any, whose mouth stands otherwise; both mirrored half of
        the time. Each is as often the first, so that open mouths are as common in either place.
        """
        from detector.data.fakes.lip_sync import mouth_opening

        if (count := self.cache.count(row)) < 2:
            return self.face(row, rng), None
        drawn = rng.choice(count, min(_MOMENTS, count), replace=False)
        openings = np.array([mouth_opening(points) for points in self.cache.points(row)[drawn]])
        pair = drawn[[int(openings.argmin()), int(openings.argmax())]] if np.ptp(openings) > 0 else drawn[:2]
        found = [self.cache.crop(row, int(index)) for index in (pair[::-1] if rng.random() < 0.5 else pair)]
        if rng.random() < 0.5:
            found = [_mirror(stored) for stored in found]
        return found[0], found[1]

    @cached_property
    def counterparts(self) -> Counterparts:
        """Whom fakes without a twin are held against."""
        return Counterparts(self.reals, self.cache)

    @cached_property
    def poses(self) -> tuple[NDArray[np.float32], list[tuple[ClipRow, int]]]:
        """The landmarks of every real crop, moved and scaled onto one another: (n, 136), and whose they are."""
        shapes, places = [], []
        for row in self.reals:
            for index, points in enumerate(self.cache.points(row)):
                shapes.append(pose(points))
                places.append((row, index))
        return np.array(shapes, np.float32).reshape(-1, 136), places


class Maker(ABC):
    """Pairs of one method, from `rows`: real clips if `on_the_fly`, else its own generated ones."""

    on_the_fly: ClassVar[bool] = True

    def __init__(self, material: Material, method: str, family: str, rows: Sequence[ClipRow]) -> None:
        self.material, self.method, self.family, self.rows = material, method, family, rows
        self.people = by_identity(rows)

    @cached_property
    def filmed(self) -> People:
        """Those with a video: photographs are many, and what a camera does to a moving face they do not show."""
        return by_identity([row for row in self.rows if self.on_the_fly and not self.material.cache.still(row)])

    def draw(self, rng: np.random.Generator) -> Pair:
        """A person first, then a clip, then a frame: nobody counts more for having more footage."""
        share = self.material.config.filmed_share
        filmed = share > 0 and self.filmed and rng.random() < share
        return self.of(pick(self.filmed if filmed else self.people, rng), rng)

    def spread(self, index: int, rng: np.random.Generator) -> Pair:
        """Pair number `index` of a fixed walk through the clips."""
        return self.of(self.rows[(index * _STRIDE) % len(self.rows)], rng)

    @abstractmethod
    def of(self, row: ClipRow, rng: np.random.Generator) -> Pair:
        """A pair from a frame of this clip."""


class SelfBlends(Maker):
    """A face pasted into its own picture."""

    def of(self, row: ClipRow, rng: np.random.Generator) -> Pair:
        from detector.data.fakes.self_blend import self_blend

        face = self.material.face(row, rng)
        made = self_blend(face.image, face.points, rng)
        return Pair(made.real, made.fake, self.family, self.method)


class Swaps(Maker):
    """Another person of the split in a like pose, warped and pasted onto this face."""

    def of(self, row: ClipRow, rng: np.random.Generator) -> Pair:
        from detector.data.fakes.swap import swap_face

        target = self.material.face(row, rng)
        shapes, places = self.material.poses
        drawn = rng.integers(len(places), size=_CANDIDATES)
        others = drawn[[places[i][0].identity != row.identity for i in drawn]]
        if not len(others):  # a split of very uneven people: nobody else among the drawn
            others = np.array([i for i, (other, _) in enumerate(places) if other.identity != row.identity])
        nearest = others[int(np.square(shapes[others] - pose(target.points)).sum(1).argmin())]
        source = self.material.cache.crop(*places[int(nearest)])
        blending: Any = self.method.removeprefix("swap-")
        made = swap_face(target.image, target.points, source.image, source.points, rng, blending)
        return Pair(made.real, made.fake, self.family, self.method)


class LipSync(Maker):
    """The lower face in another version of itself: of another moment, opened or shut, smaller, reconstructed."""

    def __init__(self, material: Material, method: str, family: str, rows: Sequence[ClipRow]) -> None:
        """Raises CheckpointError where the configured autoencoder is none."""
        super().__init__(material, method, family, rows)
        self._reconstruct: Callable[[Image], Image] | None = None
        if material.config.autoencoder is not None:
            from detector.data.fakes.autoencoder import load_autoencoder

            autoencoder = load_autoencoder(material.config.autoencoder)
            self._reconstruct = lambda image: autoencoder.reconstruct([image])[0]

    def of(self, row: ClipRow, rng: np.random.Generator) -> Pair:
        from detector.data.fakes.lip_sync import lip_sync, mouth_opening

        face, other = self.material.moments(row, rng)
        # a still's mouth is opened as far as somebody else's: reals and fakes then talk alike
        model = other or self.material.face(pick(self.people, rng), rng)
        moment = None if other is None else (other.image, other.points)
        made = lip_sync(face.image, face.points, rng, mouth_opening(model.points), moment, self._reconstruct)
        return Pair(made.real, made.fake, self.family, self.method)


class Reconstructions(Maker):
    """The crop through an autoencoder and back."""

    def __init__(self, material: Material, method: str, path: Path) -> None:
        """Raises CheckpointError for a file that is no autoencoder."""
        from detector.data.fakes.autoencoder import load_autoencoder

        super().__init__(material, method, "synthesis", material.reals)
        self._autoencoder = load_autoencoder(path)

    def of(self, row: ClipRow, rng: np.random.Generator) -> Pair:
        face = self.material.face(row, rng)
        fake = self._autoencoder.reconstruct([face.image])[0]
        softened = rng.random() < self.material.config.match_sharpness_share
        return Pair(match_sharpness(face.image, fake) if softened else face.image, fake, self.family, self.method)


class Generated(Maker):
    """Clips that are listed, each with its real twin, the same frame through the same writer, where there is one."""

    on_the_fly = False

    def of(self, row: ClipRow, rng: np.random.Generator) -> Pair:
        """A frame of a generated clip (of `looks` drawn ones the least like its twin) and of its twin at the same
        place; without a twin, of a real that was handled alike (`Counterparts`).
        """
        cache, settings = self.material.cache, self.material.config
        twin = self.twin(row)
        against = pick(self.material.counterparts.of(row), rng) if twin is None else twin
        looks = settings.looks if twin is not None else 1  # unlike a stranger's picture says nothing
        drawn = rng.choice(cache.count(row), min(looks, cache.count(row)), replace=False)
        shown = [
            (cache.nearest(against, stored.place).image, stored.image)
            for stored in (cache.crop(row, int(index)) for index in drawn)
        ]
        closest = max(shown, key=lambda pair: difference(*pair)) if len(shown) > 1 else shown[0]
        real, fake = even(*closest, strangers=twin is None)
        stills = cache.still(against), cache.still(row)
        if stills[0] != stills[1] and rng.random() < settings.twin_codec_share:  # the other has a codec behind it
            crf = int(rng.integers(18, 24))
            real, fake = (h264([real], crf)[0], fake) if stills[0] else (real, h264([fake], crf)[0])
        if twin is None:
            real, fake = equally_sharp(real, fake, TIGHTEN)
        elif rng.random() < settings.match_sharpness_share:
            real, fake = equally_sharp(real, fake)
        if rng.random() < 0.5:
            real, fake = real[:, ::-1], fake[:, ::-1]
        return Pair(np.ascontiguousarray(real), np.ascontiguousarray(fake), self.family, self.method)

    def twin(self, row: ClipRow) -> ClipRow | None:
        """The real clip that `pair_of` names, if it is in this split."""
        return self.material.by_path.get(row.pair_of) if row.pair_of else None


def _self_blends(material: Material) -> list[Maker]:
    return [SelfBlends(material, "self-blend", "blend", material.reals)]


def _swaps(material: Material) -> list[Maker]:
    from detector.data.fakes.swap import METHODS

    if len(material.people) < 2:
        return []
    return [Swaps(material, f"swap-{method}", "blend", material.reals) for method in METHODS]


def _lip_syncs(material: Material) -> list[Maker]:
    return [LipSync(material, "lip-sync", "blend", material.reals)]


def _reconstructions(material: Material) -> list[Maker]:
    path = material.config.autoencoder
    return [] if path is None else [Reconstructions(material, "autoencoder", path)]


def _generated(material: Material) -> list[Maker]:
    kinds: dict[tuple[str, str], list[ClipRow]] = defaultdict(list)
    for row in material.fakes:
        kinds[row.method, row.family].append(row)
    return [Generated(material, method, family, rows) for (method, family), rows in sorted(kinds.items())]


MAKERS: tuple[Callable[[Material], list[Maker]], ...] = (_self_blends, _swaps, _lip_syncs, _reconstructions, _generated)


def makers(material: Material) -> list[Maker]:
    """All that this material allows."""
    return [maker for found in MAKERS for maker in found(material)]


def difference(real: Image, fake: Image) -> float:
    """How unlike two looks at one face are, whatever their sides: the mean absolute difference of both at 64 px."""
    small = [
        cv2.resize(image, (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA).astype(np.float32)
        for image in (real, fake)
    ]
    return float(np.abs(small[0] - small[1]).mean())


def pose(points: Points) -> NDArray[np.float32]:
    """(68, 2) landmarks as (136,) numbers without place and scale; roll and turn of the head stay."""
    centred = points - points.mean(0)
    return np.asarray(centred / max(float(np.sqrt(np.square(centred).mean())), 1e-6), np.float32).reshape(-1)


def pick(people: People, rng: np.random.Generator) -> ClipRow:
    """A person, then one of their clips."""
    names = sorted(people)
    clips = people[names[int(rng.integers(len(names)))]]
    return clips[int(rng.integers(len(clips)))]


def _mirror(stored: StoredCrop) -> StoredCrop:
    """Left and right exchanged; the points keep their 300-W order."""
    points = stored.points.copy()
    points[:, 0] = stored.image.shape[1] - 1 - points[:, 0]
    return StoredCrop(np.ascontiguousarray(stored.image[:, ::-1]), points[MIRROR], stored.place)
