"""The report of prepared footage: a folder made by `sfumato prepare` in, one self-contained page (`report.html`) out.

Crops of some people with their landmarks, what was left out and why, what is odd about files, and how the rest is
distributed. The page loads nothing; names of files are foreign and are escaped. Of a large set a sample of the shards
is looked at, and the page says so.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from generator.data.dataset import Clip, as_people, read_shard, shard_paths
from generator.data.prepare import Prepared, read_journal
from generator.data.shards import load_shard
from sfumato.atomic import write_text
from sfumato.errors import UsageError
from sfumato.media.landmarks.drawing import draw_sketch
from sfumato.text import printable
from sfumato.version import __version__

SHARDS = 2000  # looked at, at most
_CROPS, _SIDE, _NAMED = 35, 160, 200  # crops shown, their pixels, refused files and remarks listed
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
WIDTH, HEIGHT, LEFT, BOTTOM = 300.0, 128.0, 4.0, 22.0  # of a histogram, in its own units


@dataclass(frozen=True)
class Histogram:
    """Bars (x, y, width, height, words) and tick labels (x, text, anchor) in the units of the drawing; where the limit
    lies, if any.
    """

    title: str
    note: str
    bars: list[tuple[float, float, float, float, str]]
    ticks: list[tuple[float, str, str]]
    limit: float | None = None


def histogram(
    title: str,
    note: str,
    values: Sequence[float] | NDArray[Any],
    unit: str = "",
    bins: int = 24,
    limit: float | None = None,
) -> Histogram:
    """`values`, at least one, as bars; whole numbers of small range get a bar each. `limit` is marked where it lies."""
    numbers = np.asarray(values, np.float64)
    ends = numbers if limit is None else np.append(numbers, limit)
    low, high = float(ends.min()), float(ends.max())
    whole = bool((numbers == np.round(numbers)).all()) and high - low < bins
    edges = np.arange(low - 0.5, high + 1.5) if whole else np.linspace(low, high if high > low else low + 1, bins + 1)
    counts, edges = np.histogram(numbers, edges)
    across, up = (WIDTH - 2 * LEFT) / (len(edges) - 1), (HEIGHT - BOTTOM - 6) / max(1, int(counts.max()))
    bars = []
    for index, count in enumerate(counts):
        said = f"{edges[index] + 0.5:g}" if whole else f"{edges[index]:.3g} to {edges[index + 1]:.3g}"
        tall = round(up * int(count), 2)
        bars.append(
            (
                round(LEFT + index * across, 2),
                HEIGHT - BOTTOM - tall,
                round(across - 1, 2),
                tall,
                f"{said}{unit}: {count}",
            )
        )

    def place(value: float) -> float:
        return round(LEFT + (value - float(edges[0])) / float(edges[-1] - edges[0]) * (WIDTH - 2 * LEFT), 2)

    shown = (
        sorted({round(v) for v in (low, (low + high) / 2, high)})
        if whole or high - low > 8
        else [low, (low + high) / 2, high]
    )
    anchors = {0: "start", len(shown) - 1: "end"} if len(edges) > 4 else {}  # words at the ends stay in the picture
    ticks = [(place(v), f"{v:.3g}{unit}", anchors.get(index, "middle")) for index, v in enumerate(shown)]
    return Histogram(title, note, bars, ticks, None if limit is None else place(limit))


def write_report(out: Path, result: Prepared | None = None) -> Path:
    """Writes `out`/report.html and returns its path. `result` adds what only the run knows: files that are copies of
    others.

    Raises UsageError when `out` is not prepared footage or holds no shard, OutputError when the page cannot be written.
    """
    try:
        settings = json.loads((out / "dataset.json").read_text(encoding="utf-8"))
        size = int(settings["size"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{out} is not prepared footage", "Make it with: sfumato prepare FOOTAGE -o FOLDER."
        ) from error
    paths = shard_paths(out)
    if not paths:
        raise UsageError(f"{out} holds no shard", "Prepare footage with visible faces.")
    chosen = [paths[int(i)] for i in np.unique(np.linspace(0, len(paths) - 1, min(SHARDS, len(paths))).round())]
    clips = [read_shard(path, size, lazy=True) for path in chosen]
    people = as_people(clips)
    journal = read_journal(out)
    refused = [line for line in journal if line["refused"]]
    listed = [(Path(line["path"]), str(line["refused"])) for line in refused] if result is None else result.refused
    reasons = Counter(str(line["reason"]) for line in refused) if result is None else result.reasons
    dropped: Counter[str] = Counter()
    for line in journal:
        dropped.update(line["dropped"])
    remarks = [str(remark) for line in journal for remark in line.get("remarks", ())]
    page = _environment().get_template("prepare_report.html.jinja").render(
        policy=_POLICY, version=__version__, name=out.resolve().name, settings=settings,
        shards=len(paths), looked_at=len(chosen), people=len(people), pictures=sum(c.picture for c in clips),
        frames=sum(len(c) for c in clips), named=len({c.person for c in clips} - {""}),
        held_out=sum(p.held_out for p in people),
        crops=[_crop(c) for c in _examples(people)], reasons=_shares(reasons), dropped=_shares(dropped),
        histograms=_histograms(chosen, clips, [len(p.clips) for p in people], settings),
        listed=[why.replace(str(path), path.name) for path, why in listed[:_NAMED]], more=len(listed) - _NAMED,
        remarks=remarks[:_NAMED], more_remarks=len(remarks) - _NAMED,
        width=WIDTH, height=HEIGHT, floor=HEIGHT - BOTTOM,
    )  # fmt: skip
    write_text(out / "report.html", page)
    return out / "report.html"


def _histograms(
    paths: list[Path], clips: list[Clip], files_of_people: list[int], settings: dict[str, Any]
) -> list[Histogram]:
    shards = [load_shard(path).measures for path in paths]

    def all_of(name: str) -> NDArray[np.float32]:
        found = [measures[name] for measures in shards if name in measures]
        values = np.concatenate(found) if found else np.empty(0, np.float32)
        return values[np.isfinite(values)]

    def limit(name: str) -> float | None:
        return float(settings[name]) if name in settings else None

    turned, moving = all_of("turn"), [len(c) for c in clips if not c.picture]
    drawn = [
        histogram(
            "Size of the face",
            "pixels in the footage, frame by frame",
            all_of("face_pixels"),
            " px",
            limit=limit("smallest_face"),
        ),
        histogram(
            "Sharpness",
            "detail at 128 pixels a face, relative to contrast",
            all_of("sharpness"),
            limit=limit("least_sharpness"),
        ),
    ]
    if len(turned):
        drawn.append(
            histogram("Turn of the head", "degrees to a side, estimated", turned, "°", limit=limit("largest_turn"))
        )
    if moving:
        drawn.append(histogram("Length", "frames kept of a shot, videos only", moving))
    drawn.append(histogram("Recordings of a person", "shots and pictures, told apart by face", files_of_people))
    return drawn


def _examples(people: Sequence[Any]) -> list[Clip]:
    """Clips to show: of as many people as there is room for, spread evenly over them."""
    rows = np.unique(np.linspace(0, len(people) - 1, min(_CROPS, len(people))).round().astype(int))
    return [max(people[int(row)].clips, key=len) for row in rows]


def _crop(clip: Clip) -> tuple[str, str]:
    """A data address of the clip's middle frame with its landmarks drawn, and the file's name."""
    image, points = clip.frame(len(clip) // 2, 2 * _SIDE)
    sketch = draw_sketch(points, 2 * _SIDE)
    drawn = np.where(sketch.any(2, keepdims=True), image // 3 + sketch // 3 * 2, image).astype(np.uint8)
    small = cv2.resize(drawn, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(".jpg", small[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode("ascii"), clip.name


def _shares(counts: Counter[str]) -> list[tuple[str, int, float]]:
    """(reason, count, length of its bar in percent), the commonest first."""
    largest = max(counts.values(), default=1)
    return [(reason, count, round(100 * count / largest, 1)) for reason, count in counts.most_common()]


def _environment() -> Any:
    import jinja2

    source = (files("generator.data") / "prepare_report.html.jinja").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        loader=jinja2.DictLoader({"prepare_report.html.jinja": source}), autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["printable"] = printable
    return environment
