"""Pictures in colour spaces of their own, by published matrices and curves and not by the code that they test.

`from tests.colour_fixtures import in_space`: a picture in sRGB in, the numbers of a wider space out.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
# Linear sRGB to linear Display P3 (css-color-4, 10.4) and Adobe RGB (Adobe RGB (1998) Color Image Encoding, 4.3.6.2).
_FROM_SRGB = {
    "Display P3": [[0.8224621, 0.1775380, 0.0], [0.0331941, 0.9668058, 0.0], [0.0170827, 0.0723974, 0.9105199]],
    "Adobe RGB": [[0.7151256, 0.2848744, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0411619, 0.9588381]],
    "linear": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
}


def muted(height: int = 40, width: int = 60) -> Image:
    """(height, width, 3): soft colours, all of them inside every space, none so dark that eight bits lose it."""
    y, x = np.mgrid[0:height, 0:width]
    red, green = 70 + x * 120 // width, 80 + y * 110 // height
    return np.stack([red, green, (red + green) // 2 - 20 + (x + y) % 30], axis=-1).astype(np.uint8)


def in_space(image: Image, space: str, full: int = 255) -> NDArray[np.uint16]:
    """The same colours as numbers of `space`, 0 to `full`."""
    values = image / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ np.array(_FROM_SRGB[space]).T, 0, 1)
    if space == "Adobe RGB":
        coded = linear ** (256 / 563)
    elif space == "Display P3":
        coded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    else:
        coded = linear
    return (coded * full).round().astype(np.uint16)


def grey_profile(gamma: float) -> bytes:
    """Of a grey scanner whose numbers are light to the power of 1/gamma."""
    curve = b"curv" + struct.pack(">IIH", 0, 1, round(gamma * 256))
    white = b"XYZ " + struct.pack(">I3i", 0, 63190, 65536, 54061)
    return _profile(b"scnr", b"GRAY", b"XYZ ", {b"wtpt": white, b"kTRC": curve})


def cmyk_profile(ink: Image) -> bytes:
    """Of a printer whose cyan ink has the colour `ink` (3,) in sRGB; everything else, also paper, is black or white."""
    white = b"XYZ " + struct.pack(">I3i", 0, 63190, 65536, 54061)
    lab = _lab(ink)
    nodes = bytearray()
    for place in range(16):  # two steps an ink: cyan, magenta, yellow, black, the last one fastest
        cyan, others = place & 8, place & 7
        nodes += bytes([255, 128, 128]) if not place else bytes(lab) if cyan and not others else bytes([0, 128, 128])
    unity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    ramp = bytes(range(256))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + unity + ramp * 4 + bytes(nodes) + ramp * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"wtpt": white, b"A2B0": table})


def with_chunk(source: Path, destination: Path, name: bytes, data: bytes) -> Path:
    """A PNG with one chunk more, before its pixels."""
    original = source.read_bytes()
    chunk = struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    destination.write_bytes(original[:33] + chunk + original[33:])  # 33: the signature and IHDR
    return destination


def iccp(profile: bytes) -> bytes:
    """What an iCCP chunk holds."""
    return b"profile\0\0" + zlib.compress(profile)


def write_sixteen_bits(path: Path, image: NDArray[np.uint16]) -> Path:
    """(H, W, 3) as a PNG of 16 bits."""
    cv2.imwrite(str(path), np.ascontiguousarray(image[..., ::-1]))
    return path


def _lab(colour: Image) -> tuple[int, int, int]:
    """The Lab of an sRGB colour, as a profile's table of eight bits has it, for D50."""
    values = colour / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    to_d50 = [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
    x, y, z = np.cbrt(np.array(to_d50) @ linear / np.array([0.9642, 1.0, 0.8249]))
    return round((116 * y - 16) * 2.55), round(500 * (x - y)) + 128, round(200 * (y - z)) + 128


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Version 2.4, with a description that nobody reads."""
    words = b"desc" + struct.pack(">II", 0, 5) + b"test\0" + bytes(78)
    every = {b"desc": words, b"cprt": b"text" + bytes(4) + b"none\0"} | tags
    table, body = struct.pack(">I", len(every)), b""
    for name, data in every.items():
        table += struct.pack(">4sII", name, 128 + 4 + 12 * len(every) + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(">I4xI4s4s4s", 128 + len(table) + len(body), 0x02400000, kind, space, connection)
    header += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + table + body
