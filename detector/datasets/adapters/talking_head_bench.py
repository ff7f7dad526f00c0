"""TalkingHeadBench (2025): six generators of talking heads, with disjoint people in train and test.

Layout (from its data card): `fake/<generator>/{train,val,test}/<image>--<driving>--<generator>.mp4`,
`fake/additional_dataset/<generator>/*.mp4` (evaluation only), and the names of the reals in
`real/real_dataset_split.json` (`true/true_dataset_split.json` in the first release): videos of CelebV-HQ and
FaceForensics++ that have to be fetched from there and put into `real/`. The inside of that json could not be confirmed:
any nesting of train, val and test over lists of file names is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from detector.datasets.sample import Adapter, Sample, read_json, videos_in
from sfumato.execution.find_files import VIDEOS
from sfumato.media.clips import Split

_SPLITS: dict[str, Split] = {"train": "train", "val": "validation", "validation": "validation", "test": "test"}
_ADDITIONAL = "additional_dataset"


class TalkingHeadBench(Adapter):
    """All fakes are family reenact: a still picture that follows a motion or a voice."""

    name = "talkingheadbench"
    title = "TalkingHeadBench"

    def samples(self, root: Path) -> Iterator[Sample]:
        named = dict(_named(root))
        for file in _reals(root):
            who = f"{'ff++' if file.stem.isdigit() and len(file.stem) == 3 else 'celebv-hq'}/{file.stem}"
            yield Sample(
                self.title, file.stem, file, "real", "real", "real", who, named.get(file.stem), source_ids=(who,)
            )
        for generator in _folders(root / "fake"):
            if generator.name == _ADDITIONAL:
                for extra in _folders(generator):
                    yield from self._fakes(extra, extra.name, "test")
                continue
            for place in _folders(generator):
                if place.name in _SPLITS:
                    yield from self._fakes(place, generator.name, _SPLITS[place.name])

    def _fakes(self, folder: Path, method: str, split: Split) -> Iterator[Sample]:
        for file in videos_in(folder):
            parts = file.stem.split("--")
            image = f"ffhq/{parts[0]}"
            driver = f"celebv-hq/{parts[1]}" if len(parts) == 3 else None
            yield Sample(
                self.title,
                file.stem,
                file,
                "fake",
                method,
                "reenact",
                image,
                split,
                source_ids=(image,),
                driver_id=driver,
            )

    def part(self, sample: Sample) -> str:
        return f"{sample.method} {sample.split or 'no split'}"

    def missing(self, root: Path) -> Iterator[str]:
        there = {file.stem for file in _reals(root)}
        yield from (f"real/{name}" for name in sorted(set(dict(_named(root))) - there))

    def notes(self, root: Path) -> Iterator[str]:
        if not _reals(root):
            yield (
                "No reals: fetch those that real_dataset_split.json names from CelebV-HQ and "
                "FaceForensics++ into real/."
            )
        yield "About 300 train and 50 validation fakes a generator; exact counts are not stated."


def _folders(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []


def _reals(root: Path) -> list[Path]:
    places = [root / name for name in ("real", "true") if (root / name).is_dir()]
    return sorted(
        file for place in places for file in place.rglob("*") if file.suffix.lower() in VIDEOS and file.is_file()
    )


def _named(root: Path) -> Iterator[tuple[str, Split]]:
    """(file name without suffix, split) of the reals' list."""
    for path in (root / "real" / "real_dataset_split.json", root / "true" / "true_dataset_split.json"):
        if path.is_file():
            yield from _walk(read_json(path), None)


def _walk(value: Any, split: Split | None) -> Iterator[tuple[str, Split]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _walk(inner, _SPLITS.get(str(name).lower(), split))
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, split)
    elif isinstance(value, str) and split is not None:
        yield Path(value).stem, split
