"""WildDeepfake (Zi et al., 2020): face sequences cut from videos of the internet.

Layout: `{real,fake}_{train,test}/N.tar.gz` (the README also writes "real train"), each a source video; unpacked where
it lies it gives `N/{fake|real}/<sequence>/<frame>.png`, aligned faces of 224 px. The unit is the sequence, and
sequences of one archive are one source, so intervals resample whole archives. Archives must be unpacked; `verify`
counts those that are not. The faces fill the picture: a face detector may miss some, and the coverage says how many.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from detector.datasets.sample import Adapter, Sample, frame_folders
from sfumato.errors import MediaError
from sfumato.media.clips import Label, Split

_FOLDERS: dict[tuple[Label, Split], str] = {
    ("real", "train"): "real_train", ("fake", "train"): "fake_train", ("real", "test"): "real_test",
    ("fake", "test"): "fake_test",
}  # fmt: skip


class WildDeepfake(Adapter):
    """7,314 sequences from 707 videos; how they divide into the four folders is not checked."""

    name = "wilddeepfake"
    title = "WildDeepfake"

    def samples(self, root: Path) -> Iterator[Sample]:
        for (label, split), name in _FOLDERS.items():
            folder = _folder(root, name)
            for archive in sorted(entry for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []:
                for sequence in frame_folders(archive):
                    inside = sequence.relative_to(archive).parts
                    if inside and inside[0] in ("real", "fake") and inside[0] != label:
                        raise MediaError(f"{sequence} lies in {name}", "Unpack each archive where it lies.")
                    source = f"wilddeepfake/{name}/{archive.name}"
                    yield Sample(
                        self.title, f"{archive.name}/{'/'.join(inside[-1:])}", sequence, label,
                        "real" if label == "real" else "internet",
                        "real" if label == "real" else "blend", source, split, source_ids=(source,),
                    )  # fmt: skip

    def part(self, sample: Sample) -> str:
        return f"{sample.label} {sample.split}"

    def missing(self, root: Path) -> Iterator[str]:
        for name in _FOLDERS.values():
            for archive in sorted(_folder(root, name).glob("*.tar.gz")):
                if not (archive.parent / archive.name.removesuffix(".tar.gz")).is_dir():
                    yield f"{name}/{archive.name} (not unpacked)"

    def notes(self, root: Path) -> Iterator[str]:
        yield "The whole set has 7,314 sequences from 707 videos. Methods are not known; nearly all are face swaps."


def _folder(root: Path, name: str) -> Path:
    places = [
        base / spelled for base in (root, root / "deepfake_in_the_wild") for spelled in (name, name.replace("_", " "))
    ]
    return next((place for place in places if place.is_dir()), root / name)
