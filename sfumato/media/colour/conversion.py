"""A picture in the colours that its file states, to sRGB. In: a Pillow picture of 8 bits a channel, a `Statement`. Out:
the picture in sRGB, its transparency kept, and a note if the statement was not followed.

LittleCMS does it for every mode alike; a profile that it does not take, or that is for another kind of picture, is left
out, as browsers do.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from sfumato.media.colour.statement import Statement

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage
    from PIL.ImageCms import ImageCmsProfile

_PLAIN = {"RGBX": "RGB", "YCbCr": "RGB", "HSV": "RGB", "RGBa": "RGBA", "La": "LA", "PA": "RGBA"}
_SPACES = {"RGB": "RGB", "RGBA": "RGB", "L": "grey", "LA": "grey", "CMYK": "CMYK"}


def to_srgb(picture: PillowImage, stated: Statement) -> tuple[PillowImage, str]:
    """Returns the picture, in RGB or RGBA if it was converted, and the note, "" for none."""
    if picture.mode == "LAB":  # a space of its own, whatever a profile says
        return _lab(picture), ""
    if stated.profile is None:
        return picture, stated.note
    if picture.mode == "P":
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    elif picture.mode in _PLAIN:
        picture = picture.convert(_PLAIN[picture.mode])
    space = _SPACES.get(picture.mode)
    if space is None:  # black and white
        return picture, ""
    if space == "grey" and stated.space == "RGB":  # as browsers read it: equal parts of red, green and blue
        picture = picture.convert("RGBA" if picture.mode == "LA" else "RGB")
    elif space != stated.space:
        return picture, f"its colour profile is for {stated.space} pictures, and this one is {space}"
    return _converted(picture, stated.profile)


def _converted(picture: PillowImage, profile: bytes) -> tuple[PillowImage, str]:
    from PIL import ImageCms

    alpha = picture.getchannel("A") if picture.mode == "LA" else None
    colours = picture if alpha is None else picture.getchannel("L")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = "RGBA" if picture.mode == "RGBA" else "RGB"  # LittleCMS copies the alpha of RGBA, and of nothing else
        converted = ImageCms.ImageCmsTransform(source, _target(), colours.mode, mode).apply(colours)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture, "its colour profile is damaged"
    if alpha is not None:
        converted.putalpha(alpha)
    return converted, ""


def _lab(picture: PillowImage) -> PillowImage:
    from PIL import ImageCms

    source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    return ImageCms.ImageCmsTransform(source, _target(), "LAB", "RGB").apply(picture)


def _target() -> ImageCmsProfile:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
