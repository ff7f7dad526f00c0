"""The face that acts: the canonical one, which is nobody's. In: what each part does. Out: its 68 points in space.

Where points go was set by hand, after what trackers of faces show of people who talk and smile. x is right, y down, z
away from the camera; lengths are heights of the face, from between the eyes to the chin, unless said otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generator.acting.bearing import Bearing
from generator.acting.curves import Track
from generator.motion.eyes import LIDS
from generator.motion.retarget import canonical_depth, canonical_face

Points = NDArray[np.float64]
_PIVOT = np.array([0.0, 0.55, 0.55])  # where a head turns, on the neck; units of the canonical face
# by how much points go per unit: (x, y, z), for the left half and the middle; the right half mirrors
_OPENS = {
    48: (0.03, 0.30, 0.05), 60: (0.05, 0.33, 0.06), 49: (0.0, -0.02, 0.0), 50: (0.0, -0.05, 0.0), 51: (0.0, -0.06, 0.0),
    61: (0.01, -0.05, 0.0), 62: (0.0, -0.06, 0.0), 67: (-0.02, 0.94, 0.14), 66: (0.0, 0.95, 0.14),
    59: (-0.06, 0.92, 0.14), 58: (-0.04, 1.00, 0.15), 57: (0.0, 1.02, 0.15),
}  # fmt: skip
_DROPS = {
    8: (0.0, 0.62, 0.16),
    7: (0.03, 0.46, 0.12),
    6: (0.06, 0.26, 0.07),
    5: (0.06, 0.10, 0.03),
    4: (0.03, 0.02, 0.0),
}
_SPREADS = {  # per 1 of spread
    48: (-0.036, -0.008, 0.012), 60: (-0.034, -0.007, 0.012), 49: (-0.018, -0.003, 0.006), 59: (-0.018, -0.004, 0.006),
    50: (-0.008, 0.0, 0.0), 58: (-0.008, -0.002, 0.0), 61: (-0.010, 0.0, 0.0), 67: (-0.010, 0.0, 0.0),
}  # fmt: skip
_ROUNDS = {
    48: (0.038, 0.002, -0.016), 60: (0.040, 0.002, -0.016), 49: (0.020, -0.005, -0.028), 59: (0.020, 0.005, -0.028),
    50: (0.008, -0.008, -0.035), 58: (0.009, 0.008, -0.035), 51: (0.0, -0.007, -0.036), 57: (0.0, 0.010, -0.036),
    61: (0.009, 0.0, -0.031), 67: (0.009, 0.0, -0.031), 62: (0.0, 0.0, -0.033), 66: (0.0, 0.0, -0.033),
}  # fmt: skip
_PRESSES = {
    50: (0.0, 0.010, 0.008), 51: (0.0, 0.010, 0.008), 49: (0.002, 0.005, 0.004), 57: (0.0, -0.014, 0.008),
    58: (0.0, -0.012, 0.008), 59: (0.0, -0.006, 0.004),
}  # fmt: skip
_SMILES = {  # the corners go out and up, the cheeks widen the nose and lift the lower lids, the lips are drawn flat
    48: (-0.072, -0.056, 0.034), 60: (-0.068, -0.050, 0.032), 49: (-0.042, -0.026, 0.016), 59: (-0.034, -0.032, 0.016),
    50: (-0.022, -0.012, 0.008), 58: (-0.016, -0.028, 0.008), 51: (0.0, -0.008, 0.006), 57: (0.0, -0.026, 0.006),
    61: (-0.026, -0.022, 0.010), 67: (-0.022, -0.022, 0.010), 62: (0.0, -0.020, 0.008), 66: (0.0, -0.020, 0.008),
    31: (-0.024, -0.014, 0.0), 32: (-0.010, -0.006, 0.0), 3: (-0.008, 0.0, 0.0), 4: (-0.014, -0.002, 0.0),
    5: (-0.014, -0.004, 0.0), 6: (-0.008, -0.004, 0.0), 41: (0.0, -0.006, 0.0), 40: (0.0, -0.006, 0.0),
}  # fmt: skip
_RAISES = {
    17: (0.0, -0.018, 0.0), 18: (0.0, -0.044, 0.0), 19: (0.0, -0.058, 0.0), 20: (0.0, -0.058, 0.0),
    21: (0.0, -0.050, 0.0),
}  # fmt: skip
_MIRROR = np.array(
    [*range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31, 45, 44, 43, 42, 47, 46, 39, 38, 37, 36,
     41, 40, 54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]
)  # fmt: skip
_HEIGHT = 0.709  # of the canonical face, in its units


@dataclass(frozen=True)
class Expression:
    """Tracks (F,). opening, jaw: heights of the face by which lips and jaw part; spread, rounding, pressing: 0 to 1;
    smile: (F, 2), of the left and the right half of the picture, 0 to 1 and a little more; brows: (F, 2), -1 to 1;
    lids: 1 as open as usual.
    """

    opening: Track
    jaw: Track
    spread: Track
    rounding: Track
    pressing: Track
    smile: Points
    brows: Points
    lids: Track


def pose_face(expression: Expression, bearing: Bearing) -> Points:
    """(F, 68, 3): the canonical face with `expression`, turned as `bearing` says; units of `canonical_face`."""
    rest = np.column_stack([canonical_face(), canonical_depth()]).astype(np.float64)
    away = _both(_OPENS, expression.opening) + _both(_DROPS, expression.jaw) + _both(_PRESSES, expression.pressing)
    away = away + _both(_SPREADS, expression.spread) + _both(_ROUNDS, expression.rounding)
    for side in (0, 1):
        away = away + _half(_SMILES, expression.smile[:, side], side) + _half(_RAISES, expression.brows[:, side], side)
    points = rest[None] + _HEIGHT * away
    for eye in LIDS:
        for upper, lower in eye:
            middle, half = (rest[upper] + rest[lower]) / 2, (rest[lower] - rest[upper]) / 2
            middle = middle[None] + _HEIGHT * (away[:, upper] + away[:, lower]) / 2
            half = expression.lids[:, None] * half[None]
            points[:, upper], points[:, lower] = middle - half, middle + half
    turned = np.einsum("fpc,fdc->fpd", points - _PIVOT, rotations(bearing)) + _PIVOT
    turned[..., 1] -= _HEIGHT * bearing.rise[:, None]
    return np.asarray(turned)


def rotations(bearing: Bearing) -> Points:
    """(F, 3, 3): nodded first, then turned, then tilted."""
    yaw, pitch, roll = (np.radians(angle) for angle in (bearing.yaw, bearing.pitch, bearing.roll))
    zero, one = np.zeros(len(yaw)), np.ones(len(yaw))
    nod = _matrices([one, zero, zero], [zero, np.cos(pitch), -np.sin(pitch)], [zero, np.sin(pitch), np.cos(pitch)])
    turn = _matrices([np.cos(yaw), zero, -np.sin(yaw)], [zero, one, zero], [np.sin(yaw), zero, np.cos(yaw)])
    tilt = _matrices([np.cos(roll), -np.sin(roll), zero], [np.sin(roll), np.cos(roll), zero], [zero, zero, one])
    return np.asarray(tilt @ turn @ nod)


def _matrices(*rows: list[Track]) -> Points:
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _half(table: dict[int, tuple[float, float, float]], amount: Track, side: int) -> Points:
    """(F, 68, 3): what `amount` of `table` does to the left (0) or right half; half of it to what lies between."""
    goes = np.zeros((68, 3))
    for point, way in table.items():
        own = int(_MIRROR[point]) if side else point
        share = 0.5 if _MIRROR[point] == point else 1.0
        goes[own] = share * np.array(way) * ((-1, 1, 1) if side else (1, 1, 1))
    return np.asarray(amount[:, None, None] * goes[None])


def _both(table: dict[int, tuple[float, float, float]], amount: Track) -> Points:
    return _half(table, amount, 0) + _half(table, amount, 1)
