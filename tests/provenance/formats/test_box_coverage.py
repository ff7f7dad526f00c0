"""Boxes that a hash leaves out are found by their path; what the standard lets a writer leave out is all that is
harmless.
"""

from __future__ import annotations

import io
import struct
from typing import Any

import pytest

from provenance.formats.coverage import uncovered
from provenance.formats.manifest_box import C2PA_UUID


def _box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


TABLES = _box(b"stbl", _box(b"stco", bytes(24)) + _box(b"stsd", _box(b"avc1", bytes(20))))
MOVIE = (
    _box(b"ftyp", b"isom" + bytes(8))
    + _box(b"uuid", C2PA_UUID + bytes(20))
    + _box(b"uuid", b"another kind 16b" + bytes(4))
    + _box(b"mdat", bytes(100))
    + _box(b"moov", _box(b"trak", _box(b"mdia", _box(b"minf", TABLES))))
    + _box(b"free", bytes(5))
    + _box(b"mfra", _box(b"tfra", bytes(9)))
)
MANIFEST = {"xpath": "/uuid", "data": [{"offset": 8, "value": list(C2PA_UUID)}]}
MEDIA = {"xpath": "/mdat", "subset": [{"offset": 16, "length": 0}]}


def _places(
    *exclusions: Any, data: bytes = MOVIE, binding: str = "c2pa.hash.bmff.v3", **more: Any
) -> list[tuple[str, int, bool]]:
    assertion = {"hash": [1], "exclusions": list(exclusions), **more}
    return [(part.place, part.size, part.essential) for part in uncovered(binding, assertion, io.BytesIO(data))]


def test_what_the_standard_leaves_out_is_harmless() -> None:
    named = [{"xpath": path} for path in ("/ftyp", "/free", "/skip", "/mfra", "/mfra/tfra")]
    assert _places(MANIFEST, *named) == [
        ("/ftyp", 20, False),
        ("/free", 13, False),
        ("/mfra", 25, False),
        ("/mfra/tfra", 17, False),
    ]


def test_the_manifest_itself_is_not_listed_and_other_boxes_of_its_kind_are() -> None:
    assert _places(MANIFEST) == []
    assert _places({"xpath": "/uuid"}) == [("/uuid", 28, True)]
    assert _places({"xpath": "/uuid", "data": [{"offset": 8, "value": "b64'YW5vdGhlcg=='"}]}) == [("/uuid", 28, True)]


@pytest.mark.parametrize(
    ("entry", "size"),
    [
        ({"xpath": "/mdat"}, 108),
        ({"xpath": "/mdat", "subset": [{"offset": 16, "length": 10}]}, 10),
        ({"xpath": "/mdat", "subset": [{"offset": 90, "length": 99}]}, 18),
        ({"xpath": "/mdat", "subset": [{"offset": 10, "length": 5}, {"offset": 12, "length": 5}]}, 7),
        ({"xpath": "/moov"}, 32 + len(TABLES)),
        ({"xpath": "/moov/trak/mdia/minf/stbl/stco"}, 32),
        ({"xpath": "/moov/trak/mdia/minf/stbl/stco", "subset": [{"offset": 16, "length": 0}]}, 16),
        ({"xpath": "/mdat", "length": 108, "version": 0, "flags": [0, 0, 0], "exact": False}, 108),
    ],
    ids=str,
)
def test_every_other_box_and_part_of_a_box_is_essential(entry: dict[str, Any], size: int) -> None:
    assert _places(MANIFEST, entry) == [(entry["xpath"], size, True)]


def test_a_box_that_is_not_there_leaves_nothing_out() -> None:
    for path in ("/meta/iloc", "/moof/traf/tfhd", "/moov/trak/mdia/minf/stbl/co64", "/moov/udta"):
        assert _places({"xpath": path}) == []


def test_a_box_in_one_that_is_not_looked_into_may_be_there() -> None:
    assert _places({"xpath": "/moov/trak/mdia/minf/stbl/stsd/avc1"}) == [
        ("/moov/trak/mdia/minf/stbl/stsd/avc1", 0, True)
    ]
    broken = MOVIE.replace(b"stbl", b"stbl", 1) + _box(b"moov", _box(b"trak") + b"\0\0\0\1x")
    assert ("/moov/mvhd", 0, True) in _places({"xpath": "/moov/mvhd"}, data=broken)


@pytest.mark.parametrize("path", ["", "mdat", "/moov[0]/trak", "/moov[x]", "//mdat", "/*", "/mdat/", "/mda"])
def test_a_path_of_another_form_is_essential(path: str) -> None:
    assert _places({"xpath": path}) == [(f"exclusion {path}", 0, True)]


def test_a_path_may_say_which_of_several_boxes() -> None:
    assert _places({"xpath": "/mdat[1]"}) == [("/mdat[1]", 108, True)]
    assert _places({"xpath": "/mdat[2]"}) == [("/mdat[2]", 108, True)]  # taken for all: the stricter of two readings
    assert _places({"xpath": "/free[1]"}) == [("/free[1]", 13, False)]


def test_a_condition_on_bytes_keeps_an_exclusion_from_other_boxes() -> None:
    held = {"xpath": "/mdat", "data": [{"offset": 4, "value": list(b"mdat")}]}
    other = {"xpath": "/mdat", "data": [{"offset": 8, "value": [1, 2]}]}
    assert _places(held) == [("/mdat", 108, True)]
    assert _places(other) == []


def test_media_hashed_in_pieces_are_covered_if_there_are_enough_pieces() -> None:
    def tree(count: int, number: int = 0, **sizes: Any) -> dict[str, Any]:
        return {"localId": number, "count": count, **sizes}

    assert _places(MEDIA, merkle=[tree(6, fixedBlockSize=16)]) == []
    assert _places(MEDIA, merkle=[tree(5, fixedBlockSize=16)]) == [("/mdat", 92, True)]
    assert _places(MEDIA, merkle=[tree(2, variableBlockSizes=[40, 52])]) == []
    assert _places(MEDIA, merkle=[tree(2, variableBlockSizes=[40, 51])]) == [("/mdat", 92, True)]
    assert _places(MEDIA, merkle=[tree(2)]) == [("/mdat", 92, True)]
    two = MOVIE + _box(b"mdat", bytes(50))
    assert _places(MEDIA, data=two, merkle=[tree(6, fixedBlockSize=16)]) == [("/mdat", 42, True)]
    assert _places(MEDIA, data=two, merkle=[tree(9, fixedBlockSize=16), tree(9, 1, fixedBlockSize=16)]) == []


def test_what_lies_in_front_of_the_pieces_is_not_in_them() -> None:
    tree = {"localId": 0, "count": 6, "fixedBlockSize": 16}
    assert _places({"xpath": "/mdat"}, merkle=[tree]) == [("/mdat", 16, True)]


def test_trees_that_are_not_numbered_hold_nothing() -> None:
    tree = {"localId": 1, "count": 6, "fixedBlockSize": 16}
    assert _places(MEDIA, merkle=[tree]) == [("the whole file", 0, True)]
    assert _places(MEDIA, merkle=[{**tree, "localId": 0}] * 2) == [("the whole file", 0, True)]


def test_the_hash_of_the_rest_must_be_there() -> None:
    tree = {"localId": 0, "count": 6, "fixedBlockSize": 16}
    assert _places(MEDIA, merkle=[tree], hash=None) == [("/", 0, True)]


def test_the_first_form_of_the_hash_does_not_hold_where_boxes_are() -> None:
    assert _places(MANIFEST, binding="c2pa.hash.bmff") == [("/", 0, True)]
    assert _places(MANIFEST, binding="c2pa.hash.bmff.v2") == []


def test_a_file_that_its_boxes_do_not_fill_is_not_covered() -> None:
    assert _places(MANIFEST, data=MOVIE + b"more") == [("the whole file", 0, True)]
    two = MOVIE + _box(b"uuid", C2PA_UUID + bytes(20))
    assert _places(MANIFEST, data=two) == [("the whole file", 0, True)]


def test_boxes_in_a_box_with_a_version_are_found_behind_it() -> None:
    movie = _box(b"ftyp", b"isom") + _box(b"meta", bytes(4) + _box(b"hdlr", bytes(9)) + _box(b"iloc", bytes(8)))
    assert _places({"xpath": "/meta/iloc"}, data=movie) == [("/meta/iloc", 16, True)]


def test_a_box_may_be_there_behind_more_boxes_than_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def movie(count: int) -> bytes:
        return _box(b"ftyp", b"isom") + _box(b"moov", _box(b"free") * count)

    monkeypatch.setattr("provenance.formats.box_coverage.MOST_BOXES", 20)
    assert _places({"xpath": "/moov/mvhd"}, data=movie(20)) == []
    assert _places({"xpath": "/moov/mvhd"}, data=movie(21)) == [
        ("/moov/mvhd", 0, True),
        ("/moov/mvhd", 176, True),
    ]


def test_a_foreign_path_is_cut() -> None:
    assert _places({"xpath": "x" * 900}) == [("exclusion " + "x" * 200, 0, True)]


def test_media_in_free_space_are_shown_and_so_essential() -> None:
    def movie(place: int) -> bytes:
        tables = _box(b"stsc", struct.pack(">5I", 0, 1, 1, 1, 1)) + _box(b"stsz", struct.pack(">3I", 0, 4, 1))
        tables += _box(b"stco", struct.pack(">3I", 0, 1, place))
        track = _box(b"trak", _box(b"mdia", _box(b"minf", _box(b"stbl", tables))))
        return _box(b"ftyp", b"isom") + _box(b"free", bytes(20)) + _box(b"mdat", bytes(20)) + _box(b"moov", track)

    assert _places({"xpath": "/free"}, data=movie(48)) == [("/free", 28, False)]  # the media are in mdat
    assert _places({"xpath": "/free"}, data=movie(20)) == [("/", 0, True), ("/free", 28, False)]


def test_an_exclusion_of_no_meaning_does_not_hide_the_next_one() -> None:
    other = {"xpath": "/mdat", "data": [{"offset": 8, "value": [1, 2]}]}  # a condition that does not hold
    assert _places({"xpath": "mdat"}, other, {"xpath": "/mdat"}) == [("exclusion mdat", 0, True), ("/mdat", 108, True)]
