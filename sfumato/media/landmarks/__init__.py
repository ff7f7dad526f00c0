"""Facial landmarks: 68 points in 300-W order, by backends that are chosen by name.

`mesh` is embedded and always works; `face-alignment` is the paper's own detector and needs its weights on disk. The
two place the jaw differently, so a generator's checkpoint names the backend it was trained with.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sfumato.registry import Registry

REGISTRY = Registry(
    "landmark backend",
    {
        "mesh": "sfumato.media.landmarks.mesh:MeshLandmarks",
        "face-alignment": "sfumato.media.landmarks.face_alignment:FaceAlignmentLandmarks",
    },
)


class LandmarkBackend(Protocol):
    """Finds 68 points in a face whose box is known."""

    name: str

    def detect(self, image: NDArray[np.uint8], box: tuple[float, float, float, float]) -> NDArray[np.float32]:
        """image: HWC uint8 RGB; box: (x, y, width, height) px. Returns (68, 2) px in the image."""
        ...


class Follower(Protocol):
    """Follows one face from frame to frame, where a backend can do that for less than finding it again.

    One that knows depth has it as `depth`, see `depth_of`.
    """

    def start(self, image: NDArray[np.uint8], box: tuple[float, float, float, float]) -> NDArray[np.float32]:
        """As `LandmarkBackend.detect`; this face is followed from here."""
        ...

    def step(self, image: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        """(68, 2) px in the next frame, or None where the face is in doubt: look for it, and `start` again."""
        ...


class FindsAgain:
    """The follower of a backend that has none: each frame is in doubt."""

    def __init__(self, backend: LandmarkBackend) -> None:
        self.start = backend.detect

    def step(self, image: NDArray[np.uint8]) -> None:
        """Always None."""


def follower_of(backend: LandmarkBackend) -> Follower:
    """The backend's own follower where it has one (`follower()`), or one that finds the face anew in each frame."""
    make = getattr(backend, "follower", None)
    follower: Follower = FindsAgain(backend) if make is None else make()
    return follower


def detect_in_depth(
    backend: LandmarkBackend, image: NDArray[np.uint8], box: tuple[float, float, float, float]
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """`backend.detect`, and how deep each point lies: (68,) px away from the camera, 0 in the mean; None where the
    backend cannot tell (it has no `detect_in_depth`).
    """
    detect = getattr(backend, "detect_in_depth", None)
    found: tuple[NDArray[np.float32], NDArray[np.float32] | None]
    found = (backend.detect(image, box), None) if detect is None else detect(image, box)
    return found


def depth_of(follower: Follower) -> NDArray[np.float32] | None:
    """How deep the points that `follower` gave last lie, as `detect_in_depth` has it; None where it cannot tell."""
    depth: NDArray[np.float32] | None = getattr(follower, "depth", None)
    return depth


def load_backend(name: str = "mesh", **options: Any) -> LandmarkBackend:
    """Raises UsageError for an unknown name, MissingPartError when its package or weights are not on this machine."""
    backend: LandmarkBackend = REGISTRY.load(name)(**options)
    return backend
