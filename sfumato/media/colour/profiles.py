"""ICC profiles as bytes, for files that state their colours by chromaticities and a curve and not by a profile.

In: the white point and the three primaries (x, y), and a curve. Out: a matrix profile (ICC.1:2010, version 4), which
LittleCMS takes like any other. Colorants are adapted to D50 by the Bradford matrix, as the standard asks for.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Curve = tuple[float, ...]  # parameters of an ICC parametric curve: g alone, or g, a, b, c, d
SRGB_CURVE: Curve = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_D50 = (0.9642, 1.0, 0.8249)
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


@dataclass(frozen=True)
class Primaries:
    """(x, y) of white and of full red, green and blue. Raises ValueError where they span no colours."""

    white: tuple[float, float]
    red: tuple[float, float]
    green: tuple[float, float]
    blue: tuple[float, float]

    def __post_init__(self) -> None:
        points = np.array([self.red, self.green, self.blue, self.white])
        if not ((points > -0.5) & (points < 1.5)).all() or (points[:, 1] == 0).any():
            raise ValueError("chromaticities out of range")
        (a, b), (c, d) = points[1] - points[0], points[2] - points[0]
        if abs(a * d - b * c) < 1e-3:
            raise ValueError("the primaries lie on one line")

    def colorants(self) -> NDArray[np.float64]:
        """(3, 3): the columns are XYZ of red, green and blue, adapted to D50."""
        columns = np.stack([_xyz(point) for point in (self.red, self.green, self.blue)], axis=1)  # (3, 3)
        white = _xyz(self.white)
        own = columns * np.linalg.solve(columns, white)
        scale = (_BRADFORD @ np.array(_D50)) / (_BRADFORD @ white)
        return np.asarray(np.linalg.inv(_BRADFORD) @ np.diag(scale) @ _BRADFORD @ own)


_D65 = (0.3127, 0.3290)
BT709 = Primaries(_D65, (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
BT601_625 = Primaries(_D65, (0.64, 0.33), (0.29, 0.60), (0.15, 0.06))
BT601_525 = Primaries(_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070))
BT2020 = Primaries(_D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
DISPLAY_P3 = Primaries(_D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
DCI_P3 = Primaries((0.314, 0.351), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
ADOBE_RGB = Primaries(_D65, (0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
ADOBE_CURVE: Curve = (563 / 256,)


def matrix_profile(primaries: Primaries, curve: Curve) -> bytes:
    """The profile of a display with these primaries and this curve."""
    columns = primaries.colorants()
    text = "sfumato".encode("utf-16-be")
    words = b"mluc" + struct.pack(">IIIHHII", 0, 1, 12, 0x656E, 0x5553, len(text), 28) + text
    tags = {
        b"desc": words,
        b"cprt": words,
        b"wtpt": _xyz_tag(_D50),
        b"rXYZ": _xyz_tag(columns[:, 0]),
        b"gXYZ": _xyz_tag(columns[:, 1]),
        b"bXYZ": _xyz_tag(columns[:, 2]),
    } | dict.fromkeys([b"rTRC", b"gTRC", b"bTRC"], _curve_tag(curve))
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        padded = data + bytes(-len(data) % 4)
        table += struct.pack(">4sII", name, 128 + 4 + 12 * len(tags) + len(body), len(data))
        body += padded
    header = struct.pack(">I4xI4s4s4s", 128 + len(table) + len(body), 0x04300000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _fixed(_D50)
    return header.ljust(128, b"\0") + table + body


def _xyz(point: tuple[float, float]) -> NDArray[np.float64]:
    x, y = point
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _fixed(values: tuple[float, ...] | NDArray[np.float64]) -> bytes:
    """s15Fixed16 numbers."""
    return struct.pack(f">{len(values)}i", *(round(float(value) * 65536) for value in values))


def _xyz_tag(values: tuple[float, ...] | NDArray[np.float64]) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(values)


def _curve_tag(curve: Curve) -> bytes:
    return b"para" + struct.pack(">IHH", 0, {1: 0, 5: 3}[len(curve)], 0) + _fixed(curve)
