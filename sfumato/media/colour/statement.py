"""What a picture file says about its colours. In: an opened Pillow picture and its path. Out: a `Statement`.

In the order of who is believed: a PNG's cICP, an ICC profile, a PNG's sRGB chunk, its gAMA and cHRM (PNG third edition,
4.3), the nclx box of AVIF and HEIC (ISO/IEC 23008-12: a profile goes before it), and Exif's interoperability index R03,
by which cameras say Adobe RGB (DCF 2.0). Nothing said is sRGB.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfumato.media.colour import png_chunks, profiles
from sfumato.media.colour.png_chunks import LARGEST_PROFILE
from sfumato.media.colour.profiles import SRGB_CURVE, Curve, Primaries, matrix_profile

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

_BOXES = 1 << 16  # bytes of an AVIF in which its colour box is looked for
_SPACES = {b"RGB ": "RGB", b"GRAY": "grey", b"CMYK": "CMYK"}
_CLASSES = (b"mntr", b"scnr", b"prtr", b"spac")  # of profiles that say what a picture's numbers mean
# By their numbers in ITU-T H.273. Its curves for television (1, 6, 14, 15) are read as sRGB's, as browsers do.
_CICP_PRIMARIES = {
    1: profiles.BT709,
    5: profiles.BT601_625,
    6: profiles.BT601_525,
    7: profiles.BT601_525,
    9: profiles.BT2020,
    11: profiles.DCI_P3,
    12: profiles.DISPLAY_P3,
}
_CICP_CURVES: dict[int, Curve] = dict.fromkeys([1, 6, 13, 14, 15], SRGB_CURVE) | {4: (2.2,), 5: (2.8,), 8: (1.0,)}
_HDR = {16: "PQ", 18: "HLG"}


@dataclass(frozen=True)
class Statement:
    """profile: ICC bytes, None for sRGB; space: what they are for, RGB, grey or CMYK; note: why what the file says is
    not followed, "" if it is.
    """

    profile: bytes | None = None
    space: str = "RGB"
    note: str = ""


def stated_colours(picture: PillowImage, path: Path) -> Statement:
    """Call it before the picture is turned or converted: Pillow keeps what it knows with the first picture only."""
    info = picture.info
    if picture.format == "PNG":
        code, profile = png_chunks.chunk(path, b"cICP"), png_chunks.unpacked_profile(path)
        if code is not None and len(code) >= 2:
            return _by_numbers(code[0], code[1])
        return _by_profile(profile) if profile is not None else _by_chunks(info)
    if profile := info.get("icc_profile"):
        return _by_profile(bytes(profile))
    if picture.format in ("AVIF", "HEIF"):
        numbers = _nclx(info, path)
        return _by_numbers(*numbers) if numbers else Statement()
    return _by_exif(picture) if picture.format in ("JPEG", "MPO") else Statement()


def _by_profile(profile: bytes) -> Statement:
    if len(profile) > LARGEST_PROFILE:
        return Statement(note=f"its colour profile has more than {LARGEST_PROFILE >> 20} MB")
    space = _SPACES.get(profile[16:20], "")
    if len(profile) < 128 or profile[36:40] != b"acsp" or int.from_bytes(profile[:4], "big") > len(profile):
        return Statement(note="its colour profile is damaged")
    if not space or profile[12:16] not in _CLASSES:
        return Statement(note="its colour profile is of a kind that no picture has")
    return Statement(profile, space)


def _by_numbers(primaries: int, transfer: int) -> Statement:
    if transfer in _HDR:
        return Statement(note=f"its brightness is coded as {_HDR[transfer]} (HDR), which is not tone-mapped")
    own, curve = _CICP_PRIMARIES.get(primaries), _CICP_CURVES.get(transfer)
    if own is None and curve is None:
        return Statement()
    return _made(own or profiles.BT709, curve or SRGB_CURVE)


def _by_chunks(info: dict[Any, Any]) -> Statement:
    """A gAMA within a twentieth of 1/2.2 is sRGB's curve (libpng's own threshold): that is how encoders write sRGB for
    readers that do not know the sRGB chunk.
    """
    if "srgb" in info or not ("gamma" in info or "chromaticity" in info):
        return Statement()
    gamma = float(info.get("gamma", 0))
    curve: Curve = SRGB_CURVE if gamma == 0 or abs(2.2 * gamma - 1) <= 0.05 else (1 / gamma,)
    try:
        if not 0.1 <= curve[0] <= 10:
            raise ValueError("gamma out of range")
        points = info.get("chromaticity")
        return _made(Primaries(points[:2], points[2:4], points[4:6], points[6:8]) if points else profiles.BT709, curve)
    except (ValueError, ArithmeticError):
        return Statement(note="its gAMA or cHRM chunk makes no sense")


def _made(primaries: Primaries, curve: Curve) -> Statement:
    near = all(
        abs(a - b) < 0.002
        for point, other in zip(vars(primaries).values(), vars(profiles.BT709).values(), strict=True)
        for a, b in zip(point, other, strict=True)
    )
    return Statement() if near and curve == SRGB_CURVE else Statement(matrix_profile(primaries, curve))


def _by_exif(picture: PillowImage) -> Statement:
    try:
        index = picture.getexif().get_ifd(0xA005).get(1)
    except Exception:  # Exif may hold anything, and fails in as many ways; the picture is good without it
        return Statement()
    adobe = isinstance(index, str) and index.rstrip("\0 ") == "R03"
    return _made(profiles.ADOBE_RGB, profiles.ADOBE_CURVE) if adobe else Statement()


def _nclx(info: dict[Any, Any], path: Path) -> tuple[int, int] | None:
    """(primaries, transfer). The HEIF reader tells them; Pillow keeps an AVIF's to itself."""
    if told := info.get("nclx_profile"):
        return int(told["color_primaries"]), int(told["transfer_characteristics"])
    with path.open("rb") as file:
        head = file.read(_BOXES)
    place = head.find(b"colrnclx")
    if place < 0 or place + 12 > len(head):
        return None
    primaries, transfer = struct.unpack_from(">HH", head, place + 8)
    return primaries, transfer
