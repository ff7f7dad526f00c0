"""FakeAVCeleb v1.2 (Khalid et al., 2021): faked pictures, faked voices, and both.

Layout: `{Real,Fake}Video-{Real,Fake}Audio/<race>/<gender>/<id>/<clip>.mp4` and `meta_data.csv` (source, target1,
target2, method, category, type, race, gender, path, and a last column without a name that holds the folder). The
detector sees no sound: what is labelled fake here is a faked picture, so `RealVideo-FakeAudio` is real, under a method
of its own. No official split. Labels come from the folders, which the csv repeats; its column order could not be
confirmed, so it is used for methods and people only, by name of column.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from detector.datasets.sample import Adapter, Sample, child, read_table
from sfumato.media.clips import Family

_TYPES = ("RealVideo-RealAudio", "RealVideo-FakeAudio", "FakeVideo-RealAudio", "FakeVideo-FakeAudio")
_NO_PERSON = ("", "-", "nan")


class FakeAVCeleb(Adapter):
    """500 reals against 20,000 others: AUC is meant for that, accuracy is not."""

    name = "fakeavceleb"
    title = "FakeAVCeleb"
    expected = {
        "RealVideo-RealAudio": 500,
        "RealVideo-FakeAudio": 500,
        "FakeVideo-RealAudio": 9709,
        "FakeVideo-FakeAudio": 10857,
    }

    def samples(self, root: Path) -> Iterator[Sample]:
        described = _described(root)
        for kind in _TYPES:
            folder = child(root, kind)
            for file in sorted(folder.rglob("*.mp4")) if folder.is_dir() else []:
                inside = (kind, *file.relative_to(folder).parts)
                row = described.get("/".join(inside), {})
                person = f"fakeavceleb/{row.get('source') or file.parent.name}"
                others = tuple(
                    f"fakeavceleb/{row[c]}" for c in ("target1", "target2") if row.get(c, "").lower() not in _NO_PERSON
                )
                fake = kind.startswith("FakeVideo")
                method = row.get("method") or ("unknown" if fake else "real")
                family: Family = "real" if not fake else "reenact" if method == "wav2lip" else "blend"
                if not fake and kind != _TYPES[0]:
                    method = f"{kind}:{method}"  # reported apart: real to the eye only
                yield Sample(
                    self.title, "/".join(inside)[:-4], file, "fake" if fake else "real", method, family, person,
                    source_ids=tuple(dict.fromkeys((person, *others))),
                )  # fmt: skip

    def part(self, sample: Sample) -> str:
        return sample.video_id.split("/")[0]

    def missing(self, root: Path) -> Iterator[str]:
        yield from (name for name in sorted(_described(root)) if not (root / name).is_file())

    def notes(self, root: Path) -> Iterator[str]:
        if not _described(root):
            yield "No meta_data.csv: methods and the people behind the fakes are not known."
        yield "No official split: split by person before training on it."


def _described(root: Path) -> dict[str, dict[str, str]]:
    """{path inside the root: its row}; the csv names the folder in its last column and the file in `path`, or
    `filename`.
    """
    path = child(root, "meta_data.csv")
    if not path.is_file():
        return {}
    found = {}
    for row in read_table(path, ("source", "method", "path")):
        folder = next(
            (
                value
                for value in reversed(list(row.values()))
                if value.startswith(("FakeAVCeleb", *_TYPES)) and "/" in value
            ),
            "",
        )
        parts = [part for part in f"{folder}/{row['path']}".split("/") if part]
        start = next((i for i, part in enumerate(parts) if part in _TYPES), None)
        if start is not None:
            found["/".join(parts[start:])] = row
    return found
