"""DFDCP, the preview of the Deepfake Detection Challenge (Dolhansky et al., 2019).

Layout: `dataset.json` with `{"method_A/<actor>/<actor_swap>/<clip>.mp4" | "original_videos/<actor>/<clip>.mp4":
{"label": "real|fake", "set": "train|test", "augmentations": [...], "target_id": ..., "swapped_id": ...}}`, and the
files under those names. Names of clips repeat, so the whole path is the key. No validation split. Real test videos also
come augmented; those are real videos of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from detector.datasets.sample import Adapter, Sample, read_entries
from sfumato.errors import MediaError
from sfumato.media.clips import Label, Split

_LABELS: dict[str, Label] = {"real": "real", "fake": "fake"}
_SETS: dict[str, Split] = {"train": "train", "test": "test"}


class DFDCPreview(Adapter):
    """The method is the folder: method_A or method_B."""

    name = "dfdcp"
    title = "DFDCP"
    expected = {"real": 1131, "fake": 4119}

    def samples(self, root: Path) -> Iterator[Sample]:
        for name, entry in _entries(root).items():
            path = root / name
            if not path.is_file():
                continue
            label = _known(_LABELS, entry.get("label"), name, "label")
            target, face = (
                f"dfdcp/{entry.get(key)}" if entry.get(key) is not None else None for key in ("target_id", "swapped_id")
            )
            actor = target or f"dfdcp/{Path(name).parts[1] if len(Path(name).parts) > 2 else name}"
            ids = tuple(dict.fromkeys(who for who in (actor, face) if who))
            method = "real" if label == "real" else Path(name).parts[0]
            yield Sample(
                self.title, name, path, label, method, "real" if label == "real" else "blend", face or actor,
                _known(_SETS, entry.get("set"), name, "set"), source_ids=ids,
            )  # fmt: skip

    def part(self, sample: Sample) -> str:
        return sample.label

    def missing(self, root: Path) -> Iterator[str]:
        yield from (name for name in sorted(_entries(root)) if not (root / name).is_file())

    def notes(self, root: Path) -> Iterator[str]:
        test = [entry["label"] for entry in _entries(root).values() if entry.get("set") == "test"]
        yield (
            f"dataset.json: {test.count('real')} real and {test.count('fake')} fake test videos; 276 "
            "and 501 are expected."
        )


def _entries(root: Path) -> dict[str, dict[str, Any]]:
    found = read_entries(root / "dataset.json")
    return {
        name: entry for name, entry in found.items() if ".." not in Path(name).parts and not Path(name).is_absolute()
    }


def _known(table: dict[str, Any], value: object, name: str, what: str) -> Any:
    if value not in table:
        raise MediaError(f"dataset.json: the {what} of {name} is {value!r}", f"It must be one of: {', '.join(table)}.")
    return table[str(value)]
