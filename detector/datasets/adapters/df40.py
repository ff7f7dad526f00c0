"""DF40 (Yan et al., 2024): forty methods of four kinds, made from FaceForensics++ and Celeb-DF.

Layout (from the authors' repository): face crops as folders of frames, `<method>/{ff,cdf}/...` one folder a video,
found at any depth; the nine methods of unknown domain have `<method>/{fake,real}/`. `DF40_train/<method>/ff/` is the
train part, `DF40/` the test part; point at either, or at the folder that holds both. The reals of ff and cdf are not
inside: they are those data sets' own. Where frames of one video lie in several folders (`frames/`, `masks/`) only
`frames/` counts. How folders are nested below ff and cdf differs by method and could not be confirmed for all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from detector.datasets.adapters.face_forensics import COLLECTION
from detector.datasets.sample import Adapter, Sample, child, frame_folders, videos_in
from sfumato.media.clips import Family, Label, Split

_SWAPS = (
    "blendface",
    "deepfacelab",
    "e4s",
    "facedancer",
    "faceswap",
    "fsgan",
    "inswap",
    "mobileswap",
    "simswap",
    "uniface",
)
_REENACTMENTS = (
    "danet", "facevid2vid", "fomm", "heygen", "hyperreenact", "lia", "mcnet", "mraa", "one_shot_free", "pirender",
    "sadtalker",
    "tpsm", "wav2lip",
)  # fmt: skip
_DOMAINS = ("ff", "cdf", "fake", "real")
_PAIR, _ONE = re.compile(r"(\d{3})_(\d{3})"), re.compile(r"\d{3}")
_CELEB = re.compile(r"(id\d+)_(?:(id\d+)_)?\d+")
_PARTS: dict[str, Split] = {"df40_train": "train", "df40": "test"}


class DF40(Adapter):
    """The compression of a sample is its domain (ff, cdf, unknown), by which DF40's protocols are told apart."""

    name = "df40"
    title = "DF40"

    def samples(self, root: Path) -> Iterator[Sample]:
        parts = [(child(root, name), split) for name, split in _PARTS.items() if child(root, name).is_dir()]
        for folder, split in parts or [(root, _PARTS.get(root.name.lower(), "test"))]:
            for method in sorted(entry for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []:
                for domain in _DOMAINS:
                    yield from self._videos(child(method, domain), method.name, domain, split)

    def _videos(self, folder: Path, method: str, domain: str, split: Split) -> Iterator[Sample]:
        label: Label = "real" if domain == "real" else "fake"
        frames = [
            place for place in frame_folders(folder) if "masks" not in place.parts and "landmarks" not in place.parts
        ]
        for path in [*frames, *(videos_in(folder) if folder.is_dir() else [])]:
            name = path.relative_to(folder).as_posix()
            ids = _people(path.stem, domain)
            real = label == "real"
            yield Sample(
                self.title, name, path, label, f"{method}-real" if real else method,
                "real" if real else family_of(method),
                ids[-1] if ids else f"df40/{method}/{domain}/{name}", split,
                domain if domain in ("ff", "cdf") else "unknown", ids,
            )  # fmt: skip

    def notes(self, root: Path) -> Iterator[str]:
        yield "The reals of ff and cdf are not part of DF40: name FaceForensics++ or Celeb-DF with --reals."
        yield "No counts by method are stated by its authors in a form that could be checked here."


def family_of(method: str) -> Family:
    """The kind its authors give: swaps blend, reenactments, and whole faces (synthesis, which also stands for edits of
    a whole face).
    """
    name = re.sub(r"[^a-z0-9_]", "", method.lower().replace("-", "_"))
    known = {**dict.fromkeys(_SWAPS, "blend"), **dict.fromkeys(_REENACTMENTS, "reenact")}
    return known.get(name, "synthesis")  # type: ignore[return-value]


def _people(stem: str, domain: str) -> tuple[str, ...]:
    if domain == "ff" and (match := _PAIR.fullmatch(stem)):
        return tuple(f"{COLLECTION}/{number}" for number in match.groups())
    if domain == "ff" and _ONE.fullmatch(stem):
        return (f"{COLLECTION}/{stem}",)
    if domain == "cdf" and (match := _CELEB.fullmatch(stem)):
        return tuple(f"celeb-df/{number}" for number in match.groups() if number)
    return ()
