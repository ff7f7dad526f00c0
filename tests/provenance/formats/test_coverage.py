"""What a signature leaves out is found in the very file, by range or name; only the store itself is passed over."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from provenance.formats.coverage import MOST_PARTS, uncovered
from provenance.formats.stores.span import STORE_TYPE
from provenance.formats.uncovered import Uncovered
from provenance.verifying.verify import verify
from tests.provenance.excluding import made

STORE = (120).to_bytes(4, "big") + b"jumb" + (30).to_bytes(4, "big") + b"jumd" + STORE_TYPE + b"\x03c2pa\0" + bytes(82)
PLAIN = made("jpg", 1)
HELD = b"\xff\xeb" + (len(STORE) + 10).to_bytes(2, "big") + b"JP\2\x11\0\0\0\1" + STORE
JPEG = PLAIN[:20] + HELD + PLAIN[20:]
END, SIZE = 20 + len(HELD), len(JPEG)


def _ranges(*ranges: tuple[int, int], data: bytes = JPEG) -> list[tuple[str, int, bool]]:
    exclusions = [{"start": start, "length": length} for start, length in ranges]
    found = uncovered("c2pa.hash.data", {"exclusions": exclusions}, io.BytesIO(data))
    return [(part.place, part.size, part.essential) for part in found]


def _bytes(start: int, end: int) -> tuple[str, int, bool]:
    return f"bytes {start} to {end - 1}", end - start, True


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ([(20, len(HELD))], []),
        ([(30, 10)], []),
        ([], []),
        ([(0, 0)], []),
        ([(20, len(HELD) + 1)], [_bytes(END, END + 1)]),
        ([(19, len(HELD))], [_bytes(19, 20)]),
        ([(2, SIZE)], [_bytes(2, 20), _bytes(END, SIZE)]),
        ([(20, len(HELD)), (2, 18)], [_bytes(2, 20)]),
        ([(END + 9, 30), (20, len(HELD)), (END + 5, 9)], [_bytes(END + 5, END + 39)]),
        ([(END, 10**18), (20, 5)], [_bytes(END, SIZE)]),
        ([(SIZE, 100)], []),
    ],
    ids=str,
)
def test_only_the_bytes_of_the_store_may_be_left_out(
    ranges: list[tuple[int, int]], expected: list[tuple[str, int, bool]]
) -> None:
    assert _ranges(*ranges) == expected


def test_nothing_excuses_a_range_in_a_file_that_cannot_be_followed() -> None:
    for data in (JPEG[:-2], JPEG.replace(b"\xff\xdb", b"\0\xdb", 1), b"OggS" + JPEG):
        found = uncovered("c2pa.hash.data", {"exclusions": [{"start": 20, "length": len(HELD)}]}, io.BytesIO(data))
        assert [part.essential for part in found] == [True]
        assert "cannot be followed" in found[0].remark


@pytest.mark.parametrize("entry", [{"start": -1, "length": 5}, {"start": "x", "length": 1}, {"start": 1}, None, 7])
def test_a_range_that_is_none_leaves_out_everything(entry: Any) -> None:
    found = uncovered("c2pa.hash.data", {"exclusions": [entry]}, io.BytesIO(JPEG))
    assert [(part.place, part.size, part.essential) for part in found] == [("the whole file", 0, True)]


def _names(*boxes: dict[str, Any], data: bytes = JPEG) -> list[tuple[str, bool]]:
    found = uncovered("c2pa.hash.boxes", {"boxes": list(boxes)}, io.BytesIO(data))
    return [(part.place, part.essential) for part in found]


ALL: list[dict[str, Any]] = [
    {"names": ["SOI", "APP0"]},
    {"names": ["C2PA"], "excluded": True},
    {"names": ["SOS", "EOI"]},
]


def test_parts_left_out_by_name_are_listed() -> None:
    assert _names(*ALL) == []
    assert _names(*ALL[:2], {"names": ["SOS", "RST"], "excluded": True}, {"names": ["EOI"]}) == [
        ("parts SOS, RST", True)
    ]
    assert _names(*ALL[:2], {"names": ["SOS", "EOI"], "exclusions": [{"start": 1, "length": 2}]}) == [
        ("in parts SOS, EOI", True)
    ]


def test_what_no_name_reaches_is_listed() -> None:
    assert _names(*ALL[:2]) == [("all behind C2PA", True)]
    assert _names() == [("all behind the beginning", True)]
    assert _names(*ALL, data=JPEG + b"another picture") == [(f"bytes {SIZE} to {SIZE + 14}", True)]
    assert _names(*ALL[:2], *ALL[1:]) == [("parts C2PA", True)]
    assert _names(*ALL, data=PLAIN) == [("parts C2PA", True)]


def test_foreign_names_are_cut_and_what_has_only_a_name_has_no_size() -> None:
    boxes = [{"names": ["n" * 300], "excluded": True, "exclusions": [1]}, {"names": ["m" * 300]}]
    found = uncovered("c2pa.hash.boxes", {"boxes": boxes}, io.BytesIO(JPEG))
    assert [(part.place, part.size) for part in found] == [
        ("in parts " + "n" * 200, 0),
        ("parts " + "n" * 200, 0),
        ("all behind " + "m" * 200, 0),
    ]


def test_parts_of_a_file_that_has_none_are_not_understood() -> None:
    for name in ("wav", "svg"):
        assert _names(*ALL, data=made(name, 1)) == [("the whole file", True)]


def _archive(*names: str) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        for name in names:
            archive.writestr(name, "" if name.endswith("/") else name)
    return output.getvalue()


def test_files_of_an_archive_that_are_not_named_are_listed() -> None:
    data = _archive("a.xml", "b.xml", "META-INF/", "META-INF/content_credential.c2pa")

    def places(assertion: dict[str, Any], content: bytes = data) -> list[tuple[str, bool]]:
        found = uncovered("c2pa.hash.collection.data", assertion, io.BytesIO(content))
        return [(part.place, part.essential) for part in found]

    directory = {"zip_central_directory_hash": [1]}
    assert places({"uris": {"a.xml": {}, "b.xml": {}}, **directory}) == []
    assert places({"uris": {"a.xml": {}}, **directory}) == [("b.xml", True)]
    assert places({"uris": {"a.xml": {}, "b.xml": {}}}) == [("the directory of the archive", True)]
    assert places({"uris": {"a.xml": {}}, **directory}, b"no archive") == [("the whole file", True)]
    assert places({"uris": {"a.xml": {}}, **directory}, data.replace(b"b.xml", b"a.xml")) == [("the whole file", True)]


def test_only_an_empty_folder_of_an_archive_needs_no_name() -> None:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        archive.writestr("folder/", "")
        archive.writestr("full/", "hidden")
        archive.writestr("empty", "")
        archive.writestr("n" * 300, "named")
    assertion = {"uris": {}, "zip_central_directory_hash": [1]}
    found = uncovered("c2pa.hash.collection.data", assertion, io.BytesIO(output.getvalue()))
    assert [(part.place, part.size) for part in found] == [("full/", 6), ("empty", 0), ("n" * 200, 5)]


@pytest.mark.parametrize(
    "binding", ["c2pa.hash.multi-asset", "c2pa.hash.data.part", "c2pa.hash.collection", "c2pa.hash"]
)
def test_a_binding_that_is_not_understood_covers_nothing(binding: str) -> None:
    found = uncovered(binding, {"exclusions": []}, io.BytesIO(JPEG))
    assert [(part.place, part.size, part.essential) for part in found] == [("the whole file", 0, True)]


def test_a_second_binding_of_a_kind_has_a_number() -> None:
    assert uncovered("c2pa.hash.data__1", {"exclusions": []}, io.BytesIO(JPEG)) == ()


def test_what_is_essential_is_never_cut_off_the_list() -> None:
    free = b"\0\0\0\x08free" * (2 * MOST_PARTS)
    movie = b"\0\0\0\x08ftyp" + free + b"\0\0\0\x08mdat"
    assertion = {"hash": [1], "exclusions": [{"xpath": "/free"}, {"xpath": "/mdat"}]}
    found = uncovered("c2pa.hash.bmff.v3", assertion, io.BytesIO(movie))
    assert len(found) == MOST_PARTS
    assert found[0].place == "/mdat"


@pytest.mark.parametrize("shape", [7, "all", [None], [{"xpath": 7}], [{"start": "x"}], {"a": 1}])
@pytest.mark.parametrize(
    "binding", ["c2pa.hash.bmff.v3", "c2pa.hash.data", "c2pa.hash.boxes", "c2pa.hash.collection.data"]
)
def test_any_shape_is_survived_and_none_is_harmless(shape: Any, binding: str) -> None:
    for data in (JPEG, b"", b"\0\0\0\1mdat", b"\0\0\0\0moov" + bytes(100)):
        assertion = {"exclusions": shape, "boxes": shape, "merkle": shape, "uris": shape}
        found = uncovered(binding, assertion, io.BytesIO(data))
        assert any(part.essential for part in found)


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
    moved = verify(tmp_path / "moved.mp4").codes
    assert moved == verify(source).codes and "signingCredential.untrusted" in moved
