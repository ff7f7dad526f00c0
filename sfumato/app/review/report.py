"""The demo's report: clips with their credentials, verdicts and timelines in, one self-contained page beside them out.

It is the page of `sfumato.app.review.run_report` with every clip told at once, under a heading of its own. Only the
videos and the contact sheet, which lie beside it, are opened.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from provenance.verifying.verification import Verification
from sfumato.app.review.heat_sheet import HeatRow, labels
from sfumato.app.review.marked import marked_jpeg
from sfumato.app.review.page_parts import address, data_address, render, shown, tone_of, verdict_rows
from sfumato.app.scan.record import CredentialFacts, ScanRecord
from sfumato.app.scan.verdict import EDITED, SYNTHETIC
from sfumato.atomic import write_text

_QUALITY = 86  # of a JPEG in the page
_NUMBERS = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
_LONGEST = 200  # characters of one fact that was sealed in


@dataclass(frozen=True)
class ReviewedClip:
    """One clip: its label, its file (beside the report), the evidence, what `sfumato scan` records of it and of its
    stripped copy, and the heat maps of one frame.
    """

    label: str
    path: Path
    verification: Verification
    scan: ScanRecord
    stripped: ScanRecord | None = None
    heat: HeatRow | None = None


@dataclass(frozen=True)
class Heading:
    """What stands at the top: the work, whose it is, a line about it, and its picture (H, W, 3) uint8 RGB."""

    title: str
    maker: str
    about: str
    picture: NDArray[np.uint8] | None = None


def write_report(
    path: Path, heading: Heading, clips: Sequence[ReviewedClip], contact_sheet: Path | None = None, seconds: float = 0.0
) -> None:
    """Writes the page at `path` atomically. Raises ValueError for a clip that does not lie beside it, OutputError."""
    for file in (*(clip.path for clip in clips), *([contact_sheet] if contact_sheet else [])):
        if file.resolve().parent != path.resolve().parent:
            raise ValueError(f"{file} does not lie beside {path}")
    write_text(path, render_report(heading, clips, contact_sheet, seconds))


def render_report(
    heading: Heading, clips: Sequence[ReviewedClip], contact_sheet: Path | None = None, seconds: float = 0.0
) -> str:
    """The page as HTML."""
    calibrated = next((clip.scan for clip in clips if clip.scan.threshold.n_real), None)
    return render(
        {
            "layout": "gallery",
            "entries": [_entry(number, clip) for number, clip in enumerate(clips)],
        },
        heading=heading,
        layout="gallery",
        picture=_data_address(heading.picture) if heading.picture is not None else None,
        clips=len(clips),
        count=_NUMBERS.get(len(clips), str(len(clips))),
        development=any(clip.verification.development for clip in clips),
        contact_sheet=address(contact_sheet, contact_sheet) if contact_sheet else None,
        verdicts=verdict_rows({name for clip in clips for name in _verdicts(clip)}),
        detector=next((clip.scan.model for clip in clips if clip.scan.model), None),
        calibrated=calibrated and {"kind": "video", "n_real": calibrated.threshold.n_real, "fpr": calibrated.fpr},
        seconds=seconds,
    )


def _entry(number: int, clip: ReviewedClip) -> dict[str, Any]:
    found = clip.verification
    credential = CredentialFacts.of(found).as_json()
    credential |= {"time": _clock_time(found.time), "time_source": found.time_source}
    return {
        "id": number,
        "label": shown(clip.label),
        "name": shown(clip.path.name),
        "address": address(clip.path, clip.path),
        "tone": tone_of(clip.scan.verdict.name),
        "record": shown(clip.scan.as_json()),
        "credential": shown(credential),
        "sealed": shown(_sealed(found)),
        "stripped": shown(clip.stripped.as_json()) if clip.stripped else None,
        "stripped_tone": tone_of(clip.stripped.verdict.name) if clip.stripped else None,
        "heat": _heat(clip),
    }


def _sealed(found: Verification) -> list[tuple[str, str]]:
    """(name, value) of what our own assertion says, and of what the clip was made from."""
    facts = dict(found.facts)
    parameters = facts.pop("parameters", {})
    rows = [*facts.items(), *(parameters.items() if isinstance(parameters, dict) else [])]
    told = [
        (name.replace("_", " "), ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))
        for name, value in rows
    ]
    told += [("made from", f"{part.title or 'untitled'} ({part.relationship or '?'})") for part in found.ingredients]
    return [(name[:_LONGEST], value[:_LONGEST]) for name, value in told]


def _heat(clip: ReviewedClip) -> list[dict[str, str]]:
    """The heat maps of one frame; none without a score."""
    if clip.scan.explanation is None or clip.heat is None:
        return []
    generated = clip.label if (SYNTHETIC | EDITED) & set(clip.verification.declares) else ""
    pictures = [_data_address(picture, 192, generated) for picture in clip.heat[1]]
    return [{"address": picture, "said": said} for picture, said in zip(pictures, labels(clip.heat[0]), strict=True)]


def _clock_time(stamp: str | None) -> str | None:
    """2026-01-31T12:30:00Z as 2026-01-31, 12:30 UTC; anything else as it is."""
    try:
        return datetime.fromisoformat(stamp or "").astimezone(UTC).strftime("%Y-%m-%d, %H:%M UTC")
    except ValueError:
        return stamp


def _verdicts(clip: ReviewedClip) -> set[str]:
    return {clip.scan.verdict.name, *([clip.stripped.verdict.name] if clip.stripped else [])}


def _data_address(picture: NDArray[np.uint8], height: int = 420, generated: str = "") -> str:
    """`generated`: the title of the clip, if it is declared to be generated; the picture is then signed as it is."""
    from PIL import Image

    image = Image.fromarray(picture)
    image.thumbnail((height, height), Image.Resampling.LANCZOS)
    if generated:
        data = marked_jpeg(image, generated, _QUALITY)
    else:
        encoded = io.BytesIO()
        image.save(encoded, format="JPEG", quality=_QUALITY)
        data = encoded.getvalue()
    return data_address(data, "jpeg")
