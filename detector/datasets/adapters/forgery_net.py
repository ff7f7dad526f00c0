"""ForgeryNet (He et al., 2021): fifteen methods and four sources of reals, as pictures and as videos.

Layout (from the authors' repository and its issues): `image_list.txt` with `<path> <binary> <triple> <16cls>` and
`video_list.txt` with `<n> <path> [<start> <len> <fake>]*n <binary> <triple> <16cls>`; binary 1 = fake. Paths are
`<split>_release/<folder 1-19>/<h1>/<h2>/...`. The folder's number is the method: the 16cls column can differ from it
(issue 17). A list lies in the root or in a folder of the root. Whether a list's paths begin at the root or at its own
folder was not confirmed: both are tried. No people are named: `identity` is the folder above the frame or video.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from detector.datasets.sample import Adapter, Sample, read_lines
from sfumato.errors import MediaError
from sfumato.media.clips import Family, Label, Split

CLASSES: dict[int, tuple[str, Family]] = {
    1: ("FaceShifter", "blend"),
    2: ("FS-GAN", "blend"),
    3: ("DeepFakes", "blend"),
    4: ("BlendFace", "blend"),
    5: ("MMReplacement", "blend"),
    6: ("DeepFakes-StarGAN-Stack", "blend"),
    7: ("Talking-Head-Video", "reenact"),
    8: ("ATVG-Net", "reenact"),
    9: ("StarGAN-BlendFace-Stack", "blend"),
    10: ("First-Order-Motion", "reenact"),
    11: ("StyleGAN2", "synthesis"),
    12: ("MaskGAN", "synthesis"),
    13: ("StarGAN2", "synthesis"),
    14: ("SC-FEGAN", "synthesis"),
    15: ("DiscoFaceGAN", "synthesis"),
    16: ("RAVDESS", "real"),
    17: ("CREMA-D", "real"),
    18: ("AVSpeech", "real"),
    19: ("Voxceleb", "real"),
}
_PLACE = re.compile(r"(?:^|/)(\w+?)_(?:video_)?release/(\d+)/(.+)$", re.IGNORECASE)
_SPLITS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "validation": "validation",
    "test": "test",
}


class ForgeryNet(Adapter):
    name = "forgerynet"
    title = "ForgeryNet"

    def samples(self, root: Path) -> Iterator[Sample]:
        for listing, name, label in _entries(root):
            path = next((place for place in (root / name, listing.parent / name) if place.exists()), None)
            match = _PLACE.search(name)
            if match is None or int(match[2]) not in CLASSES:
                raise MediaError(
                    f"{listing}: {name!r} is not <split>_release/<1 to 19>/...", "Download the list again."
                )
            method, family = CLASSES[int(match[2])]
            if (family == "real") != (label == "real"):
                raise MediaError(
                    f"{listing}: {name} is called {label}, and folder {match[2]} is {method}",
                    "Download the list again.",
                )
            if path is not None:
                group = PurePosixPath(match[3]).parent.as_posix()
                who = f"forgerynet/{method}/{group if group != '.' else PurePosixPath(match[3]).stem}"
                video = str(PurePosixPath(match[3]).with_suffix(""))
                yield Sample(self.title, video, path, label, method, family, who, _SPLITS.get(match[1].lower()))

    def part(self, sample: Sample) -> str:
        return f"{sample.split or 'no split'} {sample.label}"

    def missing(self, root: Path) -> Iterator[str]:
        for listing, name, _ in _entries(root):
            if not (root / name).exists() and not (listing.parent / name).exists():
                yield name

    def notes(self, root: Path) -> Iterator[str]:
        if not any(True for _ in _lists(root)):
            yield "No image_list.txt or video_list.txt: unpack train_list.tar and its like."
        yield "Numbers of the whole set (2.9 million pictures, 221,247 videos) are not checked: download parts differ."


def _lists(root: Path) -> Iterator[Path]:
    for pattern in ("image_list*.txt", "*/image_list*.txt", "video_list*.txt", "*/video_list*.txt"):
        yield from sorted(root.glob(pattern))


def _entries(root: Path) -> Iterator[tuple[Path, str, Label]]:
    """(list, path, label) of every line. A path that climbs out of its folder is refused."""
    for listing in _lists(root):
        for number, line in enumerate(read_lines(listing), 1):
            fields = line.split()
            video = listing.name.startswith("video")
            segments = int(fields[0]) if video and fields[0].isdigit() else 0
            if len(fields) != (5 + 3 * segments if video else 4) or fields[-3] not in ("0", "1"):
                raise MediaError(
                    f"{listing}, line {number}: {line[:120]!r} is not a line of ForgeryNet", "Download the list again."
                )
            name = fields[1 if video else 0]
            if ".." in PurePosixPath(name).parts or name.startswith("/"):
                raise MediaError(f"{listing}, line {number}: {name!r} leaves the folder", "Download the list again.")
            yield listing, name, "fake" if fields[-3] == "1" else "real"
