"""Pictures in and out: a file to an HWC uint8 RGB array and back. No torch: `sfumato.media.tensors` goes on from there.

Pillow reads them and not OpenCV: it knows EXIF orientation, colour profiles, CMYK, palettes and animations, lets the
accepted formats be listed, and tells a picture's size before it decodes a pixel.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sfumato.atomic import atomic_path
from sfumato.errors import MediaError, OutputError
from sfumato.limits import PICTURE_PIXELS, shown
from sfumato.media.picture_size import hold_picture
from sfumato.regular_file import open_regular
from sfumato.structure import hold_structure

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

# No format whose reader runs another program (EPS).
READABLE_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "JPEG2000", "PPM", "MPO", "TGA")
WRITABLE = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
_ADVICE = "Use a JPEG, PNG, WebP, TIFF, GIF, BMP or AVIF picture."


def read_image(path: Path, *, max_side: int | None = None) -> NDArray[np.uint8]:
    """Reads a picture as (H, W, 3) uint8 RGB in sRGB, upright.

    EXIF orientation is applied, transparency is laid over white, 16-bit and CMYK pictures are converted, an animation
    gives its first frame. With `max_side`, a picture whose longer side exceeds it is downsized to it (a JPEG while it
    is being decoded). Raises MediaError: missing, a folder, empty, not a picture, damaged, or more than
    its limits (docs/limits.md).
    """
    from PIL import Image, UnidentifiedImageError

    _check_file(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns from 89 megapixels on; the limit is ours and stands below
            with Image.open(path, formats=_formats(Image)) as picture:
                hold_picture(path, picture)
                if max_side is not None and picture.format == "JPEG":
                    picture.draft(None, (max_side, max_side))  # decodes at 1/2, 1/4 or 1/8, never below max_side
                picture.load()
                return _to_rgb(picture, max_side)
    except MediaError:
        raise
    except UnidentifiedImageError as error:
        raise MediaError(f"{path} is not a picture", _ADVICE) from error
    except Image.DecompressionBombError as error:
        raise MediaError(
            f"{path} is too large: more than {shown(PICTURE_PIXELS.most, 'pixels')}", "Downsize it first."
        ) from error
    except (
        Exception
    ) as error:  # decoders raise anything on damaged bytes: OSError, ValueError, SyntaxError, struct.error, ...
        raise MediaError(
            f"{path} is damaged: {_first_line(error)}", "Export the picture again, or take another copy."
        ) from error


def write_image(path: Path, image: NDArray[np.uint8], *, quality: int = 95) -> None:
    """Writes (H, W, 3) uint8 RGB as PNG, JPEG or WebP, by the suffix, atomically. `quality` (1 to 100) is for JPEG and
    WebP.

    Raises OutputError for another suffix, a folder that cannot be written, a full disk; ValueError for another kind of
    array.
    """
    from PIL import Image

    kind = WRITABLE.get(path.suffix.lower())
    if kind is None:
        raise OutputError(
            f"Cannot write {path}: pictures are written as PNG, JPEG or WebP", "Name it .png, .jpg or .webp."
        )
    options: dict[str, Any] = {"JPEG": {"quality": quality, "subsampling": 0}, "WEBP": {"quality": quality}}.get(
        kind, {}
    )
    encoded = io.BytesIO()
    Image.fromarray(check_image(image)).save(encoded, format=kind, **options)
    with atomic_path(path) as temporary:
        temporary.write_bytes(encoded.getvalue())


def check_image(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns `image` unchanged if it is (H, W, 3) uint8 with H and W at least 1; raises ValueError otherwise."""
    if (
        not isinstance(image, np.ndarray)
        or image.dtype != np.uint8
        or image.ndim != 3
        or image.shape[2] != 3
        or 0 in image.shape
    ):
        seen = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ValueError(f"an image is a (H, W, 3) uint8 array, RGB; this is {seen}")
    return image


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise MediaError(f"{path} is a folder, not a picture", "Name one picture file.")
    if not path.exists():
        raise MediaError(f"{path} does not exist", "Check the name.")
    if not path.is_file():
        raise MediaError(f"{path} is not a regular file", "Name one picture file.")
    if path.stat().st_size == 0:
        raise MediaError(f"{path} is empty (0 bytes)", "Copy or download it again.")
    with open_regular(path) as file:
        hold_structure(file, path)


def _formats(image_module: Any) -> tuple[str, ...]:
    image_module.init()
    return tuple(name for name in READABLE_FORMATS if name in image_module.OPEN)  # AVIF is missing from some builds


def _to_rgb(picture: PillowImage, max_side: int | None) -> NDArray[np.uint8]:
    from PIL import Image, ImageOps

    ImageOps.exif_transpose(picture, in_place=True)  # else it would be held twice
    upright: PillowImage = picture
    if upright.mode.startswith("I") or upright.mode == "F":
        upright = Image.fromarray(_eight_bits(upright))
    if max_side is not None and max(upright.size) > max_side:
        scale = max_side / max(upright.size)
        size = (max(1, round(upright.width * scale)), max(1, round(upright.height * scale)))
        if upright.mode in ("P", "PA", "1"):
            upright = upright.convert("RGBA")  # palettes cannot be averaged
        upright = upright.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
        picture.close()  # frees its pixels, of which there may be half a gigabyte
    upright = _to_srgb(upright)
    if upright.mode != "RGB":
        transparent = upright.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in upright.info
        if transparent:
            layer = upright.convert("RGBA")
            upright = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
        upright = upright.convert("RGB")
    return np.array(upright, dtype=np.uint8)  # a copy: writable, and free of the file


def _eight_bits(picture: PillowImage) -> NDArray[np.uint8]:
    """Grey of 16 or 32 bits, or float in [0, 1], to 8 bits; some rows at a time: they take eight bytes a pixel."""
    step = max(1, 2**20 // picture.width)
    strips = [(0, top, picture.width, min(top + step, picture.height)) for top in range(0, picture.height, step)]
    top = max(float(np.nanmax(np.asarray(picture.crop(strip)), initial=0.0)) for strip in strips)
    full = 1.0 if 0 < top <= 1.0 else 255.0 if top <= 255.0 else 65535.0 if top <= 65535.0 else top
    exact = np.float32 if full <= 65535.0 else np.float64
    grey = np.empty((picture.height, picture.width), np.uint8)
    for strip in strips:
        values = np.nan_to_num(np.asarray(picture.crop(strip)).astype(exact), copy=False)
        values *= 255.0 / full
        grey[strip[1] : strip[3]] = np.rint(np.clip(values, 0, 255, out=values), out=values)
    return grey


def _to_srgb(picture: PillowImage) -> PillowImage:
    """Applies an embedded colour profile (phones: Display P3; print: CMYK); a broken profile is ignored, as browsers
    do.
    """
    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in ("RGB", "CMYK", "L"):
        return picture
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
    return picture if converted is None else converted


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
