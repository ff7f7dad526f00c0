"""The report: clips with their credentials, verdicts and timelines in, one self-contained page beside them out.

The page loads nothing from elsewhere: style and script are inside it and named by digest in its
Content-Security-Policy; only the videos and the contact sheet, which lie beside it, are opened. What comes out of files
is foreign: it is escaped as HTML by the template engine and made printable here.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from detector.inference.explain import REGION_NAMES
from provenance.verifying.verification import Verification
from sfumato.app.review.heat_sheet import HeatRow, labels
from sfumato.app.review.marked import marked_jpeg
from sfumato.app.scan.record import ScanRecord
from sfumato.app.scan.verdict import EDITED, SYNTHETIC, VERDICTS
from sfumato.atomic import write_text
from sfumato.text import printable
from sfumato.version import __version__

_QUALITY = 86  # of a JPEG in the page
_TONES = {  # how loud a verdict is shown
    "synthetic-declared": "declared", "ai-edited-declared": "declared", "synthetic-claimed": "declared",
    "synthetic-recovered": "declared",
    "captured-declared": "plain",
    "conflict": "alarm", "tampered-after-signing": "alarm", "credential-invalid": "alarm",
    "likely-synthetic": "alarm", "suspicious": "alarm", "inconclusive": "doubt", "no-evidence": "plain",
    "not-evaluable": "plain",
}  # fmt: skip
_OUTCOMES = {
    "trusted": "The seal is intact and its signer leads to a root on your trust list.",
    "untrusted": "The seal is intact: nothing changed since it was signed. Nobody on a trust list vouches "
    "for the signer.",
    "invalid": "The seal does not hold: the file or its credential changed after signing.",
    "none": "The file carries no credential.",
    "unreadable": "The file could not be read.",
}
_SOURCES = {
    "trainedAlgorithmicMedia": "made by a trained algorithm",
    "compositeWithTrainedAlgorithmicMedia": "composed with parts made by a trained algorithm",
    "digitalCapture": "captured by a camera",
}
_NOT_THE_DETECTORS = ("credential", "watermark")  # reasons that have a place of their own
_NUMBERS = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 340.0, 132.0, 26.0, 8.0, 20.0  # of a timeline, in its own units


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
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = files("sfumato.app.review")
    style, script = ((folder / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    environment = Environment(
        loader=FileSystemLoader(str(folder)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["printable"] = printable  # the engine escapes what this gives
    return environment.get_template("report.html.jinja").render(
        heading=heading,
        picture=_data_address(heading.picture) if heading.picture is not None else None,
        count=_NUMBERS.get(len(clips), str(len(clips))),
        development=any(clip.verification.development for clip in clips),
        clips=[_as_shown(clip) for clip in clips],
        contact_sheet=_address(contact_sheet) if contact_sheet else None,
        verdicts=[
            (name, text, _TONES[name], any(name in _verdicts(clip) for clip in clips))
            for name, text in VERDICTS.items()
        ],
        detector=next((clip.scan.model for clip in clips if clip.scan.model), None),
        calibrated=next((clip.scan for clip in clips if clip.scan.threshold.n_real), None),
        style=style,
        script=script,
        policy=content_security_policy(style, script),
        seconds=seconds,
        version=__version__,
    )


def content_security_policy(style: str, script: str) -> str:
    """Nothing but the page's own style and script may run, nothing but files beside it may be loaded (`file:`: on
    disk).
    """
    digests = {
        name: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for name, text in (("style", style), ("script", script))
    }
    return (
        f"default-src 'none'; style-src 'sha256-{digests['style']}'; script-src 'sha256-{digests['script']}'; "
        "img-src 'self' file: data:; media-src 'self' file:; base-uri 'none'; form-action 'none'"
    )


def _as_shown(clip: ReviewedClip) -> dict[str, Any]:
    found = clip.verification
    facts = dict(found.facts)
    parameters = facts.pop("parameters", {})
    return {
        "label": clip.label,
        "address": _address(clip.path),
        "file": clip.path.name,
        "found": found,
        "outcome": _OUTCOMES.get(found.outcome, ""),
        "declares": [_SOURCES.get(kind, kind) for kind in found.declares],
        "facts": list(facts.items()),
        "parameters": list(parameters.items()) if isinstance(parameters, dict) else [],
        "time": _clock_time(found.time),
        "scan": clip.scan,
        "reasons": [
            reason.detail for reason in clip.scan.verdict.reasons if not reason.code.startswith(_NOT_THE_DETECTORS)
        ],
        "tone": _TONES.get(clip.scan.verdict.name, "plain"),
        "stripped": clip.stripped,
        "stripped_tone": _TONES.get(clip.stripped.verdict.name, "plain") if clip.stripped else "plain",
        "timeline": timeline(clip.scan, clip.stripped),
        "explain": _explained(clip),
    }


def _address(path: Path) -> str:
    """Of a file beside the page, whatever bytes its name has."""
    return quote(os.fsencode(path.name))


def _explained(clip: ReviewedClip) -> dict[str, Any] | None:
    """What kinds of evidence in words, their shares by region, and the heat maps; None without a score."""
    told = clip.scan.explanation
    if told is None:
        return None
    generated = clip.label if (SYNTHETIC | EDITED) & set(clip.verification.declares) else ""
    pictures = [_data_address(picture, 192, generated) for picture in clip.heat[1]] if clip.heat else []
    shares = (told.place.regions if told.place else None) or {}
    areas = told.place.areas if told.place else {}
    return {
        "words": told.words,
        "regions": [(REGION_NAMES[name], f"{share:.0%}", f"{areas[name]:.0%}") for name, share in shares.items()],
        "pictures": list(zip(pictures, labels(clip.heat[0]), strict=True)) if clip.heat else [],
    }


def _clock_time(stamp: str | None) -> str | None:
    """2026-01-31T12:30:00Z as 2026-01-31, 12:30 UTC; anything else as it is."""
    try:
        return datetime.fromisoformat(stamp or "").astimezone(UTC).strftime("%Y-%m-%d, %H:%M UTC")
    except ValueError:
        return stamp


def timeline(scan: ScanRecord, stripped: ScanRecord | None = None) -> dict[str, Any] | None:
    """The geometry of the detector's timeline: lines, thresholds and ticks in the drawing's units; None without any
    score.
    """
    points = _points(scan)
    if not points:
        return None
    others = _points(stripped) if stripped else []
    declared = (scan.media.duration if scan.media else None) or 0.0
    length = max(declared, *(t for t, _ in (*points, *others)), 1e-3)
    threshold = scan.flagging_score
    step = next((s for s in (0.5, 1, 2, 5, 10, 30, 60, 300, 600) if length / s <= 6), length / 5)
    return {
        "width": WIDTH, "height": HEIGHT, "left": LEFT, "right": WIDTH, "top": TOP, "bottom": HEIGHT - BOTTOM,
        "length": length,
        "line": _path(points, length), "dots": [(_x(t, length), _y(s)) for t, s in points],
        "other": _path(others, length) if others else None,
        "threshold": None if threshold is None
        else {"y": _y(threshold), "score": threshold, "fpr": scan.fpr},
        "rows": [(f"{value:g}", _y(value)) for value in (0.0, 0.5, 1.0)],
        "ticks": [(f"{i * step:g} s", _x(i * step, length)) for i in range(int(length / step + 1e-6) + 1)],
        "data": json.dumps({"length": length, "points": points}),
        "said": f"Score of {len(points)} frames, "
        f"from {min(s for _, s in points):.2f} to {max(s for _, s in points):.2f}",
    }  # fmt: skip


def _points(scan: ScanRecord) -> list[tuple[float, float]]:
    """(seconds, score) as the record writes them, rounded."""
    return [(moment["t"], moment["score"]) for moment in (moment.as_json() for moment in scan.timeline)]


def _x(time: float, length: float) -> float:
    return round(LEFT + (WIDTH - LEFT - 8) * time / length, 2)


def _y(score: float) -> float:
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - min(max(score, 0.0), 1.0)), 2)


def _path(points: list[tuple[float, float]], length: float) -> str:
    return "M" + " L".join(f"{_x(t, length)} {_y(s)}" for t, s in points)


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
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()
