"""Pictures in and out: a file to an HWC uint8 RGB array and back. No torch: `sfumato.media.tensors` goes on from there.

Pillow reads them and not OpenCV: it knows EXIF orientation, colour profiles, CMYK, palettes and animations, lets the
accepted formats be listed, and tells a picture's size before it decodes a pixel.
"""

from __future__ import annotations

import io
import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sfumato.atomic import atomic_path
from sfumato.errors import MediaError, OutputError
from sfumato.execution.file_kinds import file_kind
from sfumato.limits import FRAME_PIXELS, PICTURE_PIXELS, shown
from sfumato.media.colour import Statement, stated_colours, to_srgb
from sfumato.media.colour.png_chunks import without_large_profile
from sfumato.media.media_file import require_media_file
from sfumato.media.picture_size import hold_picture

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

WORKING_PIXELS = 4096 * 4096  # of a photograph in which faces are looked for and cut out; a panorama may be wide
# No format whose reader runs another program (EPS).
READABLE_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "HEIF", "JPEG2000", "PPM", "MPO", "TGA")
_NOT_READ = ("JPEG XL", "Photoshop", "OpenEXR", "camera raw")
WRITABLE = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
_ADVICE = "Use a JPEG, PNG, WebP, AVIF, HEIC, TIFF, GIF or BMP picture."


def read_image(path: Path, *, max_pixels: int | None = None, notes: list[str] | None = None) -> NDArray[np.uint8]:
    """Reads a picture as (H, W, 3) uint8 RGB in sRGB, upright, whatever its file is called.

    EXIF orientation is applied, and what the file says about its colours, in every mode; transparency is laid over
    white, 16-bit and CMYK pictures are converted, an animation gives its first frame. With `max_pixels`, a larger
    picture is downsized to about as many (a JPEG while it is being decoded). `notes` gets a sentence when the colours
    that the file states could not be followed: it is then read as sRGB. Raises MediaError: missing, a folder, empty,
    not a picture, of a format that is not read, damaged, or more than its limits (docs/limits.md).
    """
    from PIL import Image, UnidentifiedImageError

    require_media_file(path, "picture")
    _check_format(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns from 89 megapixels on; the limit is ours and stands below
            with Image.open(without_large_profile(path) or path, formats=_formats(Image)) as picture:
                hold_picture(path, picture)
                if max_pixels is not None and picture.format in ("JPEG", "MPO"):
                    picture.draft(None, _size_within(picture, max_pixels))  # decodes at 1/2, 1/4 or 1/8, never below
                picture.load()
                stated = stated_colours(picture, path)
                image, note = _to_rgb(picture, max_pixels, stated)
                if note and notes is not None:
                    notes.append(f"Read as sRGB: {note}.")
                return image
    except MediaError:
        raise
    except UnidentifiedImageError as error:
        found = file_kind(path)
        what = "a video, not a picture" if found is not None and found.kind == "video" else "not a picture"
        raise MediaError(f"{path} is {what}", _ADVICE) from error
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


def _check_format(path: Path) -> None:
    """Raises MediaError for pictures that are known, and not read; registers the reader of HEIC where it is needed."""
    found = file_kind(path)
    if found is None:
        return
    if found.name in _NOT_READ:
        raise MediaError(f"{path} is a {found.name} picture, which is not read", "Export it as JPEG, PNG or TIFF.")
    if found.name == "HEIC":
        try:
            import pi_heif
        except ImportError as error:
            raise MediaError(
                f"{path} is a HEIC picture, and pi-heif, which reads those, is not installed",
                "pip install pi-heif, or export the picture as JPEG.",
            ) from error
        pi_heif.register_heif_opener()


def _formats(image_module: Any) -> tuple[str, ...]:
    image_module.init()
    return tuple(name for name in READABLE_FORMATS if name in image_module.OPEN)  # AVIF is missing from some builds


def _size_within(picture: PillowImage, max_pixels: int) -> tuple[int, int]:
    """The picture's size, or one of its shape with about `max_pixels` pixels."""
    scale = min(1.0, math.sqrt(max_pixels / (picture.width * picture.height)))
    return max(1, round(picture.width * scale)), max(1, round(picture.height * scale))


def _to_rgb(picture: PillowImage, max_pixels: int | None, stated: Statement) -> tuple[NDArray[np.uint8], str]:
    from PIL import Image, ImageOps

    ImageOps.exif_transpose(picture, in_place=True)  # else it would be held twice
    upright: PillowImage = picture
    if upright.mode.startswith("I") or upright.mode == "F":
        upright = Image.fromarray(_eight_bits(upright))
    if "transparency" in upright.info and upright.mode in ("RGB", "L", "1"):
        upright = upright.convert("RGBA")  # the one colour that is transparent is known by its numbers in the file
    if max_pixels is not None and (size := _size_within(upright, max_pixels)) != upright.size:
        if upright.mode in ("P", "PA", "1"):
            upright = upright.convert("RGBA")  # palettes cannot be averaged
        huge = upright.width * upright.height > FRAME_PIXELS.most  # Lanczos takes seconds there
        filter_ = Image.Resampling.HAMMING if huge else Image.Resampling.LANCZOS
        upright = upright.resize(size, filter_, reducing_gap=3.0)
        picture.close()  # frees its pixels, of which there may be half a gigabyte
    upright, note = to_srgb(upright, stated)
    if upright.mode != "RGB":
        if upright.has_transparency_data:
            layer = upright.convert("RGBA")
            upright = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
        upright = upright.convert("RGB")
    return np.array(upright, dtype=np.uint8), note  # a copy: writable, and free of the file


def _eight_bits(picture: PillowImage) -> NDArray[np.uint8]:
    """Grey of 16 or 32 bits, or float in [0, 1], to 8 bits; some rows at a time: they take eight bytes a pixel."""
    step = max(1, 2**20 // picture.width)
    strips = [(0, top, picture.width, min(top + step, picture.height)) for top in range(0, picture.height, step)]
    if picture.mode in ("I", "I;16"):
        top = float(picture.getextrema()[1])  # type: ignore[arg-type]  # of one band
    else:
        top = max(float(np.nanmax(np.asarray(picture.crop(strip)), initial=0.0)) for strip in strips)
    full = 1.0 if 0 < top <= 1.0 else 255.0 if top <= 255.0 else 65535.0 if top <= 65535.0 else top
    exact = np.float32 if full <= 65535.0 else np.float64
    grey = np.empty((picture.height, picture.width), np.uint8)
    levels = np.arange(2**16, dtype=np.float32) * (255.0 / full)
    of_level = np.rint(np.minimum(levels, 255.0)).astype(np.uint8)
    for strip in strips:
        values = np.asarray(picture.crop(strip))
        if values.dtype == np.uint16:
            np.take(of_level, values, out=grey[strip[1] : strip[3]])  # a third of the time
            continue
        values = np.nan_to_num(values.astype(exact), copy=False)
        values *= 255.0 / full
        grey[strip[1] : strip[3]] = np.rint(np.clip(values, 0, 255, out=values), out=values)
    return grey


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
