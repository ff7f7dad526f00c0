"""Exclusions at random places of signed files of every kind, with other bytes in them; and what a player makes of it.

`holes(count, seed, ...)` asks the coverage check alone, `forgeries(...)` the whole verifier about files that are really
signed with such an exclusion. Both return what went wrong: whatever is not decoded as before and yet passes.
"""

from __future__ import annotations

import hashlib
import io
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import av
import numpy as np
from PIL import Image

from provenance.formats.boxes import walk
from provenance.formats.coverage import uncovered
from provenance.verifying.verify import verify
from tests.provenance.mutations import UNREADABLE
from tests.provenance.resealing import Range, binding, sign, with_boxes, with_ranges, written
from tests.provenance.stamping import Entity, issue, signer

PICTURES = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF", "tif": "TIFF", "avif": "AVIF", "pdf": "PDF"}
SOUNDS = {"wav": "pcm_s16le", "flac": "flac", "mp3": "libmp3lame", "m4a": "aac"}
MEDIA_TYPES = {name: f"image/{kind.lower()}" for name, kind in PICTURES.items()} | {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "avi": "video/avi",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
}
LARGEST = 1_000_000  # pixels of a damaged picture that are looked at
DECODED = ("jpg", "png", "webp", "gif", "tif", "mp4", "avi", "wav", "flac", "mp3", "svg")


@dataclass
class Findings:
    """`passed`: by kind of file, those that pass though something was exchanged in them that no player shows.

    `refused`: those in which a player shows something else, and that only the coverage check refuses.
    """

    passed: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def made(name: str, seed: int) -> bytes:
    """A small medium of noise; every seed gives another one, of about the same size."""
    noise, output = np.random.default_rng(seed), io.BytesIO()
    if name in PICTURES:
        pixels = noise.integers(0, 255, (24, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(output, PICTURES[name])
    elif name == "svg":
        shapes = "".join(f'<rect x="{x}" y="{y}" width="3" height="2"/>' for x, y in noise.integers(10, 99, (40, 2)))
        output.write(f'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg">{shapes}</svg>'.encode())
    else:
        with av.open(output, "w", format={"m4a": "ipod"}.get(name, name)) as container:
            _encode(container, name, noise)
    return output.getvalue()


def _encode(container: Any, name: str, noise: np.random.Generator) -> None:
    if name in SOUNDS:
        stream: Any = container.add_stream(SOUNDS[name], rate=44100)
        stream.layout = "mono"
        samples = noise.integers(-9000, 9000, (1, 8 * 1152), dtype=np.int16)
        piece = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        piece.sample_rate = 44100
        frames = av.AudioResampler(stream.format.name, "mono", 44100, stream.frame_size or 1152).resample(piece)
    else:
        stream = container.add_stream("mjpeg" if name == "avi" else "libx264", rate=10)
        stream.width = stream.height = 48
        stream.pix_fmt = "yuvj420p" if name == "avi" else "yuv420p"
        pictures = noise.integers(0, 255, (3, 48, 48, 3), dtype=np.uint8)
        frames = [av.VideoFrame.from_ndarray(picture, format="rgb24") for picture in pictures]
    for frame in frames:
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def shown(name: str, data: bytes) -> str:
    """A digest of what a viewer or player makes of the file, damage included."""
    digest = hashlib.sha256()
    try:
        if name == "svg":
            tree = ElementTree.fromstring(data)
            for parent in list(tree.iter()):
                for child in [child for child in parent if child.tag.endswith("}metadata")]:
                    parent.remove(child)
            digest.update(ElementTree.tostring(tree))
        elif name in PICTURES:
            with Image.open(io.BytesIO(data)) as image:
                digest.update(f"{image.size}".encode())
                if image.width * image.height > LARGEST:
                    raise ValueError("another picture in any case")
                for number in range(getattr(image, "n_frames", 1)):
                    image.seek(number)
                    digest.update(f"{image.size}".encode() + image.convert("RGBA").tobytes())
        else:
            with av.open(io.BytesIO(data)) as container:
                streams = [*container.streams.video, *container.streams.audio]
                for frame in container.decode(*streams) if streams else ():
                    digest.update(f"{frame.pts}".encode() + np.ascontiguousarray(frame.to_ndarray()).tobytes())
    except UNREADABLE:
        digest.update(b"and then damage")
    return digest.hexdigest()


class Signed:
    """A signed file of every kind, another picture of the same kind for each, and what a player shows of them."""

    def __init__(self) -> None:
        self.root: Entity = issue("Root", authority=True)
        self.leaf: Entity = signer("Ada", self.root)
        self.files = {name: sign(self.leaf, made(name, 1), MEDIA_TYPES[name]) for name in DECODED}
        self.others = {name: made(name, 2) for name in DECODED}
        self.shown = {name: shown(name, data) for name, data in self.files.items()}
        self.bindings = {name: binding(data, MEDIA_TYPES[name]) for name, data in self.files.items()}

    def own(self, name: str) -> list[Range]:
        """The ranges that the library itself left out; those of an mp4 are boxes, and not among them."""
        entries = self.bindings[name][1]["exclusions"]
        return [(entry["start"], entry["length"]) for entry in entries if "start" in entry]


def holes(signed: Signed, count: int, seed: int) -> Findings:
    """Asks the coverage check about `count` files with other bytes in what an exclusion leaves out."""
    chance, found = random.Random(seed), Findings()
    for number in range(count):
        name = DECODED[number % len(DECODED)]
        data, (label, assertion) = signed.files[name], signed.bindings[name]
        if name == "mp4":
            own = [entry for entry in assertion["exclusions"] if entry["xpath"] in ("/uuid", "/ftyp")]
            entries = [*own, *(_box_hole(data, chance) for _ in range(chance.choice((1, 1, 2))))]
            ranges = [span for entry in entries[2:] for span in _box_ranges(data, entry)]
        else:
            ranges = range_holes(data, signed.own(name), chance)
            entries = [{"start": start, "length": length} for start, length in ranges]
        changed = exchanged(data, ranges, signed.own(name), signed.others[name], chance)
        passes = not any(
            part.essential for part in uncovered(label, {**assertion, "exclusions": entries}, io.BytesIO(changed))
        )
        differs = shown(name, changed) != signed.shown[name]
        found.passed[name] += passes
        found.refused[name] += differs and not passes
        if differs and passes:
            found.wrong.append(f"{number} {name} {entries}")
    return found


def forgeries(signed: Signed, count: int, seed: int, folder: Path) -> Findings:
    """The same with the whole verifier: the exclusion is signed, and then the bytes in it are exchanged."""
    chance, found = random.Random(seed), Findings()
    names = [name for name in DECODED if name != "svg"]
    for number in range(count):
        name = names[number % len(names)]
        data, own = signed.files[name], signed.own(name)
        if name == "mp4":
            entry = _box_hole(data, chance, depth=1)
            ranges, forged = _box_ranges(data, entry), with_boxes(signed.leaf, data, [entry])
        else:
            ranges = short_holes(data, own, chance)
            forged = with_ranges(signed.leaf, data, [*own, *ranges])
        changed = exchanged(forged, ranges, own, signed.others[name], chance)
        verdict = verify(written(folder / f"{number}.{name}", changed), [signed.root.pem])
        differs = shown(name, changed) != signed.shown[name]
        found.passed[name] += verdict.outcome == "trusted"
        found.refused[name] += differs and verdict.codes == ("org.sfumato.coverage.incomplete",)
        if differs and verdict.outcome == "trusted":
            found.wrong.append(f"{number} {name} {ranges}")
    return found


def range_holes(data: bytes, own: list[Range], chance: random.Random) -> list[Range]:
    """Exclusions of which one covers the store, as it must: with more beside it, around it, or across it."""
    size, start, end = len(data), own[-1][0], own[-1][0] + own[-1][1]
    place = chance.randrange(size)
    kind = chance.randrange(8)
    if kind == 0:
        extra = [(place, chance.randrange(1, 200))]
    elif kind == 1:
        extra = [(chance.randrange(start + 1), size)]  # from a harmless part in front over everything
    elif kind == 2:
        return [*own[:-1], (start, chance.randrange(end - start, 2 * size))]  # longer than the store
    elif kind == 3:
        extra = [(chance.randrange(start, end), size)]  # from inside the store to behind the end
    elif kind == 4:
        extra = [(place, 50), (max(0, place - 20), 50), (place // 2, 30)]  # overlapping, unsorted
    elif kind == 5:
        extra = [(max(0, size - chance.randrange(1, 40)), 40)]  # the end of the file
    elif kind == 6:
        extra = [(chance.randrange(start, end), 1)]  # nothing but the store: harmless
    else:
        extra = [(max(0, start - chance.randrange(1, 30)), chance.randrange(1, 60))]  # across the store's beginning
    ranges = [*own, *extra]
    chance.shuffle(ranges)
    return ranges


def short_holes(data: bytes, own: list[Range], chance: random.Random) -> list[Range]:
    """One exclusion beside the store's, as the library accepts and an assertion has room for."""
    start = chance.randrange(len(data))
    while any(place <= start < place + length for place, length in own):
        start = chance.randrange(len(data))
    return [(start, min(chance.choice((1, 8, 60, 4000)), len(data) - start))]


def exchanged(data: bytes, ranges: list[Range], own: list[Range], other: bytes, chance: random.Random) -> bytes:
    """Other bytes in the ranges: noise, nothing, or those of another picture. The store stays where it is."""
    out, kind = bytearray(data), chance.randrange(3)
    behind = other[-len(data) :].rjust(len(data), b"#")  # at the same distance from the end
    for start, length in ranges:
        end = min(start + length, len(data))
        out[start:end] = (chance.randbytes(end - start), bytes(end - start), behind[start:end])[kind]
    for start, length in own:
        out[start : start + length] = data[start : start + length]
    return bytes(out)


def _box_hole(data: bytes, chance: random.Random, depth: int = 3) -> dict[str, Any]:
    """An exclusion of a box of an mp4: all of it, or some bytes."""
    boxes = [box for box in _boxes(data) if len(box.path) <= depth and box.path[0] not in (b"uuid", b"ftyp")]
    box = chance.choice(boxes)
    entry: dict[str, Any] = {"xpath": "/" + "/".join(name.decode() for name in box.path)}
    if chance.random() < 0.6 and box.size > 12:
        offset = chance.randrange(8, box.size)
        entry["subset"] = [{"offset": offset, "length": chance.choice((0, chance.randrange(1, box.size)))}]
    return entry


def _boxes(data: bytes) -> Iterator[Any]:
    return walk(io.BytesIO(data), (b"moov", b"trak", b"mdia", b"minf", b"stbl"))


def _box_ranges(data: bytes, entry: dict[str, Any]) -> list[Range]:
    """The bytes that the exclusion leaves out, but for the header of a box, by which it is found."""
    ranges = []
    for box in _boxes(data):
        if "/" + "/".join(name.decode() for name in box.path) == entry["xpath"]:
            for part in entry.get("subset") or [{"offset": 8, "length": 0}]:
                length = part["length"] or box.size
                ranges.append((box.start + part["offset"], min(length, box.size - part["offset"])))
    return ranges
