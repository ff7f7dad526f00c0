"""DeeperForensics-1.0 (Jiang et al., 2020): one face-swap method under eleven kinds of distortion.

Layout (from the authors' repository): `manipulated_videos/<variant>/<target3>_<source>.mp4` (11 x 1,000),
`lists/splits/{train,val,test}.txt` with 703/96/201 names. The real twins are the videos NNN of FaceForensics++ c23;
they are read from `original_sequences/youtube/c23/videos/` when they lie beside. `source_videos/` (48,475 studio
recordings) are what faces were taken from: they are no negatives, and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from detector.datasets.adapters.face_forensics import COLLECTION
from detector.datasets.sample import Adapter, Sample, read_lines, videos_in
from sfumato.media.clips import Split

_VARIANTS = (
    "end_to_end", *(f"end_to_end_level_{level}" for level in range(1, 6)),
    *(f"end_to_end_mix_{n}_distortions" for n in (2, 3, 4)),
    "end_to_end_random_level", "reenact_postprocess",
)  # fmt: skip
_SPLITS: dict[str, Split] = {"train": "train", "val": "validation", "test": "test"}
_FAKE = re.compile(r"(\d{3})_(\w+)")
_REALS = Path("original_sequences/youtube/c23")


class DeeperForensics(Adapter):
    """The method is the variant; one fake has the same name in each. A real is in the split of the fakes made from
    it.
    """

    name = "deeperforensics"
    title = "DeeperForensics-1.0"
    expected = {"real": 1000, **dict.fromkeys(_VARIANTS, 1000)}

    def samples(self, root: Path) -> Iterator[Sample]:
        splits = _splits(root)
        reals = {file.stem: file for file in videos_in(root / _REALS)}
        of_target = {name[:3]: split for name, split in splits.items()}
        for number, file in reals.items():
            who = f"{COLLECTION}/{number}"
            yield Sample(
                self.title, number, file, "real", "real", "real", who, of_target.get(number), source_ids=(who,)
            )
        for variant in _VARIANTS:
            for file in videos_in(root / "manipulated_videos" / variant):
                if match := _FAKE.fullmatch(file.stem):
                    target, source = match.groups()
                    face = f"deeperforensics/{source}"
                    yield Sample(
                        self.title, file.stem, file, "fake", variant, "blend", face, splits.get(file.stem),
                        source_ids=(f"{COLLECTION}/{target}", face), pair_of=reals.get(target),
                    )  # fmt: skip

    def missing(self, root: Path) -> Iterator[str]:
        wanted = set(_splits(root))
        for variant in _VARIANTS:
            folder = root / "manipulated_videos" / variant
            if folder.is_dir():
                lacking = wanted - {file.stem for file in videos_in(folder)}
                yield from (f"manipulated_videos/{variant}/{name}.mp4" for name in sorted(lacking))

    def notes(self, root: Path) -> Iterator[str]:
        if not (root / _REALS).is_dir():
            yield f"No reals: they are FaceForensics++ c23, to be put into {_REALS}/videos/."
        if not _splits(root):
            yield "No lists/splits/: nothing has a split."
        yield "DeepfakeBench takes the studio recordings for negatives: its numbers are not comparable."


def _splits(root: Path) -> dict[str, Split]:
    found: dict[str, Split] = {}
    for name, split in _SPLITS.items():
        path = root / "lists" / "splits" / f"{name}.txt"
        if path.is_file():
            found |= dict.fromkeys((Path(line).stem for line in read_lines(path)), split)
    return found
