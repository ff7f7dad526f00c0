"""FaceForensics++ and its DeepFakeDetection part (Rossler et al., 2019): paired fakes of 1,000 videos at three
compressions.

Layout (from the authors' repository): `original_sequences/{youtube,actors}/<compression>/videos/`,
`manipulated_sequences/<method>/ <compression>/videos/<target>_<source>.mp4`; splits are `splits/{train,val,test}.json`
(also `dataset/splits/`, or in the root), lists of pairs of three-digit numbers: a fake AAA_BBB belongs to a split only
if the pair {AAA, BBB} does. DeepFakeDetection has no split: all of it is test.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from detector.datasets.sample import Adapter, Sample, read_json, videos_in
from sfumato.errors import MediaError
from sfumato.media.clips import Family, Split

COLLECTION = "ff++"  # the prefix of its numbers, which other data sets are made from
METHODS: dict[str, Family] = {
    "Deepfakes": "blend", "Face2Face": "reenact", "FaceSwap": "blend", "NeuralTextures": "reenact",
    "FaceShifter": "blend",
}  # fmt: skip
_COMPRESSIONS = {"raw": "raw", "c0": "raw", "c23": "c23", "c40": "c40"}
_SPLITS: dict[str, Split] = {"train": "train", "val": "validation", "test": "test"}
_NUMBER, _PAIR = re.compile(r"\d{3}"), re.compile(r"(\d{3})_(\d{3})")
_ACTED = re.compile(r"(\d{2})_(\d{2})__(.+)__\w{8}")


class FaceForensics(Adapter):
    """Real NNN is in a split when it is in any of its pairs. DeepFakeDetection has samples of the data set
    "DeepFakeDetection".
    """

    name = "faceforensics"
    title = "FaceForensics++"

    def samples(self, root: Path) -> Iterator[Sample]:
        pairs = splits_of(root)
        alone = {number: split for pair, split in pairs.items() for number in pair}
        for folder, compression in _compressed(root / "original_sequences" / "youtube"):
            for file in videos_in(folder):
                if _NUMBER.fullmatch(file.stem):
                    who = f"{COLLECTION}/{file.stem}"
                    yield Sample(
                        self.title,
                        file.stem,
                        file,
                        "real",
                        "real",
                        "real",
                        who,
                        alone.get(file.stem),
                        compression,
                        (who,),
                    )
        for method, family in METHODS.items():
            for folder, _ in _compressed(root / "manipulated_sequences" / method):
                for file in videos_in(folder):
                    if match := _PAIR.fullmatch(file.stem):
                        target, source = match.groups()
                        yield _fake(
                            self.title,
                            root,
                            file,
                            method,
                            family,
                            target,
                            source,
                            pairs.get(frozenset((target, source))),
                        )
        yield from self._acted(root)

    def _acted(self, root: Path) -> Iterator[Sample]:
        title = "DeepFakeDetection"
        for folder, compression in _compressed(root / "original_sequences" / "actors"):
            for file in videos_in(folder):
                actor, _, scene = file.stem.partition("__")
                if scene:
                    who = f"dfd/{actor}"
                    yield Sample(title, file.stem, file, "real", "dfd-real", "real", who, "test", compression, (who,))
        for folder, compression in _compressed(root / "manipulated_sequences" / title):
            for file in videos_in(folder):
                if match := _ACTED.fullmatch(file.stem):
                    target, source, scene = match.groups()
                    real = _real(root, "actors", folder.name, f"{target}__{scene}")
                    people = (f"dfd/{target}", f"dfd/{source}")
                    yield Sample(
                        title,
                        file.stem,
                        file,
                        "fake",
                        title,
                        "blend",
                        people[1],
                        "test",
                        compression,
                        people,
                        pair_of=real,
                    )

    def expectations(self, root: Path) -> dict[str, int]:
        """For the compressions that are there: most people fetch one."""
        reals = root / "original_sequences"
        present = {compression for kind in ("youtube", "actors") for _, compression in _compressed(reals / kind)}
        parts = dict.fromkeys(("real", *METHODS), 1000)
        if (reals / "actors").is_dir():
            parts |= {"dfd-real": 363, "DeepFakeDetection": 3068}
        return {
            f"{part} {compression}": count
            for compression in sorted(present) or ["c23"]
            for part, count in parts.items()
        }

    def missing(self, root: Path) -> Iterator[str]:
        """Of every folder that is there at all: the files that the splits name and it lacks."""
        pairs = splits_of(root)
        numbers = {number for pair in pairs for number in pair}
        names = {f"{first}_{second}" for pair in pairs for first in pair for second in pair - {first}}
        places = [
            ("original_sequences/youtube", numbers),
            *((f"manipulated_sequences/{method}", names) for method in METHODS),
        ]
        for place, wanted in places:
            for folder, _ in _compressed(root / place):
                lacking = wanted - {file.stem for file in videos_in(folder)}
                yield from (f"{place}/{folder.name}/videos/{name}.mp4" for name in sorted(lacking))

    def notes(self, root: Path) -> Iterator[str]:
        if not splits_of(root):
            yield "No splits: put train.json, val.json and test.json of the authors' repository into splits/."
        yield "Many fakes are a few frames shorter than their real twin."


def splits_of(root: Path) -> dict[frozenset[str], Split]:
    """{the two numbers of a pair: its split}; empty without the lists. Raises MediaError for a damaged list or a pair
    in two splits.
    """
    found: dict[frozenset[str], Split] = {}
    for place in (root / "splits", root / "dataset" / "splits", root):
        for name, split in _SPLITS.items():
            path = place / f"{name}.json"
            if not path.is_file():
                continue
            values = read_json(path)
            if not isinstance(values, list):
                raise MediaError(f"{path} is not a list of pairs", "Download it again.")
            for pair in values:
                if (
                    not isinstance(pair, list)
                    or len(pair) != 2
                    or not all(isinstance(n, str) and _NUMBER.fullmatch(n) for n in pair)
                ):
                    raise MediaError(
                        f"{path} holds {pair!r}, which is not a pair of three-digit numbers", "Download it again."
                    )
                if found.setdefault(frozenset(pair), split) != split:
                    raise MediaError(
                        f"{path}: the pair {pair[0]}, {pair[1]} is in two splits", "Download the three lists again."
                    )
        if found:
            return found
    return found


def _fake(
    title: str, root: Path, file: Path, method: str, family: Family, target: str, source: str, split: Split | None
) -> Sample:  # fmt: skip
    """A swap shows the source's face in the target's video; a reenactment the target's face with the source's
    motion.
    """
    folder = file.parent.parent if file.parent.name == "videos" else file.parent
    ids = (f"{COLLECTION}/{target}", f"{COLLECTION}/{source}")
    reenacted = family == "reenact"
    return Sample(
        title, file.stem, file, "fake", method, family, ids[0] if reenacted else ids[1], split,
        _COMPRESSIONS[folder.name], ids,
        driver_id=ids[1] if reenacted else None, pair_of=_real(root, "youtube", folder.name, target),
    )  # fmt: skip


def _real(root: Path, kind: str, compression: str, stem: str) -> Path | None:
    folder = root / "original_sequences" / kind / compression
    return next((path for path in (folder / "videos" / f"{stem}.mp4", folder / f"{stem}.mp4") if path.is_file()), None)


def _compressed(folder: Path) -> list[tuple[Path, str]]:
    if not folder.is_dir():
        return []
    return [(entry, _COMPRESSIONS[entry.name]) for entry in sorted(folder.iterdir()) if entry.name in _COMPRESSIONS]
