"""Media are found wherever a file says that they lie: in chunks, fragments and items, in and outside of mdat."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from provenance.formats.boxes import walk
from provenance.formats.positions import media_in
from provenance.formats.stores.chunks import whole_boxes
from provenance.verifying.verify import verify
from tests.provenance.excluding import MEDIA_TYPES, made
from tests.provenance.resealing import sign, written
from tests.provenance.stamping import issue, signer


def _box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def _numbers(*numbers: int, form: str = "I") -> bytes:
    return struct.pack(f">{len(numbers)}{form}", *numbers)


def _track(chunks: list[int], runs: list[tuple[int, int]], sizes: list[int], *, wide: bool = False) -> bytes:
    """A file that is nothing but the tables of one track; its ftyp and free boxes fill bytes 0 to 16 and 16 to 100."""
    same = len(set(sizes)) == 1
    tables = (
        _box(b"co64" if wide else b"stco", _numbers(0, len(chunks)) + _numbers(*chunks, form="Q" if wide else "I"))
        + _box(b"stsc", _numbers(0, len(runs), *[number for first, count in runs for number in (first, count, 1)]))
        + _box(b"stsz", _numbers(0, sizes[0], len(sizes)) if same else _numbers(0, 0, len(sizes), *sizes))
    )
    movie = _box(b"moov", _box(b"trak", _box(b"mdia", _box(b"minf", _box(b"stbl", tables)))))
    return _box(b"ftyp", bytes(8)) + _box(b"free", bytes(76)) + _box(b"mdat", bytes(400)) + movie


def _in(data: bytes, *spans: tuple[int, int]) -> bool:
    file = io.BytesIO(data)
    return media_in(file, whole_boxes(file), spans)


@pytest.mark.parametrize("wide", [False, True], ids=["stco", "co64"])
@pytest.mark.parametrize("sizes", [[10, 10, 10, 10], [10, 20, 5, 5]], ids=["same", "each"])
def test_a_chunk_reaches_as_far_as_its_samples(sizes: list[int], wide: bool) -> None:
    data = _track([120, 200], [(1, 1), (2, 3)], sizes, wide=wide)
    end = 200 + sum(sizes[1:])
    assert _in(data, (119, 121))
    assert _in(data, (129, 130))
    assert not _in(data, (130, 200))
    assert _in(data, (end - 1, end))
    assert not _in(data, (0, 120), (end, 600))


def test_runs_hold_until_the_next_one() -> None:
    data = _track([120, 200, 300], [(1, 2)], [7, 8, 9, 10, 11, 12])
    assert _in(data, (322, 323))
    assert not _in(data, (135, 200), (219, 300), (323, 400))


def test_a_chunk_in_free_space_is_media() -> None:
    assert _in(_track([120, 30], [(1, 1)], [10]), (16, 100))
    assert _in(_track([95], [(1, 1)], [10]), (16, 100))  # it ends outside
    assert _in(_track([90], [(1, 1)], [0, 5]), (16, 100))  # of nothing, and yet there


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b"stsc", b"xxxx"),
        lambda data: data.replace(b"stsz", b"xxxx"),
        lambda data: data.replace(b"stsc" + _numbers(0, 1, 1), b"stsc" + _numbers(0, 1, 2)),
        lambda data: data.replace(b"stsc" + _numbers(0, 1), b"stsc" + _numbers(0, 9)),
        lambda data: data.replace(b"stco" + _numbers(0, 2), b"stco" + _numbers(0, 2**31)),
        lambda data: data.replace(b"stsz", b"stsc"),
    ],
)
def test_tables_that_make_no_sense_are_refused(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(ValueError):
        _in(change(_track([120, 200], [(1, 1)], [10, 20])), (16, 100))


def test_tables_of_absurd_numbers_take_no_memory() -> None:
    runs = [(1 + number * 1000, 2**32 - 1) for number in range(1000)]
    assert _in(_track([120] * 5, runs, [10]), (120, 121))
    assert _in(_track([120] * 5, runs, [2**32 - 1]), (2**40, 2**41))


def test_real_videos_lie_in_their_media_box() -> None:
    for name in ("mp4", "mov", "m4a", "avif"):
        data = made(name, 1)
        mdat = next(box for box in walk(io.BytesIO(data)) if box.kind == b"mdat")
        assert _in(data, (mdat.body, mdat.end)), name
        assert not _in(data, (0, mdat.body), (mdat.end, len(data))), name


def test_the_fragments_of_a_real_video_lie_in_their_media_boxes() -> None:
    output = io.BytesIO()
    with av.open(output, "w", format="mp4", options={"movflags": "frag_every_frame+empty_moov"}) as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 48, 48, "yuv420p"
        for picture in np.random.default_rng(0).integers(0, 255, (4, 48, 48, 3), dtype=np.uint8):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    data = output.getvalue()
    boxes = [box for box in walk(io.BytesIO(data)) if box.kind == b"mdat"]
    assert len(boxes) > 1
    for box in boxes:
        assert _in(data, (box.body, box.body + 1))
        assert _in(data, (box.end - 1, box.end))
    assert not _in(data, *((box.start, box.body) for box in boxes), (0, boxes[0].start), (boxes[-1].end, len(data)))


def test_items_of_a_picture_count_from_the_beginning_of_the_file() -> None:
    def still(method: int, offset: int) -> bytes:
        item = _numbers(1, method, 0, form="H") + _numbers(100) + _numbers(1, form="H") + _numbers(offset, 50)
        table = _box(b"iloc", b"\1\0\0\0\x44\x40" + _numbers(1, form="H") + item)
        return _box(b"ftyp", bytes(8)) + _box(b"meta", bytes(4) + table)

    assert _in(still(0, 7), (107, 108))
    assert _in(still(0, 7), (156, 157))
    assert not _in(still(0, 7), (0, 107), (157, 999))
    assert not _in(still(1, 7), (0, 999))  # in a box of its own, which is hashed
    with pytest.raises(ValueError):
        _in(still(0, 7).replace(_numbers(100) + _numbers(1, form="H"), _numbers(100) + _numbers(9, form="H")), (0, 1))


def test_a_video_whose_media_lie_in_free_space_is_not_trusted(tmp_path: Path) -> None:
    """An honest signer is given a film with its frames in a free box; whoever exchanges them breaks no hash."""
    root = issue("Root", authority=True)
    for kind, outcome in ((b"mdat", "trusted"), (b"free", "untrusted")):
        data = made("mp4", 1)
        place = next(box.start for box in walk(io.BytesIO(data)) if box.kind == b"mdat") + 4
        film = data[:place] + kind + data[place + 4 :]
        path = written(tmp_path / f"{kind.decode()}.mp4", sign(signer("Ada", root), film, MEDIA_TYPES["mp4"]))
        found = verify(path, [root.pem])
        assert found.outcome == outcome, kind
        assert ("org.sfumato.coverage.incomplete" in found.codes) == (outcome == "untrusted")
