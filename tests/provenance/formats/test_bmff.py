"""Boxes and layouts of mp4: the same frames after every chunk moved, fragments refused, the strange left to the
library.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.formats.bmff import layout, refuse_fragments, top_boxes
from sfumato.errors import MediaError


def _frames(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24").tobytes() for frame in container.decode(video=0)]


def _box(kind: bytes, body: bytes = b"") -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def _laid_out(data: bytes, store: bytes) -> bytes | None:
    file = io.BytesIO(data)
    plan = layout(file, len(store))
    if plan is None:
        return None
    parts = [
        store if piece.is_store else data[piece.start : piece.end] if piece.data is None else piece.data
        for piece in plan.pieces
    ]
    out = b"".join(parts)
    assert out[plan.store_at : plan.store_at + len(store)] == store
    assert sum(plan.media_sizes) == sum(piece.end - piece.start for piece in plan.pieces if piece.media is not None)
    return out


def _remuxed(source: Path, destination: Path, **options: str) -> Path:
    with av.open(str(source)) as given_, av.open(str(destination), "w", options=options) as out:
        stream = out.add_stream_from_template(given_.streams.video[0])
        for packet in given_.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    return destination


@pytest.mark.parametrize("options", [{}, {"movflags": "faststart"}], ids=["index behind", "index in front"])
@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_the_frames_are_the_same_with_a_store_in_it(
    unsealed: Path, tmp_path: Path, options: dict[str, str], suffix: str
) -> None:
    source = _remuxed(unsealed, tmp_path / f"in{suffix}", **options)
    out = _laid_out(source.read_bytes(), _box(b"free", bytes(5000)))
    assert out is not None
    (tmp_path / f"out{suffix}").write_bytes(out)
    assert _frames(tmp_path / f"out{suffix}") == _frames(unsealed)


def test_an_old_store_is_left_out(sealed: Path) -> None:
    out = _laid_out(sealed.read_bytes(), b"")
    assert out is not None
    assert b"jumb" not in out
    assert [box.kind for box in top_boxes(io.BytesIO(out))] == [b"ftyp", b"free", b"mdat", b"moov"]


def test_every_mdat_gets_a_long_header(unsealed: Path) -> None:
    out = _laid_out(unsealed.read_bytes(), b"")
    assert out is not None
    assert [box.header for box in top_boxes(io.BytesIO(out)) if box.kind == b"mdat"] == [16]


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data + _box(b"meta", b"1234"),  # may hold positions of another form
        lambda data: data.replace(b"stts", b"saio", 1),
        lambda data: data.replace(b"ftyp", b"styp", 1),
        lambda data: (
            data[: data.index(b"stco") + 12] + b"\xff\xff\xff\xff" + data[data.index(b"stco") + 16 :]
        ),  # a chunk outside the media
        lambda data: (
            data[: data.index(b"stco") + 8] + b"\xff\xff\xff\xff" + data[data.index(b"stco") + 12 :]
        ),  # more chunks than bytes
    ],
    ids=["meta", "saio", "no ftyp", "stray chunk", "too many chunks"],
)
def test_what_is_not_understood_gets_no_layout(unsealed: Path, change: Callable[[bytes], bytes]) -> None:
    assert _laid_out(change(unsealed.read_bytes()), b"") is None


def test_fragments_are_refused(unsealed: Path, tmp_path: Path) -> None:
    fragmented = _remuxed(unsealed, tmp_path / "fragmented.mp4", movflags="frag_keyframe+empty_moov+default_base_moof")
    data = fragmented.read_bytes()
    first = next(box for box in top_boxes(io.BytesIO(data)) if box.kind == b"moof")
    for part in (data, data[: first.start], data[first.start :], _box(b"styp", b"msdh") + data[first.start :]):
        with pytest.raises(MediaError, match="fragmented"):
            refuse_fragments(io.BytesIO(part))
    with unsealed.open("rb") as whole:
        refuse_fragments(whole)


def test_a_cut_file_is_refused(unsealed: Path) -> None:
    data = unsealed.read_bytes()
    with pytest.raises(MediaError, match="damaged or cut off"):
        refuse_fragments(io.BytesIO(data[:-100]))
    moov = next(box for box in top_boxes(io.BytesIO(data)) if box.kind == b"moov")
    with pytest.raises(MediaError, match="no index"):
        refuse_fragments(io.BytesIO(data[: moov.start]))


@given(st.data())
def test_no_input_crashes(unsealed: Path, data: Any) -> None:
    changed = bytearray(unsealed.read_bytes())
    moov = changed.index(b"moov")
    for _ in range(data.draw(st.integers(1, 8))):
        changed[data.draw(st.one_of(st.integers(0, 60), st.integers(moov, len(changed) - 1)))] = data.draw(
            st.integers(0, 255)
        )
    try:
        plan = layout(io.BytesIO(bytes(changed)), 100)
    except MediaError:
        return
    assert plan is None or plan.store_at > 0
