"""Seeded damage to signed files: bytes, boxes, truncation, splices; and what a player makes of the result.

`python tests/provenance/mutations.py 2000` makes signed files of seven kinds, mutates each of them in turn, verifies
every one with the signer's root, and fails if one crashes, takes long, or is trusted although its decoded media differ.
The suite runs a small number.
"""

from __future__ import annotations

import hashlib
import io
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from provenance.verifying.verification import OUTCOMES
from provenance.verifying.verify import verify
from tests.provenance.stamping import Entity, issue, signer

UNREADABLE = (
    av.FFmpegError,
    OSError,
    ValueError,
    SyntaxError,
    IndexError,
    OverflowError,
    MemoryError,
    KeyError,
    TypeError,
    Image.DecompressionBombError,
)  # what damaged media raise

PATIENCE = 20.0  # seconds for one verification
CREATED = {
    "label": "c2pa.actions.v2",
    "data": {
        "actions": [
            {
                "action": "c2pa.created",
                "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
            }
        ],
        "allActionsIncluded": True,
    },
}
FORMATS = {
    "mp4": "video/mp4",
    "pieces.mp4": "video/mp4",
    "mov": "video/quicktime",
    "avi": "video/avi",
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
}


@dataclass
class Findings:
    """How many mutations came out how; `wrong`: those that must not be."""

    outcomes: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    trusted: Counter[str] = field(default_factory=Counter)
    undecodable: int = 0
    slowest: float = 0.0
    wrong: list[str] = field(default_factory=list)


def signed_files(folder: Path, root: Entity) -> dict[str, Path]:
    """A signed file of every kind; two of each mp4, so that there is something to splice."""
    leaf = signer("Ada", root)
    files = {}
    for number, (name, media_type) in enumerate(
        [*FORMATS.items(), ("other.mp4", "video/mp4"), ("other.jpg", "image/jpeg")]
    ):
        plain, path = folder / f"plain.{name.rpartition('.')[2]}", folder / f"signed.{name}"
        _make_media(plain, number)
        _sign(leaf, plain, path, media_type, pieces=name.startswith("pieces"))
        files[name] = path
    return files


def mutate(data: bytes, other: bytes, chance: random.Random) -> tuple[str, bytes]:
    """One mutation of `data`: its kind and the result. `other`: another signed file of the same container."""
    kind = chance.choice(list(KINDS))
    return kind, KINDS[kind](data, other, chance)


def decoded(path: Path) -> str | None:
    """A digest of every frame that a player would show or play; None if nothing can be decoded."""
    digest, frames = hashlib.sha256(), 0
    try:
        if path.suffix in (".jpg", ".png", ".webp"):
            with Image.open(path) as image:
                return hashlib.sha256(image.convert("RGB").tobytes() + str(image.size).encode()).hexdigest()
        with av.open(str(path)) as container:
            for frame in container.decode(*container.streams):
                digest.update(
                    f"{type(frame).__name__} {frame.pts}".encode() + np.ascontiguousarray(frame.to_ndarray()).tobytes()
                )
                frames += 1
    except UNREADABLE:
        digest.update(b"and then damage")
    return digest.hexdigest() if frames else None


def run(count: int, seed: int, folder: Path) -> Findings:
    """`count` mutations over all kinds of files; the same seed gives the same choices."""
    root, chance, found = issue("Root", authority=True), random.Random(seed), Findings()
    files = signed_files(folder, root)
    names = [name for name in files if not name.startswith("other")]
    contents = {name: path.read_bytes() for name, path in files.items()}
    shown = {name: decoded(files[name]) for name in names}
    for name in names:
        before = verify(files[name], [root.pem])
        assert (before.outcome, shown[name] is not None) == ("trusted", True), (name, before)
    for number in range(count):
        name = names[number % len(names)]
        suffix = name.rpartition(".")[2]
        other = contents["other.jpg" if suffix == "jpg" else "other.mp4"]
        kind, data = mutate(contents[name], other, chance)
        path = folder / f"mutated.{suffix}"
        path.write_bytes(data)
        start = time.monotonic()
        outcome = verify(path, [root.pem]).outcome
        taken = time.monotonic() - start
        found.outcomes[outcome] += 1
        found.kinds[kind] += 1
        found.slowest = max(found.slowest, taken)
        if outcome not in OUTCOMES or taken > PATIENCE:
            found.wrong.append(f"{number} {name} {kind}: {outcome} after {taken:.1f} s")
        if outcome == "trusted" and data != contents[name]:
            found.trusted[kind] += 1
            seen = decoded(path)
            found.undecodable += seen is None
            if seen not in (None, shown[name]):
                path.rename(folder / f"wrong-{number}.{suffix}")
                found.wrong.append(f"{number} {name} {kind}: trusted, and decodes to something else")
    return found


def _make_media(path: Path, seed: int) -> None:
    noise = np.random.default_rng(seed)
    if path.suffix in (".jpg", ".png", ".webp"):
        Image.fromarray(noise.integers(0, 255, (48, 64, 3), dtype=np.uint8)).save(path)
        return
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("mjpeg" if path.suffix == ".avi" else "libx264", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuvj420p" if path.suffix == ".avi" else "yuv420p"
        sound: Any = container.add_stream("pcm_s16le" if path.suffix in (".avi", ".mov") else "aac", rate=16000)
        sound.layout = "mono"
        for number in range(6):
            picture = av.VideoFrame.from_ndarray(noise.integers(0, 255, (64, 64, 3), dtype=np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
            samples = noise.integers(-9000, 9000, (1, 1600), dtype=np.int16)
            piece = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            piece.sample_rate, piece.pts = 16000, number * 1600
            container.mux(sound.encode(piece))
        container.mux(stream.encode())
        container.mux(sound.encode())


def _sign(leaf: Entity, source: Path, destination: Path, media_type: str, pieces: bool) -> None:
    from c2pa import Builder, C2paSigningAlg, Context, Signer
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    from provenance.library.settings import signing

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(leaf.key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    settings = signing(0)
    if pieces:
        settings["core"]["merkle_tree_chunk_size_in_kb"] = 1
    context = Context.from_dict(settings, signer=Signer.from_callback(sign, C2paSigningAlg.ES256, leaf.pem.decode()))
    builder = Builder({"claim_version": 2, "title": destination.name, "assertions": [CREATED]}, context)
    with destination.open("w+b") as output:
        builder.sign(media_type, io.BytesIO(source.read_bytes()), output)


def _boxes(data: bytes, start: int = 0, end: int | None = None) -> list[tuple[int, int, bytes]]:
    """Parts of a file: ISO boxes or, in another container, the like of them: (start, size, name)."""
    end = len(data) if end is None else end
    found, position = [], start
    if data[:2] == b"\xff\xd8":
        position = 2
        while position + 4 <= end and data[position] == 0xFF and data[position + 1] != 0xDA:
            size = int.from_bytes(data[position + 2 : position + 4], "big") + 2
            found.append((position, size, data[position : position + 2]))
            position += size
        return [*found, (position, end - position, b"scan")]
    little, head, tail = data[:4] == b"RIFF", 12 if data[:4] == b"RIFF" else 8, 0
    if data[:4] == b"\x89PNG":
        head, tail = 8, 12
    position = start or (head if little or tail else 0)
    while position + 8 <= end:
        if little:
            size = int.from_bytes(data[position + 4 : position + 8], "little")
            size, name = size + 8 + size % 2, data[position : position + 4]
        else:
            size, name = int.from_bytes(data[position : position + 4], "big") + tail, data[position + 4 : position + 8]
        if size < 8 or position + size > end:
            break
        found.append((position, size, name))
        position += size
    return found


def _inner(data: bytes, chance: random.Random) -> tuple[int, int, bytes]:
    """A box somewhere in the tree."""
    box = chance.choice(_boxes(data) or [(0, len(data), b"")])
    while box[2] in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf") and chance.random() < 0.8:
        inner = _boxes(data, box[0] + 8, box[0] + box[1])
        if not inner:
            break
        box = chance.choice(inner)
    return box


def _flip(data: bytes, other: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 3, 20))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _flip_in_box(data: bytes, other: bytes, chance: random.Random) -> bytes:
    start, size, _ = _inner(data, chance)
    changed = bytearray(data)
    changed[start + chance.randrange(size)] = chance.randrange(256)
    return bytes(changed)


def _zero(data: bytes, other: bytes, chance: random.Random) -> bytes:
    place, length = chance.randrange(len(data)), chance.choice((4, 64, 1024))
    return data[:place] + bytes(min(length, len(data) - place)) + data[place + length :]


def _delete(data: bytes, other: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data))
    return data[:place] + data[place + chance.randrange(1, 200) :]


def _insert(data: bytes, other: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data) + 1)
    return data[:place] + chance.randbytes(chance.randrange(1, 100)) + data[place:]


def _truncate(data: bytes, other: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(1, len(data))]


def _swap(data: bytes, other: bytes, chance: random.Random) -> bytes:
    length = chance.choice((1, 16, 256))
    first, second = sorted(chance.randrange(max(1, len(data) - length)) for _ in range(2))
    if second < first + length:
        return data[::-1]
    one, two = data[first : first + length], data[second : second + length]
    return data[:first] + two + data[first + length : second] + one + data[second + length :]


def _drop_box(data: bytes, other: bytes, chance: random.Random) -> bytes:
    start, size, _ = _inner(data, chance)
    return data[:start] + data[start + size :]


def _double_box(data: bytes, other: bytes, chance: random.Random) -> bytes:
    start, size, _ = chance.choice(_boxes(data))
    place = chance.choice([box[0] for box in _boxes(data)] + [len(data)])
    return data[:place] + data[start : start + size] + data[place:]


def _move_box(data: bytes, other: bytes, chance: random.Random) -> bytes:
    start, size, _ = chance.choice(_boxes(data))
    rest = data[:start] + data[start + size :]
    place = chance.choice([box[0] for box in _boxes(rest)] + [len(rest)])
    return rest[:place] + data[start : start + size] + rest[place:]


def _rename_box(data: bytes, other: bytes, chance: random.Random) -> bytes:
    start, _, _ = _inner(data, chance)
    name = chance.choice((b"free", b"skip", b"mdat", b"moov", b"uuid", b"mfra", b"ftyp", b"JUNK", b"tEXt"))
    place = start if data[:4] == b"RIFF" else start + 4
    return data[:place] + name + data[place + 4 :]


def _resize_box(data: bytes, other: bytes, chance: random.Random) -> bytes:
    start, size, _ = _inner(data, chance)
    new = chance.choice((0, 1, 7, 8, size - 1, size + 1, size + 8, 2**31, 2**32 - 1))
    return data[:start] + new.to_bytes(4, "big") + data[start + 4 :]


def _append_box(data: bytes, other: bytes, chance: random.Random) -> bytes:
    name = chance.choice((b"free", b"skip", b"mdat", b"mfra", b"uuid", b"moof", b"wide"))
    content = chance.randbytes(chance.randrange(64))
    return data + (len(content) + 8).to_bytes(4, "big") + name + content


def _fill_free(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """What lies outside the hard binding: the contents of free, skip and ftyp."""
    loose = [box for box in _boxes(data) if box[2] in (b"free", b"skip", b"ftyp", b"mfra")]
    if not loose:
        return data + b"\0\0\0\x10free" + chance.randbytes(8)
    start, size, _ = chance.choice(loose)
    if size <= 8:
        return data[:start] + chance.choice((b"\0\0\0\x08free", b"\0\0\0\x08skip")) + data[start + size :]
    place = start + chance.randrange(8, size)
    return data[:place] + chance.randbytes(1) + data[place + 1 :]


def _other_brand(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """Another kind of container in ftyp, which no hard binding covers: a player may read the rest in another way."""
    brand = chance.choice(
        (b"qt  ", b"isom", b"mp42", b"M4A ", b"dash", b"3gp5", b"MSNV", b"heic", b"avif", b"crx ", b"XAVC", b"f4v ")
    )
    if data[4:8] != b"ftyp":
        return _flip(data, other, chance)
    size = int.from_bytes(data[:4], "big")
    place = chance.choice([8, 8, *range(16, size - 3, 4)])
    return data[:place] + brand + data[place + 4 :]


def _splice_box(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """A box of another signed file in place of one of this, its manifest and its media among them."""
    mine, theirs = _boxes(data), _boxes(other)
    start, size, name = chance.choice(mine)
    same = [box for box in theirs if box[2] == name] or theirs
    if not same:
        return data + other
    their_start, their_size, _ = chance.choice(same)
    return data[:start] + other[their_start : their_start + their_size] + data[start + size :]


def _splice_file(data: bytes, other: bytes, chance: random.Random) -> bytes:
    place, their_place = chance.randrange(len(data)), chance.randrange(len(other))
    return chance.choice(
        (data[:place] + other[their_place:], data + other, other + data, data[:place] + other + data[place:])
    )


KINDS: dict[str, Callable[[bytes, bytes, random.Random], bytes]] = {
    "flip": _flip,
    "flip in a box": _flip_in_box,
    "zero": _zero,
    "delete": _delete,
    "insert": _insert,
    "truncate": _truncate,
    "swap": _swap,
    "drop a box": _drop_box,
    "double a box": _double_box,
    "move a box": _move_box,
    "rename a box": _rename_box,
    "resize a box": _resize_box,
    "append a box": _append_box,
    "change free space": _fill_free,
    "another brand": _other_brand,
    "splice a box": _splice_box,
    "splice files": _splice_file,
}


def _lines(found: Findings) -> Iterator[str]:
    yield f"outcomes {dict(found.outcomes)}"
    yield f"kinds {dict(found.kinds)}"
    yield f"trusted after a change, by kind {dict(found.trusted)}, of which nothing decodes {found.undecodable}"
    yield f"slowest {found.slowest:.2f} s"
    yield f"wrong {len(found.wrong)}"
    yield from found.wrong


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        given = dict(enumerate(sys.argv))
        result = run(int(sys.argv[1]), int(given.get(2, "0")), Path(given.get(3, place)))
    print("\n".join(_lines(result)))
    sys.exit(bool(result.wrong))
