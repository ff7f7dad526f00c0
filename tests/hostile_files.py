"""Small files that ask for much: `from tests.hostile_files import MEDIA`. Each is made on the spot, in a moment.

A file here declares sizes, counts or depths that nothing honest has, or unpacks to a thousand times its size.
docs/limits.md names them; tests/test_hostile_files.py gives each to the commands that would read it.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from functools import cache

Maker = Callable[[], bytes]
PNG_START = b"\x89PNG\r\n\x1a\n"
PIXEL = b"\0\0\0"  # a filter byte and a pixel of a grey picture of one line


def png(*chunks: tuple[bytes, bytes], width: int = 1, height: int = 1, depth: int = 8, colour: int = 0, lace: int = 0,
        data: bytes | None = None) -> bytes:  # fmt: skip
    """A PNG of `chunks` before its data, which are one grey pixel unless given."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, lace)
    rows = zlib.compress(b"\0\0") if data is None else data
    return PNG_START + b"".join(map(_chunk, [b"IHDR", *(k for k, _ in chunks), b"IDAT", b"IEND"],
                                    [header, *(d for _, d in chunks), rows, b""]))  # fmt: skip


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@cache
def zeros(megabytes: int) -> bytes:
    """That many zeros, compressed a thousandfold: one megabyte in a block of its own, again and again."""
    packer = zlib.compressobj(1, wbits=-zlib.MAX_WBITS)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    adler = megabytes * 2**20 % 65521 << 16 | 1
    return b"\x78\x01" + block * megabytes + packer.flush() + adler.to_bytes(4, "big")


def jpeg(*segments: bytes, width: int = 8, height: int = 8, progressive: bool = False, scans: int = 1) -> bytes:
    """A grey JPEG whose every coefficient is 0."""
    frame = b"\xff\xc2" if progressive else b"\xff\xc0"
    tables = b"\xff\xdb" + struct.pack(">HB", 67, 0) + b"\1" * 64
    codes = b"\xff\xc4" + struct.pack(">HB", 20, 0) + b"\1" + bytes(15) + b"\0"
    codes += b"\xff\xc4" + struct.pack(">HB", 20, 16) + b"\1" + bytes(15) + b"\0"
    start = frame + struct.pack(">HBHHBBBB", 11, 8, height, width, 1, 1, 0x11, 0)
    first = b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0, 0, 0 if progressive else 63, 0) + b"\0"
    more = b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0, 1, 63, 0) + b"\0"
    return b"\xff\xd8" + b"".join(segments) + tables + codes + start + first + more * (scans - 1) + b"\xff\xd9"


def segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def box(kind: bytes, *content: bytes, size: int | None = None) -> bytes:
    """An ISO box; `size`: what it says of itself, its own unless given."""
    data = b"".join(content)
    return struct.pack(">I4s", len(data) + 8 if size is None else size, kind) + data


def nested(kind: bytes, depth: int, data: bytes = b"") -> bytes:
    """A box in a box, `depth` times."""
    heads = b"".join(struct.pack(">I4s", len(data) + 8 * (depth - i), kind) for i in range(depth))
    return heads + data


FTYP = box(b"ftyp", b"isom\0\0\2\0isommp42")


def film(*, samples: int = 1, size: int = 0, durations: tuple[int, int] = (1, 40), chunks: int = 1, runs: int = 1,
         width: int = 64, height: int = 64, edits: int = 0, tracks: int = 1) -> bytes:  # fmt: skip
    """An mp4 whose tables say what they are told to; its data are 64 zeros. `size`: of each sample, 0: a list."""
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    movie = box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1000, 1000), struct.pack(">IH10x", 0x10000, 0x100), matrix,
                bytes(24), struct.pack(">I", 2))  # fmt: skip
    entry = box(b"mp4v", bytes(6), b"\0\1", bytes(16), struct.pack(">HHIIIH", width, height, 0x480000, 0x480000, 0, 1),
                bytes(32), struct.pack(">Hh", 24, -1))  # fmt: skip
    listed = b"" if size else struct.pack(">I", 1) * min(samples, 64)
    tables = box(
        b"stbl",
        box(b"stsd", struct.pack(">II", 0, 1), entry),
        box(b"stts", struct.pack(">II", 0, runs), struct.pack(">II", *durations)),
        box(b"stsc", struct.pack(">II", 0, 1), struct.pack(">III", 1, max(1, samples // chunks), 1)),
        box(b"stsz", struct.pack(">III", 0, size, samples), listed),
        box(b"stco", struct.pack(">II", 0, chunks), struct.pack(">I", 40) * min(chunks, 64)),
    )
    track = box(b"tkhd", struct.pack(">IIIIII", 7, 0, 0, 1, 0, 1000), bytes(16), matrix,
                struct.pack(">II", width << 16, height << 16))  # fmt: skip
    edit = box(b"edts", box(b"elst", struct.pack(">II", 0, edits), struct.pack(">IiI", 1, 0, 65536) * edits))
    media = box(b"mdia", box(b"mdhd", struct.pack(">IIIIIHH", 0, 0, 0, 1000, 1000, 0, 0)),
                box(b"hdlr", struct.pack(">II4s12x", 0, 0, b"vide"), b"\0"),
                box(b"minf", box(b"vmhd", bytes(12)), tables))  # fmt: skip
    return (
        FTYP
        + box(b"mdat", bytes(64))
        + box(b"moov", movie, box(b"trak", track, edit if edits else b"", media) * tracks)
    )


def fragment(samples: int) -> bytes:
    """A part of a film of so many samples, all like the default."""
    header = box(b"tfhd", struct.pack(">IIII", 0x38, 1, 1, 1), bytes(4))
    return box(b"moof", box(b"mfhd", bytes(8)), box(b"traf", header, box(b"trun", struct.pack(">II", 0, samples))))


def riff(form: bytes, *chunks: bytes, size: int | None = None) -> bytes:
    data = form + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(data) if size is None else size) + data


def part(kind: bytes, data: bytes, size: int | None = None) -> bytes:
    """A RIFF chunk."""
    return kind + struct.pack("<I", len(data) if size is None else size) + data + bytes(len(data) % 2)


def ebml(name: int, data: bytes) -> bytes:
    """A Matroska element with a size of eight bytes."""
    number = name.to_bytes((name.bit_length() + 7) // 8, "big")
    return number + (len(data) | 1 << 56).to_bytes(8, "big") + data


EBML = ebml(0x1A45DFA3, ebml(0x4282, b"matroska"))


def _nested_ebml(depth: int) -> bytes:
    data = b""
    for _ in range(depth):
        data = ebml(0x45B6, data)  # a chapter in a chapter
    return EBML + ebml(0x18538067, ebml(0x1043A770, ebml(0x45B9, data)))


def gif(frames: int, width: int = 1, height: int = 1) -> bytes:
    """`frames` of one pixel on a screen of that size."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(3) + b"\xff" * 3
    frame = b"\x21\xf9\4\0\1\0\0\0" + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\2\2\x44\1\0"
    return head + frame * frames + b"\x3b"


def tiff(entries: list[tuple[int, int, int, int]], following: int = 0, data: bytes = b"") -> bytes:
    """Tags of one directory (number, type, count, value), and the place of the next one."""
    tags = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return (
        b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(entries)) + tags + struct.pack("<I", following) + data
    )


def _tiff_of(
    width: int, height: int, *, rows: int | None = None, packed: bytes = b"", kind: int = 8, bits: int = 8
) -> bytes:
    """A grey TIFF in one strip (kind 8: deflate, 1: as it is)."""
    names = {256: width, 257: height, 258: bits, 259: kind, 262: 1, 277: 1, 278: height if rows is None else rows}
    place = 8 + 2 + 12 * 9 + 4
    entries = [(name, 4, 1, value) for name, value in names.items()]
    return tiff([*entries, (273, 4, 1, place), (279, 4, 1, len(packed))], data=packed)


def _profile(size: int, grid: int = 0) -> bytes:
    """An ICC profile that says it has `size` bytes; `grid`: the points a side of a table it says it holds."""
    head = (
        struct.pack(">I4sI4s4s4s", size, b"lcms", 0x04300000, b"mntr", b"RGB ", b"Lab ")
        + bytes(12)
        + b"acsp"
        + bytes(88)
    )
    table = b"mft1" + bytes(4) + bytes([3, 3, grid, 0]) + bytes(36)
    return head + struct.pack(">I4sII", 1, b"A2B0", 144, len(table)) + table


def _webp(width: int, height: int, *more: bytes) -> bytes:
    lossless = b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + bytes(8)
    return riff(b"WEBP", *more, part(b"VP8L", lossless))


def _moving_webp(frames: int) -> bytes:
    canvas = part(b"VP8X", b"\2\0\0\0" + (16382).to_bytes(3, "little") * 2)
    still = part(b"VP8L", b"\x2f" + bytes(4) + b"\x10\x88\x88\x08")
    frame = part(b"ANMF", bytes(6) + bytes(6) + b"\x28\0\0\0" + still)
    return riff(b"WEBP", canvas, part(b"ANIM", bytes(6)), frame * frames)


def _heif(brand: bytes, side: int, items: int = 1) -> bytes:
    located = struct.pack(">IHH", 0, 0x4400, items & 0xFFFF)
    sizes = box(b"iprp", box(b"ipco", box(b"ispe", struct.pack(">III", 0, side, side))))
    return box(b"ftyp", brand, bytes(4), brand, b"mif1") + box(
        b"meta", bytes(4), box(b"hdlr", bytes(8), b"pict", bytes(13)), box(b"pitm", bytes(4), b"\0\1"),
        box(b"iloc", located), sizes)  # fmt: skip


def _jp2(side: int, tile: int) -> bytes:
    size = struct.pack(">HIIIIIIIIH", 0, side, side, 0, 0, tile, tile, 0, 0, 1) + b"\7\1\1"
    code = b"\xff\x4f\xff\x51" + struct.pack(">H", len(size) + 2) + size
    code += b"\xff\x52" + struct.pack(">HBBHBBBBBB", 12, 0, 0, 1, 0, 0, 4, 4, 0, 1)
    return code + b"\xff\x5c" + struct.pack(">HBB", 4, 0x40, 0x40) + b"\xff\xd9"


def _avi(frames: int, side: int) -> bytes:
    head = part(b"avih", struct.pack("<14I", 40000, 0, 0, 16, frames, 0, 1, 0, side, side, 0, 0, 0, 0))
    stream = part(
        b"strh",
        struct.pack("<4s4sIHHIIIIIIIIhhhh", b"vids", b"MJPG", 0, 0, 0, 0, 1, 25, 0, frames, 0, 0, 0, 0, 0, 64, 64),
    )
    form = part(b"strf", struct.pack("<IiiHH4sIiiII", 40, side, side, 1, 24, b"MJPG", 0, 0, 0, 0, 0))
    return riff(b"AVI ", part(b"LIST", b"hdrl" + head + part(b"LIST", b"strl" + stream + form)),
                part(b"LIST", b"movi" + part(b"00dc", b"") * min(frames, 10**5)))  # fmt: skip


def _svg_of_entities() -> bytes:
    names = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10 if i else "lol"}">' for i in range(12))
    return f'<?xml version="1.0"?><!DOCTYPE svg [{names}]><svg xmlns="http://www.w3.org/2000/svg">&e11;</svg>'.encode()


def _pdf(objects: int) -> bytes:
    body = b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[2 0 R]/Count 1>>endobj\n"
    packed = b"3 0 obj<</Type/ObjStm/N %d/First 10/Filter/FlateDecode/Length %d>>stream\n" % (objects, len(zeros(200)))
    return body + packed + zeros(200) + b"\nendstream endobj\ntrailer<</Root 1 0 R/Prev 9>>\nstartxref\n9\n%%EOF"


def _store(depth: int = 0, boxes: int = 0) -> bytes:
    """A manifest store (JUMBF) of boxes in boxes, or side by side."""
    description = box(b"jumd", bytes.fromhex("63327061001100108000 00aa00389b71".replace(" ", "")), b"\3c2pa\0")
    data = box(b"free") * boxes
    for _ in range(depth):
        data = box(b"jumb", description, data)
    return box(b"jumb", description, data)


def _with_store(store: bytes) -> bytes:
    from provenance.formats.manifest_box import C2PA_UUID

    return FTYP + box(b"uuid", C2PA_UUID, bytes(4), b"manifest\0", bytes(8), store) + film()[len(FTYP) :]


# What `scan` and `verify` are given: by a name with the suffix that the maker's bytes would have.
MEDIA: dict[str, Maker] = {
    "grey16-149-megapixels.png": lambda: png(width=12200, height=12200, depth=16, data=zeros(285)),
    "billion-pixels-a-side.png": lambda: png(width=2**31 - 1, height=2**31 - 1),
    "rgba-declared-148-megapixels.png": lambda: png(width=65000, height=2280, colour=6),
    "palette-149-megapixels.png": lambda: png(
        (b"PLTE", bytes(6)), width=12200, height=12200, depth=1, colour=3, data=zeros(19)
    ),
    "rgb-laced-100-megapixels.png": lambda: png(width=10000, height=10000, colour=2, lace=1, data=zeros(288)),
    "texts-of-100-megabytes.png": lambda: png(*[(b"zTXt", b"k%d\0\0" % i + zeros(100)) for i in range(20)]),
    "international-texts.png": lambda: png(*[(b"iTXt", b"k\0\1\0\0\0" + zeros(100)) for _ in range(20)]),
    "profile-of-100-megabytes.png": lambda: png((b"iCCP", b"p\0\0" + zeros(100))),
    "profile-with-a-large-table.png": lambda: png(
        (b"iCCP", b"p\0\0" + zlib.compress(_profile(2**31 - 1, 255))), colour=2, data=zlib.compress(bytes(4))
    ),
    "400000-chunks.png": lambda: png(*[(b"tEXt", b"")] * 400_000),
    "chunk-of-two-gigabytes.png": lambda: PNG_START + struct.pack(">I", 2**31 - 1) + b"IHDR",
    "billion-frames.png": lambda: png(
        (b"acTL", struct.pack(">II", 2**30, 0)), (b"fcTL", struct.pack(">IIIIIHHBB", 0, 1, 1, 0, 0, 1, 1, 0, 0))
    ),
    "four-gigapixels.jpg": lambda: jpeg(width=65500, height=65500),
    "progressive-100-megapixels.jpg": lambda: jpeg(width=10000, height=10000, progressive=True),
    "3000-scans.jpg": lambda: jpeg(width=6000, height=6000, progressive=True, scans=3000),
    "million-segments.jpg": lambda: jpeg(b"\xff\xfe\0\2" * 1_000_000),
    "profile-in-255-parts.jpg": lambda: jpeg(
        *[segment(0xE2, b"ICC_PROFILE\0" + bytes([i, 255]) + bytes(60000)) for i in range(1, 256)]
    ),
    "exif-that-points-at-itself.jpg": lambda: jpeg(segment(0xE1, b"Exif\0\0" + tiff([(0x8769, 4, 1, 8)], 8))),
    "directory-that-follows-itself.tif": lambda: tiff([(256, 4, 1, 1), (257, 4, 1, 1)], 8),
    "four-gigapixels.tif": lambda: _tiff_of(65535, 65535),
    "strip-of-140-megapixels.tif": lambda: _tiff_of(12000, 12000, packed=zeros(138)),
    "float-140-megapixels.tif": lambda: _tiff_of(12000, 12000, packed=zeros(1), bits=32),
    "strip-a-row.tif": lambda: tiff(
        [(256, 4, 1, 1), (257, 4, 1, 2**31 - 1), (273, 4, 2**31 - 1, 8), (278, 4, 1, 1), (279, 4, 2**31 - 1, 8)]
    ),
    "65535-tags.tif": lambda: tiff([(i, 4, 2**30, 8) for i in range(65535)]),
    "16383-a-side.webp": lambda: _webp(16383, 16383),
    "20000-frames.webp": lambda: _moving_webp(20_000),
    "million-chunks.webp": lambda: _webp(1, 1, part(b"JUNK", b"") * 1_000_000),
    "16777216-a-side.webp": lambda: riff(b"WEBP", part(b"VP8X", b"\0\0\0\0" + b"\xff" * 6)),
    "100000-frames.gif": lambda: gif(100_000),
    "65535-a-side.gif": lambda: gif(3, 65535, 65535),
    "3000-frames-of-8000-a-side.gif": lambda: gif(3000, 8000, 8000),
    "3000-frames-of-5000-a-side.gif": lambda: gif(3000, 5000, 5000),
    "two-gigapixels.bmp": lambda: (
        b"BM" + struct.pack("<IIIIiiHHIIiiII", 100, 0, 54, 40, 40000, -40000, 1, 24, 0, 0, 0, 0, 0, 0)
    ),
    "text-of-140-megapixels.ppm": lambda: b"P3 12000 12000 65535 " + b"1 " * 1000,
    "ten-billion-pixels.ppm": lambda: b"P6 99999 99999 65535 ",
    "65000-a-side.avif": lambda: _heif(b"avif", 65000),
    "billion-a-side.jp2": lambda: _jp2(2**31, 2**31),
    "tile-a-pixel.jp2": lambda: _jp2(12000, 1),
    "endless-50000-boxes.mp4": lambda: FTYP + box(b"free") * 50_000,
    "million-boxes.mp4": lambda: film() + box(b"free") * 1_000_000,
    "moov-in-moov-20000-deep.mp4": lambda: FTYP + nested(b"moov", 20_000),
    "trak-in-trak.mp4": lambda: FTYP + box(b"moov", nested(b"trak", 5_000)),
    "meta-in-meta.mp4": lambda: FTYP + box(b"moov", box(b"udta", nested(b"meta\0\0\0\0"[:4], 5_000))),
    "box-of-an-exabyte.mp4": lambda: FTYP + struct.pack(">I4sQ", 1, b"mdat", 2**62) + bytes(64),
    "billion-samples-of-a-byte.mp4": lambda: film(samples=10**9, size=1),
    "billion-samples-of-nothing.mp4": lambda: film(samples=2**32 - 1),
    "a-sample-four-billion-times.mp4": lambda: film(durations=(2**32 - 1, 1)),
    "fragments-of-a-billion-samples.mp4": lambda: film() + fragment(10**9),
    "samples-that-last-for-ever.mp4": lambda: film(samples=64, durations=(2**32 - 1, 2**32 - 1), runs=2**32 - 1),
    "billion-chunks.mp4": lambda: film(samples=10**6, chunks=2**31 - 1, size=1),
    "100000-edits.mp4": lambda: film(edits=100_000),
    "3000-tracks.mp4": lambda: film(tracks=3000),
    "65535-a-side.mp4": lambda: film(width=65535, height=65535),
    "store-2000-deep.mp4": lambda: _with_store(_store(depth=2_000)),
    "store-of-100000-boxes.mp4": lambda: _with_store(_store(boxes=100_000)),
    "elements-3000-deep.mkv": lambda: _nested_ebml(3000),
    "element-of-an-exabyte.mkv": lambda: (
        EBML + b"\x18\x53\x80\x67\x01" + b"\xff" * 6 + b"\xfe" + b"\x16\x54\xae\x6b\x01" + b"\xff" * 6 + b"\xfe"
    ),
    "million-elements.mkv": lambda: EBML + ebml(0x18538067, b"\xec\x80" * 1_000_000),
    "20000-tracks.mkv": lambda: (
        EBML + ebml(0x18538067, ebml(0x1654AE6B, ebml(0xAE, b"\xd7\x81\1\x83\x81\1\x86\x88V_MPEG4\0"[:-1]) * 20_000))
    ),
    "million-chunks.avi": lambda: _avi(1_000_000, 64),
    "list-in-list.avi": lambda: riff(b"AVI ", _lists(5_000)),
    "64000-a-side.avi": lambda: _avi(10, 64000),
    "chunk-of-four-gigabytes.avi": lambda: riff(b"AVI ", part(b"LIST", b"hdrl", 2**32 - 1), size=2**32 - 1),
    "entities.svg": _svg_of_entities,
    "objects-in-a-stream.pdf": lambda: _pdf(10**6),
    "gigabyte-of-tags.flv": lambda: b"FLV\1\5\0\0\0\x09" + bytes(4) + (b"\x12" + bytes(10) + b"\0\0\0\x0b") * 100_000,
    "packets-of-nothing.ts": lambda: (b"\x47\x1f\xff\x10" + b"\xff" * 184) * 10_000,
    "pages-of-nothing.ogv": lambda: b"OggS" + bytes(23) + (b"OggS\0\0" + bytes(20) + b"\0") * 100_000,
}


def _lists(depth: int) -> bytes:
    data = b""
    for _ in range(depth):
        data = part(b"LIST", b"hdrl" + data)
    return data


def safetensors_with(header: bytes | dict[str, object], declared: int | None = None, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if declared is None else declared) + text + data
