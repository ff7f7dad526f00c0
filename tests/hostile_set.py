"""A folder of many files of which a fifth are damaged or hostile: `from tests.hostile_set import fill`.

Each kind comes again and again until there are enough, each time from another seed, so that hardly two files are
copies. Beside those of tests/hostile_files.py: what a copy, a phone, an editor or a joker makes of an honest file.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from sfumato.media.images import write_image
from tests.hostile_files import MEDIA, film
from tests.media_fixtures import cut_off, make_sound, make_video, picture
from tests.portrait_fixtures import portrait_picture

A_FOLDER = 50  # entries of one folder
NAMES = (
    "line\nbreak", "\u202egpj", "=cmd|'x'!A1", "\x1b[31mred", "<script>alert(1)<", "a" * 200, "..", "-o", "%s%n",
    "\ufeff", "\N{DOG FACE}", "e\u0301", "nul", "a b\t", "*?[x]", "'; drop table x",
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """folder, name: of the entry to make, without a suffix; good: an honest video; seed: of what is random."""

    folder: Path
    name: str
    good: Path
    seed: int

    def path(self, suffix: str) -> Path:
        return self.folder / f"{self.name}{suffix}"

    @property
    def random(self) -> random.Random:
        return random.Random(self.seed)


def faces(count: int, width: int = 240, height: int = 180, seed: int = 0) -> NDArray[np.uint8]:
    """`count` portraits side by side, in rows, on a picture that the seed colours; (height, width, 3)."""
    image = np.full((height, width, 3), np.random.default_rng(seed).integers(0, 255, 3), np.uint8)
    across = max(1, round((count * width / height) ** 0.5))
    side = min(width // across, height // -(-count // across))
    head = cv2.resize(portrait_picture()[:230], (side, side), interpolation=cv2.INTER_AREA)
    for number in range(count):
        row, column = divmod(number, across)
        image[row * side : (row + 1) * side, column * side : (column + 1) * side] = head
    return image


def good_file(place: Place) -> None:
    """A video with a face, without one, or a picture; each its own."""
    if place.seed % 4 == 3:
        write_image(place.path(".png"), faces(1, seed=place.seed))
    elif place.seed % 4 == 2:
        make_video(place.path(".mkv"), frames=6, images=[picture(place.seed + i) for i in range(6)])
    else:
        image = faces(1, seed=place.seed)
        images = [np.roll(image, 2 * i, axis=1) for i in range(6)]
        make_video(place.path(".mp4"), frames=6, width=240, height=180, images=images)


def _flipped(place: Place) -> None:
    """A few bits turned over anywhere in a good video."""
    data, chance = bytearray(place.good.read_bytes()), place.random
    for _ in range(chance.randint(1, 60)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    place.path(".mp4").write_bytes(bytes(data))


def _patched(place: Place) -> None:
    """A piece replaced by noise, or left out."""
    data, chance = place.good.read_bytes(), place.random
    start = chance.randrange(len(data))
    stop = min(len(data), start + chance.randint(1, 2000))
    middle = chance.randbytes(stop - start) if place.seed % 2 else b""
    place.path(".mp4").write_bytes(data[:start] + middle + data[stop:])


def _cut(place: Place) -> None:
    cut_off(place.good, place.path(".mp4"), place.random.random())


def _misnamed(place: Place) -> None:
    shutil.copy(place.good, place.path(place.random.choice([".png", ".jpg", ".gif", ".avi", ".webm", ".ts", ".heic"])))


def _named(place: Place) -> None:
    name = NAMES[place.seed % len(NAMES)]
    shutil.copy(place.good, place.folder / f"{name}{place.seed}.mp4")


def _not_utf8(place: Place) -> None:
    shutil.copy(place.good, Path(os.fsdecode(os.fsencode(place.path("")) + b"\xff\xfe.mp4")))


def _varying(place: Place) -> None:
    times = np.cumsum([place.random.choice([0.001, 0.04, 1.7]) for _ in range(12)]).tolist()
    make_video(place.path(".mkv"), frames=12, times=times)


def _many_faces(place: Place) -> None:
    make_video(place.path(".mp4"), frames=4, width=640, height=480, images=[faces(12, 640, 480, place.seed)] * 4)


def _large(place: Place) -> None:
    write_image(place.path(".jpg"), np.tile(picture(place.seed), (60, 60, 1)))


def _socket(place: Place) -> None:
    here = os.open(".", os.O_RDONLY)
    os.chdir(place.folder)  # the name of a socket may have a hundred letters
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(place.path(".mp4").name)
    finally:
        os.fchdir(here)
        os.close(here)


def _folder(place: Place) -> None:
    """A folder that is called like a video, with one in it."""
    place.path(".mp4").mkdir()
    cut_off(place.good, place.path(".mp4") / "inside.mp4", 0.7 + place.seed / 10_000)


def _joined(place: Place) -> None:
    place.path(".mp4").write_bytes(place.good.read_bytes() * 3)


def _unlike(place: Place) -> None:
    """A polyglot: a page before the video."""
    place.path(".mp4").write_bytes(b"<html><script>alert(1)</script>" + place.good.read_bytes())


def _odd_rate(place: Place) -> None:
    make_video(place.path(".mp4"), frames=3 + place.seed % 4, rate=[1, 0.2, 240, 1000][place.seed % 4])


KINDS: dict[str, Callable[[Place], object]] = {
    "cut": _cut,
    "flipped": _flipped,
    "patched": _patched,
    "misnamed": _misnamed,
    "named": _named,
    "not-utf8": _not_utf8,
    "odd-rate": _odd_rate,
    "varying": _varying,
    "rotated": lambda place: make_video(place.path(".mp4"), rotation=[90, 180, 270, 45][place.seed % 4]),
    "no-frame": lambda place: place.path(".mp4").write_bytes(film(samples=0)),
    "one-frame": lambda place: make_video(place.path(".mp4"), frames=1),
    "faces": _many_faces,
    "sound": lambda place: make_sound(place.path(".mp4"), seconds=0.2 + place.seed / 1000),
    "large": _large,
    "wide": lambda place: make_video(place.path(".mp4"), frames=3, width=4096, height=16),
    "joined": _joined,
    "unlike": _unlike,
    "empty": lambda place: place.path(".mp4").touch(),
    "noise": lambda place: place.path(".mkv").write_bytes(place.random.randbytes(5000)),
    "text": lambda place: place.path(".mp4").write_text("no video"),
    "pipe": lambda place: os.mkfifo(place.path(".mp4")),
    "socket": _socket,
    "loop": lambda place: place.path("").symlink_to("."),
    "self": lambda place: place.path(".mp4").symlink_to(place.path(".mp4").name),
    "lost": lambda place: place.path(".mp4").symlink_to("nowhere.mp4"),
    "device": lambda place: place.path(".mp4").symlink_to("/dev/zero"),
    "folder": _folder,
}


def fill(folder: Path, files: int, one_in: int = 5, seed: int = 0, leave_out: tuple[str, ...] = ()) -> int:
    """Makes `files` entries in folders below `folder`, one in `one_in` of them hostile, those of MEDIA and of KINDS in
    turn; returns how many. leave_out: names of MEDIA that are not wanted.
    """
    media, kinds = [name for name in MEDIA if name not in leave_out], list(KINDS)
    for names in (media, kinds):
        random.Random(seed).shuffle(names)
    good: list[Path] = []
    for number in range(files):
        inside = folder / f"{number // A_FOLDER:03}"
        inside.mkdir(parents=True, exist_ok=True)
        which = number // one_in
        if number % one_in != one_in - 1:
            good_file(Place(inside, f"{number:04}", inside, number))
            good += inside.glob(f"{number:04}.mp4")
        elif which % 2:
            name = media[which // 2 % len(media)]
            (inside / f"{number:04}-{name}").write_bytes(MEDIA[name]())
        else:
            kind = kinds[which // 2 % len(kinds)]
            KINDS[kind](Place(inside, f"{number:04}-{kind}", good[-1], seed + which // 2))
    return files
