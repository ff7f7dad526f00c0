"""What lies among footage that is taken to be real, and is known not to be: paintings, and what declares that an
algorithm made it.

In: a file, and how a list calls it. Out: why it is no real; "" where nothing is known against it. Known are the shipped
paintings by their content, rows that a list calls painted or drawn, and files whose credential declares a source other
than a camera, of themselves or of what they were made from, or an edit without a camera behind it; whoever signed it
and even where it does not hold any more: nobody gains by saying so of a real. A painting or a fake that does not say
what it is cannot be noticed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from sfumato.app.scan.verdict import CAPTURED, EDITED, SYNTHETIC
from sfumato.errors import MediaError

if TYPE_CHECKING:
    from detector.datasets.sample import Sample
    from provenance.verifying.verification import Verification

# digitalSourceTypes without a camera in them, beside those that `scan` calls synthetic or edited by AI
DRAWN = frozenset({"digitalArt", "digitalCreation", "softwareImage", "dataDrivenMedia"})
DRAWN_METHODS = frozenset(
    {"painting", "drawing", "illustration", "sketch", "print", "engraving", "cartoon", "animation", "rendering", "cgi"}
)


def without_unreal(
    samples: Iterable[Sample], advance: Callable[[float], None] = lambda amount: None
) -> tuple[list[Sample], list[tuple[str, str]]]:
    """Those that nothing is known against, and (name, why) of the others. `advance` gets 1 a file."""
    kept: list[Sample] = []
    refused: list[tuple[str, str]] = []
    for sample in samples:
        why = why_unreal(sample.path, sample.method)
        if why:
            refused.append((sample.video_id, why))
        else:
            kept.append(sample)
        advance(1)
    return kept, refused


def why_unreal(path: Path, method: str = "camera") -> str:
    """Why a file is no real, "" where nothing is known against it. `method`: what a list calls it."""
    from provenance.verifying.verify import verify
    from sfumato.app.animation.gallery import PortraitFile

    if method.lower() in DRAWN_METHODS:
        return f"no photograph: the list calls it {method}"
    if not path.is_file():  # a folder of frames, or nothing: whoever reads it says so
        return ""
    try:
        shipped = PortraitFile(path).shipped
    except MediaError:
        return ""
    if shipped is not None:
        return f"a painting, no photograph: {shipped.title} by {shipped.painter}, which comes with sfumato"
    return _against(verify(path))


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
