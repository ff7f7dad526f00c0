"""What a signature leaves out is found in the very file, by path, range or name; what decides the picture is marked."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import pytest

from provenance.formats.coverage import Uncovered, uncovered
from provenance.formats.manifest_box import C2PA_UUID
from provenance.verifying.verify import verify


def _box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


MOVIE = (
    _box(b"ftyp", b"isom" + bytes(8))
    + _box(b"uuid", C2PA_UUID + bytes(20))
    + _box(b"uuid", b"another kind 16b" + bytes(4))
    + _box(b"mdat", bytes(100))
    + _box(b"moov", _box(b"trak", _box(b"mdia", _box(b"minf", _box(b"stbl", _box(b"stco", bytes(24)))))))
    + _box(b"free", bytes(5))
)


def _places(
    assertion: dict[str, Any], data: bytes = MOVIE, binding: str = "c2pa.hash.bmff.v3"
) -> list[tuple[str, int, bool]]:
    return [(part.place, part.size, part.essential) for part in uncovered(binding, assertion, io.BytesIO(data))]


def test_boxes_are_found_by_their_path() -> None:
    exclusions: list[dict[str, Any]] = [{"xpath": "/ftyp"}, {"xpath": "/free"}, {"xpath": "/skip"}, {"xpath": "/mfra"}]
    assert _places({"exclusions": exclusions}) == [("/ftyp", 20, False), ("/free", 13, False)]


def test_the_manifest_itself_is_not_listed_and_other_boxes_of_its_kind_are() -> None:
    uuid = {"xpath": "/uuid", "data": [{"offset": 8, "value": list(C2PA_UUID)}]}
    assert _places({"exclusions": [uuid]}) == []
    assert _places({"exclusions": [{"xpath": "/uuid"}]}) == [("/uuid", 28, False)]


def test_what_decides_the_picture_is_marked() -> None:
    table = {"xpath": "/moov/trak/mdia/minf/stbl/stco", "subset": [{"offset": 16, "length": 0}]}
    assert _places({"exclusions": [table]}) == [("/moov/trak/mdia/minf/stbl/stco", 16, True)]
    assert _places({"exclusions": [{"xpath": "/mdat"}]}) == [("/mdat", 108, True)]
    assert _places({"exclusions": [{"xpath": "/mdat", "subset": [{"offset": 16, "length": 10}]}]}) == [
        ("/mdat", 10, True)
    ]


def test_media_hashed_in_pieces_are_covered_if_there_are_enough_pieces() -> None:
    media = {"xpath": "/mdat", "subset": [{"offset": 16, "length": 0}]}
    assert _places({"exclusions": [media], "merkle": [{"localId": 0, "count": 6, "fixedBlockSize": 16}]}) == []
    assert _places({"exclusions": [media], "merkle": [{"localId": 0, "count": 5, "fixedBlockSize": 16}]}) == [
        ("/mdat", 92, True)
    ]
    assert (
        _places({"exclusions": [media], "merkle": [{"localId": 0, "count": 2, "variableBlockSizes": [40, 60]}]}) == []
    )
    two = MOVIE + _box(b"mdat", bytes(50))
    assert _places({"exclusions": [media], "merkle": [{"localId": 0, "count": 6, "fixedBlockSize": 16}]}, two) == [
        ("/mdat", 42, True)
    ]


JPEG = b"\xff\xd8" + b"\xff\xeb\x00\x12" + bytes(16) + b"\xff\xe1\x00\x08" + bytes(6) + b"\xff\xdb\x00\x04" + bytes(2)


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [
        (2, 20, []),
        (2, 30, [("bytes 2 to 31", 10, False)]),
        (22, 10, [("bytes 22 to 31", 10, False)]),
        (32, 6, [("bytes 32 to 37", 6, True)]),
        (2, 10**9, [("bytes 2 to 37", 16, False)]),
        (2, 0, []),
    ],
)
def test_ranges_that_hold_more_than_the_manifest_are_listed(
    start: int, length: int, expected: list[tuple[str, int, bool]]
) -> None:
    assert _places({"exclusions": [{"start": start, "length": length}]}, JPEG, "c2pa.hash.data") == expected


def test_boxes_left_out_by_name_are_listed() -> None:
    boxes = [{"names": ["SOI"]}, {"names": ["C2PA"], "excluded": True}, {"names": ["SOS", "RST"], "excluded": True}]
    assert _places({"boxes": boxes}, JPEG, "c2pa.hash.boxes") == [("boxes SOS, RST", 0, True)]


@pytest.mark.parametrize(
    "exclusions", [None, 7, "all", [None], [{"xpath": 7}], [{"xpath": "/mdat", "subset": 3}], [{"start": "x"}]]
)
@pytest.mark.parametrize("binding", ["c2pa.hash.bmff.v3", "c2pa.hash.data", "c2pa.hash.boxes", "c2pa.hash.collection"])
def test_any_shape_is_survived(exclusions: Any, binding: str) -> None:
    for data in (MOVIE, JPEG, b"", b"\0\0\0\1mdat", b"\0\0\0\0moov" + bytes(100), _box(b"moov", _box(b"moov") * 100)):
        found = uncovered(
            binding, {"exclusions": exclusions, "boxes": exclusions, "merkle": exclusions}, io.BytesIO(data)
        )
        assert all(isinstance(part, Uncovered) for part in found)


def test_ours_leave_out_what_no_player_shows(sealed: Path) -> None:
    found = verify(sealed)
    assert {part.place for part in found.uncovered} <= {"/ftyp", "/free", "/skip"}
    assert found.uncovered
    assert not any(part.essential for part in found.uncovered)


def test_a_signature_that_leaves_out_the_picture_is_not_trusted(
    sealed: Path, root: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_out = (Uncovered("/moov/trak/mdia/minf/stbl/stco", 24, "where the frames are in the file", essential=True),)
    monkeypatch.setattr("provenance.verifying.verify._left_out", lambda bindings, file: left_out)
    found = verify(sealed, [root])
    assert (found.outcome, found.codes) == ("untrusted", ("org.sfumato.coverage.incomplete",))
    assert "stco" in found.reason


@pytest.mark.footage
def test_an_older_generator_left_out_where_the_frames_are(footage: Path, tmp_path: Path) -> None:
    """The library finds nothing wrong with such a file when every frame position in it is changed; the picture is
    another one then.
    """
    folder = next(
        (place for place in (footage / "c2pa", footage.parent / "c2pa", footage) if (place / "certs").is_dir()), None
    )
    if folder is None:
        pytest.skip("the footage comes without a folder c2pa")
    source = folder / "signed" / "c2pa-rs__video1.mp4"
    assert any(part.essential and part.place.endswith("stco") for part in verify(source).uncovered)
    data = bytearray(source.read_bytes())
    place = data.index(b"stco", data.index(b"moov\0"))
    first = place + 12
    data[first : first + 4] = (int.from_bytes(data[first : first + 4], "big") + 100).to_bytes(4, "big")
    (tmp_path / "moved.mp4").write_bytes(data)
    assert verify(tmp_path / "moved.mp4").codes == ("signingCredential.untrusted",)
