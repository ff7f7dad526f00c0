"""Puts the mark into frames: as strong as a stated quality allows, weaker on faces, standing still between updates.

In: uint8 RGB frames of one video, in order, and where the faces are. Out: the same frames with the mark. The strength
follows from the picture: the mark may cost so much PSNR and so much SSIM (Wang et al. 2004) and not more. Twice a
second or so the picture is looked at again; between those looks a frame costs one addition.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from provenance.watermark import FaceBox, Image
from provenance.watermark.pattern import GRID, Plane, Spread, spread, synthesize

LOWEST_PSNR = 40.8  # dB of a frame; the promise is 40, and rounding takes a little
LOWEST_SSIM = 0.9815  # of a frame's luminance; the promise is 0.98
# grey levels, standard deviation, where nothing weakens it: more is seen on plain walls, whatever the two numbers allow
STRONGEST = 3.2
DARK_SHARE = 0.35  # of the strength that is left where the picture is black
_LIGHT = 80.0  # grey level from which on the picture counts as light
FACE_SHARE = 0.25  # of the strength that is left on a face
REFRESH = 15  # frames between two looks
FACE_LOOKS = 3  # looks between two searches for faces, where nobody says where they are
_CUT = 20.0  # grey levels of mean change: another scene
_C2 = (0.03 * 255) ** 2  # SSIM's constant
_COARSE = 4  # what varies slowly over the picture is worked out on every fourth pixel of the grid
_TILE, _TILES = 32, 8  # the strength is set on 64 tiles of a large picture


class SpreadMarker:
    """Marks one video."""

    def __init__(self, payload: bytes, key: bytes | None = None) -> None:
        """payload: 8 bytes. Raises ValueError for another length."""
        pattern: Spread = spread(key) if key is not None else spread()
        self._pattern = synthesize(pattern.chips(payload))
        self._since = 0
        self._change: tuple[Image, Image] | None = None  # what is added to a frame, and what is taken away
        self._delta: Plane | None = None
        self._glimpse: Plane | None = None
        self._faces: tuple[FaceBox, ...] = ()
        self._looks = 0
        self._detector: object | None = None

    def mark(self, frame: Image, faces: Sequence[FaceBox] | None = None) -> Image:
        """Returns a new frame. Raises ValueError when the size changes within a video."""
        if self._change is not None and self._change[0].shape != frame.shape:
            raise ValueError(
                f"the frames of a video have one size, {self._change[0].shape[:2]}; this is {frame.shape[:2]}"
            )
        glimpse = frame[:: max(1, frame.shape[0] // 32), :: max(1, frame.shape[1] // 32)].mean(axis=2, dtype=np.float32)
        cut = self._glimpse is None or float(np.abs(glimpse - self._glimpse).mean()) > _CUT
        if cut or self._since >= REFRESH:
            self._look(frame, faces, cut)
            self._glimpse, self._since = glimpse, 0
        self._since += 1
        assert self._change is not None  # noqa: S101 (the first frame is always looked at)
        more, less = self._change
        return cv2.subtract(cv2.add(frame, more), less)  # type: ignore[return-value]

    def _look(self, frame: Image, faces: Sequence[FaceBox] | None, cut: bool) -> None:
        height, width = frame.shape[:2]
        if faces is None:
            if cut or self._looks % FACE_LOOKS == 0:
                self._faces = self._find_faces(frame)
            self._looks += 1
        else:
            self._faces = tuple(faces)
        luminance = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
        shape = _hidden_share(luminance) * _face_share(self._faces, width, height)
        wanted: Plane = cv2.resize(self._pattern * shape, (width, height), interpolation=cv2.INTER_CUBIC)
        wanted *= _strength(luminance, wanted)
        delta = wanted if cut or self._delta is None else (self._delta + wanted) / 2
        self._delta = delta
        more, less = (cv2.convertScaleAbs(np.maximum(part, 0)) for part in (delta, -delta))  # rounded, uint8
        self._change = (cv2.merge([more] * 3), cv2.merge([less] * 3))  # type: ignore[assignment]

    def _find_faces(self, frame: Image) -> tuple[FaceBox, ...]:
        from sfumato.media.faces import FaceDetector

        if self._detector is None:
            self._detector = FaceDetector()
        assert isinstance(self._detector, FaceDetector)  # noqa: S101 (just made)
        return tuple(face.box for face in self._detector.detect(frame))


def _hidden_share(luminance: Plane) -> Plane:
    """(256, 256): less where the picture is dark, since a grey level is seen there soonest, and a little more where it
    has structure.
    """
    side = GRID // _COARSE
    coarse = cv2.resize(luminance, (side, side), interpolation=cv2.INTER_AREA)
    light = DARK_SHARE + (1 - DARK_SHARE) * np.clip(cv2.GaussianBlur(coarse, (0, 0), 1) / _LIGHT, 0, 1)
    detail = coarse - cv2.GaussianBlur(coarse, (0, 0), 1)
    structure = np.minimum(1 + 0.05 * np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), 2)), 1.25)
    share: Plane = cv2.resize((light * structure).astype(np.float32), (GRID, GRID), interpolation=cv2.INTER_LINEAR)
    return share


def _face_share(faces: Sequence[FaceBox], width: int, height: int) -> Plane:
    """(256, 256): FACE_SHARE on an ellipse a little larger than each face, 1 elsewhere, soft between."""
    share = np.ones((GRID, GRID), np.float32)
    for left, top, wide, high in faces:
        centre = (round((left + wide / 2) / width * GRID), round((top + high / 2) / height * GRID))
        axes = (max(1, round(wide * 0.55 / width * GRID)), max(1, round(high * 0.58 / height * GRID)))
        cv2.ellipse(share, centre, axes, 0, 0, 360, FACE_SHARE, -1)
    coarse = cv2.resize(share, (GRID // _COARSE, GRID // _COARSE), interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(coarse, (0, 0), 5 / _COARSE), (GRID, GRID), interpolation=cv2.INTER_LINEAR)


def _strength(luminance: Plane, delta: Plane) -> float:
    """The factor of `delta` at which the frame keeps LOWEST_PSNR and LOWEST_SSIM.

    SSIM of a picture and the same with something added that does not depend on it: (2 s + C2) / (2 s + d + C2) where s
    and d are the local variances of both; its mean over the picture falls as the factor grows, and is solved for by
    halving.
    """
    power = float(np.mean(delta * delta))
    if power == 0:
        return 0.0
    by_psnr: float = 255 / 10 ** (LOWEST_PSNR / 20) / power**0.5
    sampled, added = _sample(luminance), _sample(delta)
    base, cost = 2 * _variance(sampled) + _C2, _variance(added)
    kept = base / (base + 1 / 12)  # 1/12: the variance of rounding to whole grey levels
    low, high = 0.0, min(by_psnr, STRONGEST)
    if float(np.mean(kept * base / (base + high * high * cost))) >= LOWEST_SSIM:
        return high
    for _ in range(8):
        middle = (low + high) / 2
        low, high = (
            (middle, high)
            if float(np.mean(kept * base / (base + middle * middle * cost))) >= LOWEST_SSIM
            else (low, middle)
        )
    return low


def _variance(picture: Plane) -> Plane:
    """Under SSIM's Gaussian window of standard deviation 1.5, every second pixel."""
    mean = cv2.GaussianBlur(picture, (11, 11), 1.5)
    return np.maximum(cv2.GaussianBlur(picture * picture, (11, 11), 1.5) - mean * mean, 0)[::2, ::2]


def _sample(picture: Plane) -> Plane:
    """The picture itself, or 64 tiles of a large one side by side, (256, 256)."""
    height, width = picture.shape
    side = _TILE * _TILES
    if height <= side or width <= side:
        return picture
    rows, columns = (
        (np.linspace(0, length - _TILE, _TILES).astype(int)[:, None] + np.arange(_TILE)).reshape(-1)
        for length in (height, width)
    )
    return picture[np.ix_(rows, columns)]
