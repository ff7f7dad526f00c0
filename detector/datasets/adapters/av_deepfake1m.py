"""AV-Deepfake1M (Cai et al., 2024): words exchanged in real talks, by voice, by mouth or by both, seconds at a time.

Layout (from the authors' loader): `{train,val}_metadata.json`, a list of objects, or the same objects one a file below
`{train,val}_metadata/`; videos at `{train,val}/<file>`, or `data/<file>`. An object has `file`
(`id01234/<video>/<clip>/real.mp4`, `fake_video_real_audio.mp4`, ...), `original`, `split`, `modify_type` (real,
audio_modified, visual_modified, both_modified) and `visual_fake_segments`, `audio_fake_segments`, `fake_segments`:
lists of [from, to] in seconds. The labels of `test_files.txt` are not public. The detector sees no sound:
`audio_modified` is real here, under a method of its own; the metadata of some of these list visual segments all the
same, which are passed over. People are VoxCeleb2's.
"""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from detector.datasets.sample import Adapter, Sample, child, read_json, read_lines
from sfumato.errors import MediaError
from sfumato.limits import LINE
from sfumato.media.clips import Split
from sfumato.regular_file import open_regular

_SPLITS: dict[str, Split] = {"train": "train", "val": "validation"}
_TYPES = {
    "real": False,
    "audio_modified": False,
    "visual_modified": True,
    "both_modified": True,
}  # which of them are forged to the eye
_PERSON = re.compile(r"id\d+")
_SPACE = re.compile(r"[\s,]*")
_PIECE = 1 << 16  # characters read at a time


class AVDeepfake1M(Adapter):
    """Only the labels of train and val are public. `fake_segments` of a sample are what is forged to the eye."""

    name = "av-deepfake1m"
    title = "AV-Deepfake1M"
    expected = {"train": 746180, "validation": 57340}

    def samples(self, root: Path) -> Iterator[Sample]:
        for listing, folder, entry in _entries(root):
            file = _file(root, folder, entry["file"])
            if file is not None:
                yield _sample(root, listing, folder, entry, file)

    def part(self, sample: Sample) -> str:
        return str(sample.split)

    def missing(self, root: Path) -> Iterator[str]:
        yield from (
            f"{folder}/{entry['file']}" for _, folder, entry in _entries(root) if not _file(root, folder, entry["file"])
        )

    def notes(self, root: Path) -> Iterator[str]:
        listed = child(root, "test_files.txt")
        if listed.is_file():
            yield f"{len(read_lines(listed))} test files have no public labels, and are left out."
        if not any(True for _ in _entries(root)):
            yield "No train_metadata.json or val_metadata.json: labels are not known without them."
        yield "Only seconds of a fake are forged: --level frame goes by them, and a training by whole videos does not."


def _entries(root: Path) -> Iterator[tuple[Path, str, dict[str, Any]]]:
    """(where it is listed, folder of its split, object) of every video, checked. Raises MediaError."""
    for folder in _SPLITS:
        listing, loose = child(root, f"{folder}_metadata.json"), child(root, f"{folder}_metadata")
        if listing.is_file():
            found: Iterator[tuple[Path, Any]] = ((listing, entry) for entry in _objects(listing))
        else:
            found = ((path, read_json(path)) for path in (sorted(loose.rglob("*.json")) if loose.is_dir() else []))
        for path, entry in found:
            name = entry.get("file") if isinstance(entry, dict) else None
            kind = str(entry.get("modify_type")).replace("-", "_") if isinstance(entry, dict) else ""
            if not isinstance(name, str) or kind not in _TYPES:
                raise MediaError(f"{path}: {str(entry)[:120]!r} is no video of AV-Deepfake1M", "Download it again.")
            if ".." in PurePosixPath(name).parts or name.startswith("/") or not PurePosixPath(name).name:
                raise MediaError(f"{path}: {name!r} leaves the folder", "Download it again.")
            yield path, folder, entry | {"modify_type": kind}


def _sample(root: Path, listing: Path, folder: str, entry: dict[str, Any], file: Path) -> Sample:
    kind, name = str(entry["modify_type"]), PurePosixPath(str(entry["file"]))
    fake = _TYPES[kind]
    place = next((i for i, part in enumerate(name.parts[:-1]) if _PERSON.fullmatch(part)), 0)
    whose = name.parts[place] if len(name.parts) > 1 else name.stem
    recording = "/".join(name.parts[place : place + 2]) if len(name.parts) > place + 2 else whose
    original = entry.get("original")
    paired = str(original) if isinstance(original, str) and original else (name.parent / "real.mp4").as_posix()
    pair = _file(root, folder, paired) if fake and ".." not in PurePosixPath(paired).parts else None
    return Sample(
        AVDeepfake1M.title, name.with_suffix("").as_posix(), file, "fake" if fake else "real",
        kind, "composite" if fake else "real", f"voxceleb2/{whose}", _SPLITS[folder],
        source_ids=(f"voxceleb2/{recording}",), pair_of=pair,
        fake_segments=_segments(listing, entry) if fake else (),
    )  # fmt: skip


def _segments(listing: Path, entry: dict[str, Any]) -> tuple[tuple[float, float], ...]:
    """What is forged to the eye, in seconds. Raises MediaError for what is no list of them."""
    given = entry.get("visual_fake_segments", entry.get("fake_segments"))
    try:
        found = tuple((float(start), float(end)) for start, end in given or ())
    except (TypeError, ValueError):
        found = ((1.0, 0.0),)
    if not all(math.isfinite(end) and 0 <= start <= end for start, end in found):
        raise MediaError(f"{listing}: the segments of {entry['file']} are {str(given)[:80]}", "Download it again.")
    return found


def _file(root: Path, folder: str, name: str) -> Path | None:
    return next((place for place in (root / folder / name, root / "data" / name) if place.is_file()), None)


def _objects(path: Path) -> Iterator[Any]:
    """The objects of a JSON list, one by one: that of `train` has hundreds of megabytes. Raises MediaError."""
    decoder, text, at, ended = json.JSONDecoder(), "", 0, False
    opening = True
    try:
        with open_regular(path) as opened, io.TextIOWrapper(opened, encoding="utf-8-sig") as file:
            while True:
                at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
                if opening and text[at:]:
                    if text[at] != "[":
                        raise ValueError("it is no list")
                    at, opening = at + 1, False
                    continue
                if text[at : at + 1] == "]":
                    return
                try:
                    if opening:
                        raise ValueError("it is empty")
                    entry, at = decoder.raw_decode(text, at)
                except ValueError:
                    if ended or len(text) - at > LINE.most:
                        raise
                    piece = file.read(_PIECE)
                    text, at, ended = text[at:] + piece, 0, not piece
                    continue
                yield entry
    except (OSError, ValueError, RecursionError) as error:
        raise MediaError(f"Cannot read {path} as JSON: {error}", "Download it again.") from error
