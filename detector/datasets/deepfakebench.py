"""DeepfakeBench's JSON, read and written, so that fakes of ours can be judged there and sets of theirs here.

Shape (from its preprocessing/rearrange.py): `{dataset: {label: {split: {[compression:] {video: {"label": label,
"frames": [...], "masks": [...]}}}}}}`; splits are train, val and test, the level of compression exists for
FaceForensics++ only, and labels end in "real" or "Real" for reals ("FF-real", "CelebDFv2_real", "UADFV_Real"). Frames
of a video lie in one folder, which is the sample. A part that DeepfakeBench lists under two splits (its test videos are
in train too for Celeb-DF) is read as test.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from detector.datasets.sample import Adapter, Sample, read_json
from detector.inference.frames import frames_in
from sfumato.atomic import write_text
from sfumato.errors import MediaError, UsageError
from sfumato.media.clips import Family, Label, Split

_SPLITS: dict[str, Split] = {
    "test": "test",
    "val": "validation",
    "train": "train",
}  # a video listed twice counts for the first
_NAMES: dict[Split | None, str] = {
    "train": "train",
    "validation": "val",
    "calibration": "val",
    "test": "test",
    None: "test",
}
_FAMILIES: dict[str, Family] = {"FF-F2F": "reenact", "FF-NT": "reenact"}
_COMPRESSIONS = ("raw", "c0", "c23", "c40")


class DeepfakeBench(Adapter):
    """`root`: the JSON file. Frames are looked for as written, then below the folder of the file."""

    name = "deepfakebench"
    title = "a DeepfakeBench JSON"

    def samples(self, root: Path) -> Iterator[Sample]:
        for sample, _ in _entries(root):
            if sample.path.is_dir():
                yield sample

    def missing(self, root: Path) -> Iterator[str]:
        yield from (str(sample.path) for sample, _ in _entries(root) if not sample.path.is_dir())

    def part(self, sample: Sample) -> str:
        return f"{sample.dataset} {sample.method} {sample.split} {sample.compression}".strip()


def label_of(name: str) -> Label:
    """DeepfakeBench's labels are classes; a real one ends in "real" or "original", in any case."""
    return "real" if name.lower().endswith(("real", "original")) else "fake"


def write_deepfakebench(samples: Iterable[Sample], path: Path, relative: bool = False) -> int:
    """Writes the JSON and returns how many videos it lists. Every sample must be a folder of frames: DeepfakeBench
    reads no videos. `relative`: frames lie below the folder of `path` and are named from there ("./..."), so that all
    of it can be moved.

    Raises UsageError when none is, or one is not.
    """
    listed: dict[str, Any] = {}
    count = 0
    for sample in samples:
        if not sample.path.is_dir():
            raise UsageError(
                f"{sample.path} is not a folder of frames", "Cut its frames first: detector.datasets.frame_folders."
            )
        label = f"{sample.dataset}_Real" if sample.label == "real" else f"{sample.dataset}_{sample.method}"
        if label_of(label) != sample.label:
            raise UsageError(f"The method {sample.method!r} reads as real in DeepfakeBench", "Rename it.")
        splits = listed.setdefault(sample.dataset, {}).setdefault(
            label, {name: {} for name in ("train", "val", "test")}
        )
        place = splits[_NAMES[sample.split]]
        if sample.compression in _COMPRESSIONS:
            place = place.setdefault(sample.compression, {})
        if sample.video_id in place:
            raise UsageError(f"Two videos of {label} are called {sample.video_id}", "Write one file a method.")
        found = frames_in(sample.path)
        frames = [f"./{each.relative_to(path.parent).as_posix()}" if relative else str(each) for each in found]
        place[sample.video_id] = {"label": label, "frames": frames}
        count += 1
    if not count:
        raise UsageError("There is nothing to write", "Name a data set with folders of frames.")
    write_text(path, json.dumps(listed, indent=1) + "\n")
    return count


def _entries(root: Path) -> Iterator[tuple[Sample, dict[str, Any]]]:
    values = read_json(root)
    seen: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    try:
        for dataset, labels in values.items():
            for label, splits in labels.items():
                for name, split in _SPLITS.items():
                    for compression, video, entry in _videos(splits.get(name, {})):
                        if video in seen[dataset, label, compression]:
                            continue
                        seen[dataset, label, compression].add(video)
                        yield _sample(root, dataset, label, split, compression, video, entry), entry
    except (AttributeError, TypeError, KeyError) as error:
        raise MediaError(
            f"{root} is not a DeepfakeBench JSON: {error}", "Write it with DeepfakeBench's rearrange.py."
        ) from error


def _videos(place: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, entry in place.items():
        if "frames" in entry:
            yield "", name, entry
        else:
            yield from ((name, video, inner) for video, inner in entry.items())


def _sample(
    root: Path, dataset: str, label: str, split: Split, compression: str, video: str, entry: dict[str, Any]
) -> Sample:
    frames = [Path(str(frame).replace("\\", "/")) for frame in entry["frames"]]
    folder = frames[0].parent if frames else Path(video)
    if not folder.is_absolute() or not folder.is_dir():
        folder = root.parent / (folder if not folder.is_absolute() else folder.relative_to(folder.anchor))
    real = label_of(str(entry.get("label", label))) == "real"
    numbers = (
        tuple(f"ff++/{n}" for n in video.split("_") if len(n) == 3 and n.isdigit()) if label.startswith("FF-") else ()
    )
    return Sample(
        dataset, video, folder, "real" if real else "fake", "real" if real else label,
        "real" if real else _FAMILIES.get(label, "blend"),
        numbers[-1] if numbers else f"{dataset}/{video}", split, compression, numbers,
    )  # fmt: skip
