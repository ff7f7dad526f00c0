"""Which network each number of the benchmarks looks through, and the sha256 of its weights as they lie on disk: a CSIM
of other weights is another measure. SSIM and L1 look through none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from benchmarks.metrics.readers import dlib_file
from benchmarks.rows.generator import NetworkRow
from generator.losses.perceptual import lite0_file
from sfumato.media.clips import file_digest
from sfumato.media.faces import detector_file
from sfumato.media.identity import sface_file
from sfumato.media.landmarks.mesh_net import mesh_file

_FILES: Mapping[str, Callable[[], Path]] = {
    "EfficientNet-Lite0": lite0_file,
    "SFace": sface_file,
    "MediaPipe face mesh": lambda: Path(mesh_file()),
    "YuNet": detector_file,
    "dlib 68 points": dlib_file,
}
_LITE0, _SFACE, _MESH, _YUNET, _DLIB = _FILES
_READERS = {"mesh": _MESH, "dlib": _DLIB}
_SELF = {
    "perceptual": _LITE0, "mouth_perceptual": _LITE0, "fd_lite0": _LITE0, "csim": _SFACE, "landmark_error": _MESH,
    "same_faces": _YUNET,
}  # fmt: skip
_CROSS = {"csim": _SFACE, "shape": _MESH, "flicker": _MESH, "same_faces": _YUNET}


def quality_networks(readers: tuple[str, ...], inception: str | None) -> dict[str, NetworkRow]:
    """Of `bench quality`, by the number that looks through it; under the name of a reader, for its figures. readers:
    who read the faces; inception: sha256 of the weights that FID was taken with, None without FID.
    """
    found = _named(_SELF, readers)
    return found if inception is None else {**found, "fid": NetworkRow(name="Inception-v3", sha256=inception)}


def cross_networks(readers: tuple[str, ...]) -> dict[str, NetworkRow]:
    """Of `bench cross`, in the same way."""
    return _named(_CROSS, readers)


def _named(numbers: Mapping[str, str], readers: tuple[str, ...]) -> dict[str, NetworkRow]:
    used = {**numbers, **{reader: _READERS[reader] for reader in readers if reader in _READERS}}
    return {number: _network(name) for number, name in used.items()}


@cache
def _network(name: str) -> NetworkRow:
    return NetworkRow(name=name, sha256=file_digest(_FILES[name]()))
