"""Cross-person reenactment: portraits of some people follow the motion of others. Whose face comes out, and does it
follow? (Section 5's known limit: landmarks of another person leak that person's face shape.)

In: portraits and driving videos, and what makes the frames, by name. Out: one row for each pair and method, a row over
the pairs of each method, and a contact sheet. Every frame of the first seconds of a video is rendered as `sfumato
animate` does by default, and each video also drives a portrait that is cut out of itself ("self"): there nothing but
the animation stands between the two. `warp` is the family that learns nothing.

CSIM and shapes are of a few moments, spread over the video. CSIM: cosine of SFace embeddings of the output and of the
portrait's frame, and of the output and of the driver's frame at that moment. Face-shape error: the contour, brows and
nose found in the output (mesh backend, 36 points) against those of the portrait, and against those of the driver in its
neutral frame; each pair aligned by a similarity and divided by the eye distance. Only the moments in which the driver's
head is turned as in its neutral frame count for shape, since a turned head has another outline; which ones is decided
by the driver alone. All other figures are of every frame: benchmarks/generator/driven.py.

Rows over pairs have the sample size, and intervals over pairs. Pairs share people, so that they say how sure the number
is for these people, and little of others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.generator.driven import Driven, Driver, drive, read_driver
from benchmarks.generator.quality import common_landmarks
from benchmarks.metrics.figures import summarise
from benchmarks.metrics.networks import cross_networks
from benchmarks.metrics.readers import Readers
from benchmarks.rows.generator import DrivenRow, Networks, PairRow
from generator.person.portrait import Portrait, read_portrait
from generator.rendering.animator import Animator
from sfumato.errors import MediaError, UsageError
from sfumato.media.clips import file_digest
from sfumato.media.faces import FaceDetector
from sfumato.media.frame_size import require_frame_size
from sfumato.media.images import WORKING_PIXELS, read_image
from sfumato.media.landmarks import LandmarkBackend, load_backend

PROTOCOL = "cross-person-2"
SELF, CROSS = "self", "cross"
_SHEET = 6  # frames of a pair in the sheet


@dataclass(frozen=True)
class CrossConfig:
    """What is measured."""

    size: int = 256  # pixels of the output
    moments: int = 24  # of each driving video
    seconds: float = 10.0  # of each driving video, at most
    seed: int = 0  # of the bootstrap

    def __post_init__(self) -> None:
        require_frame_size(self.size)
        if self.moments < 4 or self.seconds <= 0:
            raise UsageError("Cannot measure so", "Choose 4 moments or more, and a positive number of seconds.")


@dataclass(frozen=True)
class Pair:
    """One portrait with one driver, by one method. driving: "self" or "cross"."""

    method: str
    driving: str
    portrait: str
    driver: str
    figures: Mapping[str, float]
    moments: int
    frames: int


@dataclass
class Crossed:
    """All pairs, what could not be used, and a contact sheet: a row for each pair, source, driver and output of the
    first method side by side. readers: who read the faces; networks: what the numbers look through.
    """

    pairs: list[Pair] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    footage: str = ""
    readers: tuple[str, ...] = ()
    networks: Networks = field(default_factory=dict)
    strips: list[NDArray[np.uint8]] = field(default_factory=list)

    @property
    def sheet(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB."""
        return np.concatenate(self.strips, axis=0)

    def rows(self, models: Mapping[str, str | None], shipped: str, config: CrossConfig) -> list[PairRow | DrivenRow]:
        """As lines of the record have them: each pair, then each method's own. models: sha256 by method; shipped: the
        method that the program uses by itself, or an empty string.
        """
        rows: list[PairRow | DrivenRow] = []
        for pair in self.pairs:
            figures = {name: round(value, 4) for name, value in pair.figures.items()}
            rows.append(
                PairRow(
                    method=pair.method, driving=pair.driving, portrait=pair.portrait, driver=pair.driver,
                    figures=figures, moments=pair.moments, frames=pair.frames, readers=self.readers,
                    networks=self.networks, model=models[pair.method], footage=self.footage, size=config.size,
                )
            )  # fmt: skip
        for driving in (SELF, CROSS):
            measured = {
                method: [pair.figures for pair in self.pairs if (pair.method, pair.driving) == (method, driving)]
                for method in models
            }
            for method, own in measured.items():
                others = {name: numbers for name, numbers in measured.items() if name != method}
                if own:
                    rows.append(
                        DrivenRow(
                            method=method, driving=driving, shipped=method == shipped,
                            figures=summarise(own, others, config.seed), readers=self.readers, networks=self.networks,
                            model=models[method], footage=self.footage, size=config.size,
                        )
                    )  # fmt: skip
        return rows


def measure(
    portraits: list[Path], drivers: list[Path], animators: Mapping[str, Animator], config: CrossConfig,
    advance: Callable[[float], None] = lambda amount: None, readers: Readers | None = None,
) -> Crossed:  # fmt: skip
    """Every portrait with every driver, and every driver with itself, by each of `animators`, which share their
    landmarks. `advance` gets 1 for each pair and method. Files that cannot be used are listed. readers: those that are
    installed unless given.

    Raises MediaError when nothing can be used, UsageError for checkpoints with different landmarks.
    """
    landmarks = load_backend(common_landmarks({name: animator.checkpoint for name, animator in animators.items()}))
    detector, readers = FaceDetector(), readers or Readers()
    done = Crossed(readers=readers.names, networks=cross_networks(readers.names))
    moving, digests = list[Driver](), list[str]()
    for path in drivers:
        try:
            moving.append(read_driver(path, landmarks, readers, config.size, config.seconds, config.moments))
            digests.append(file_digest(path))
        except MediaError as error:
            done.skipped.append((path, error.message))
    sitters = list(_sitters(portraits, detector, landmarks, config.size, done))
    for driver in moving:
        assert driver.neutral is not None  # noqa: S101 (it has frames)
        for method, animator in animators.items():
            animator.set_identity([driver.neutral])
            driven = drive(driver.neutral, driver, animator, readers, config.size)
            done.pairs.append(_pair(method, SELF, driver.name, driver, driven))
            advance(1)
    for path, sitter in sitters:
        digests.append(file_digest(path))
        for method, animator in animators.items():
            animator.set_identity([sitter])
            for driver in moving:
                driven = drive(sitter, driver, animator, readers, config.size)
                done.pairs.append(_pair(method, CROSS, path.stem, driver, driven))
                if method == next(iter(animators)):
                    done.strips.append(_strip(sitter.large, driver.pictures, driven.outputs))
                advance(1)
    if not done.strips:
        raise MediaError(
            "No portrait and driver could be used", "Use portraits and videos in which one face is seen well."
        )
    done.footage = hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()
    return done


def _sitters(
    portraits: list[Path], detector: FaceDetector, landmarks: LandmarkBackend, size: int, done: Crossed
) -> Iterator[tuple[Path, Portrait]]:
    for path in portraits:
        try:
            yield path, read_portrait(read_image(path, max_pixels=WORKING_PIXELS), detector, landmarks, size, path.name)
        except MediaError as error:
            done.skipped.append((path, error.message))


def _pair(method: str, driving: str, portrait: str, driver: Driver, driven: Driven) -> Pair:
    return Pair(method, driving, portrait, driver.name, driven.figures, len(driven.outputs), driven.frames)


def _strip(
    source: NDArray[np.uint8], drivers: list[NDArray[np.uint8]], outputs: list[NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    """Two rows: the driver's frames above, the outputs below; the source stands at the left of both. 128 px each."""

    def small(image: NDArray[np.uint8], side: int = 128) -> NDArray[np.uint8]:
        return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)

    chosen = np.linspace(0, len(outputs) - 1, _SHEET).round().astype(int)
    rows = [np.concatenate([small(images[i]) for i in chosen], axis=1) for images in (drivers, outputs)]
    return np.concatenate([small(source, 256), np.concatenate(rows, axis=0)], axis=1)
