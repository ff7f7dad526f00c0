"""What lies among footage that is taken to be real, and is known not to be: paintings, and what an algorithm made.

In: a file, and how a list calls it. Out: why it is no real; "" where nothing is known against it. Known are

* rows that a list calls painted or drawn;
* files whose credential declares a source other than a camera, of themselves or of what they were made from, or an edit
  without a camera behind it; whoever signed it and even where it does not hold any more: nobody gains by saying so of a
  real;
* the shipped paintings: the files, and what looks like them, whole or around the face, however it was scaled, cut,
  turned over or encoded, in a picture or in a video's first frame;
* videos that carry this program's watermark, which outlives a lost credential.

A painting or a fake that does not say what it is cannot be noticed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from sfumato.app.scan.verdict import CAPTURED, EDITED, SYNTHETIC
from sfumato.errors import MediaError
from sfumato.limits import FRAME_PIXELS

if TYPE_CHECKING:
    from detector.datasets.sample import Sample
    from provenance.durable.fingerprint import Fingerprint
    from provenance.verifying.verification import Verification
    from sfumato.app.animation.gallery import ShippedPortrait
    from sfumato.media.faces import FaceDetector, Image

# digitalSourceTypes without a camera in them, beside those that `scan` calls synthetic or edited by AI
DRAWN = frozenset({"digitalArt", "digitalCreation", "softwareImage", "dataDrivenMedia"})
DRAWN_METHODS = frozenset(
    {"painting", "drawing", "illustration", "sketch", "print", "engraving", "cartoon", "animation", "rendering", "cgi"}
)
_FRAMES = 8  # of a video that are looked at for a watermark: all frames carry it
_FACE_SIDE = 128  # px of the square around a face: twice what a fingerprint is made of


def without_drawn(samples: Iterable[Sample]) -> tuple[list[Sample], list[tuple[str, str]]]:
    """Those that their list takes for footage, and (name, why) of those that it calls painted or drawn."""
    kept: list[Sample] = []
    drawn: list[tuple[str, str]] = []
    for sample in samples:
        if sample.method.lower() in DRAWN_METHODS:
            drawn.append((sample.video_id, f"no photograph: the list calls it {sample.method}"))
        else:
            kept.append(sample)
    return kept, drawn


def without_unreal(
    samples: Iterable[Sample], advance: Callable[[float], None] = lambda amount: None
) -> tuple[list[Sample], list[tuple[str, str]]]:
    """Those that nothing is known against, and (name, why) of the others. `advance` gets 1 a file."""
    kept: list[Sample] = []
    refused: list[tuple[str, str]] = []
    for sample in samples:
        why = why_unreal(sample.path)
        if why:
            refused.append((sample.video_id, why))
        else:
            kept.append(sample)
        advance(1)
    return kept, refused


def why_unreal(path: Path) -> str:
    """Why a file is no real by what it is, says or shows; "" where nothing is known against it."""
    from provenance.verifying.verify import verify
    from sfumato.app.animation.gallery import PortraitFile

    if not path.is_file():  # a folder of frames, or nothing: whoever reads it says so
        return ""
    try:
        shipped = PortraitFile(path).shipped
    except MediaError:
        return ""
    if shipped is not None:
        return _painting(shipped)
    return _against(verify(path)) or _shown(path)


def _painting(shipped: ShippedPortrait) -> str:
    return f"a painting, no photograph: {shipped.title} by {shipped.painter}, which comes with sfumato"


def _shown(path: Path) -> str:
    """What its pictures show that a real's would not. "" for a file that cannot be read: whoever judges it says so."""
    from provenance.watermark.detect import SpreadReader
    from sfumato.execution.find_files import is_picture
    from sfumato.media.images import read_image
    from sfumato.media.video import VideoReader

    try:
        if is_picture(path):
            return _looks_painted(read_image(path, max_pixels=FRAME_PIXELS.most))
        mark, why = SpreadReader(), ""
        with VideoReader(path) as reader:
            for number, frame in enumerate(islice(reader, _FRAMES)):
                why = why or (_looks_painted(frame.image) if number == 0 else "")
                mark.add(frame.image)
        return why or ("it carries the watermark of what sfumato made" if mark.read(cut=False).detected else "")
    except (MediaError, ValueError):
        return ""


def _looks_painted(image: Image) -> str:
    """Whether the picture, or what is around its largest face, is nearly that of a shipped painting."""
    from provenance.durable.fingerprint import THRESHOLD, distance

    looks = _looks(image)
    for portrait, known in _painted():
        if any(distance(theirs, ours) <= THRESHOLD for theirs, ours in zip(known, looks, strict=False)):
            return f"nearly the picture of {_painting(portrait)}"
    return ""


@cache
def _painted() -> list[tuple[ShippedPortrait, list[Fingerprint]]]:
    from sfumato.app.animation.gallery import shipped_portraits
    from sfumato.media.images import read_image

    return [(portrait, _looks(read_image(portrait.path))) for portrait in shipped_portraits().values()]


def _looks(image: Image) -> list[Fingerprint]:
    """Fingerprints of the whole picture and, if it shows a face, of the square around the largest."""
    from provenance.durable.fingerprint import FingerprintBuilder
    from sfumato.media.faces import crop_around

    views = [image]
    if faces := _face_detector().detect(image):
        views.append(crop_around(faces[0].box).apply(image, _FACE_SIDE))
    found = []
    for view in views:
        builder = FingerprintBuilder()
        builder.add(view, 0.0)
        found.append(builder.done())
    return found


@cache
def _face_detector() -> FaceDetector:
    from sfumato.media.faces import FaceDetector

    return FaceDetector()


def _against(found: Verification) -> str:
    """What its credential says that a real's would not."""
    said = f"its own credential ({found.outcome})"
    unreal = SYNTHETIC | EDITED | DRAWN
    if declared := sorted(set(found.declares) & unreal):
        return f"{said} declares it {', '.join(declared)}"
    if declared := sorted(set(found.ingredient_declares) & unreal):
        return f"{said} declares that it was made from {', '.join(declared)}"
    edited = any(part.relationship == "parentOf" and part.depth == 0 for part in found.ingredients)
    if edited and not CAPTURED & {*found.declares, *found.ingredient_declares}:
        return f"{said} says that it is an edit of another file, and names no camera"
    return ""
