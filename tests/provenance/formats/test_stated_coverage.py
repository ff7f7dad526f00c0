"""What a hard binding says that it leaves out, without the media: the manifest may be, all else is essential."""

from __future__ import annotations

from typing import Any

import pytest

from provenance.formats.stated_coverage import stated_uncovered

STORE = 10_000
OWN = [{"offset": 8, "value": "b64'2P7D1hsOSDySl1go94fX4Q=='"}]


def ranges(*spans: tuple[int, int]) -> dict[str, Any]:
    return {"exclusions": [{"start": start, "length": length} for start, length in spans]}


def boxes(*paths: str, **more: Any) -> dict[str, Any]:
    exclusions = [{"xpath": path, "data": OWN if path == "/uuid" else None} for path in paths]
    return {"hash": "b64'aa'", "exclusions": exclusions, **more}


def parts(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"boxes": list(entries)}


@pytest.mark.parametrize(
    ("binding", "assertion"),
    [
        ("c2pa.hash.data", ranges((33, STORE))),
        ("c2pa.hash.data", ranges()),
        ("c2pa.hash.data", {"alg": "sha256"}),
        ("c2pa.hash.data", ranges((33, 2 * STORE + 65536))),
        ("c2pa.hash.data", ranges((8, 12), (4000, STORE))),
        ("c2pa.hash.data", ranges((8, 64), (4000, STORE))),
        ("c2pa.hash.data__1", ranges((33, STORE // 2), (33 + STORE // 2, STORE // 2))),
        ("c2pa.hash.bmff.v3", boxes("/uuid", "/ftyp", "/mfra", "/free", "/skip")),
        ("c2pa.hash.bmff.v2", boxes("/uuid", "/mdat", merkle=[{}])),
        ("c2pa.hash.boxes", parts({"names": ["SOI"]}, {"names": ["C2PA"], "excluded": True})),
        ("c2pa.hash.collection.data", {"zip_central_directory_hash": "b64'aa'"}),
    ],
)
def test_what_may_be_the_manifest_is_left_alone(binding: str, assertion: dict[str, Any]) -> None:
    assert stated_uncovered(binding, assertion, STORE) == ()


@pytest.mark.parametrize(
    ("binding", "assertion", "place"),
    [
        ("c2pa.hash.data", ranges((33, 2 * STORE + 65537)), f"bytes 33 to {33 + 2 * STORE + 65536}"),
        ("c2pa.hash.data", ranges((33, STORE), (50_000, 65)), "bytes 50000 to 50064"),
        ("c2pa.hash.data", ranges((33, STORE), (50_000, 40), (60_000, 40)), "bytes 50000 to 50039"),
        ("c2pa.hash.data", {"exclusions": [{"start": "x"}]}, "the whole file"),
        ("c2pa.hash.bmff", boxes("/uuid"), "/"),
        ("c2pa.hash.bmff.v3", boxes("/uuid") | {"hash": None}, "/"),
        ("c2pa.hash.bmff.v3", boxes("/moov"), "/moov"),
        ("c2pa.hash.bmff.v3", boxes("/mdat"), "/mdat"),
        ("c2pa.hash.bmff.v2", {"hash": "x", "exclusions": [{"xpath": "/uuid"}]}, "/uuid"),
        ("c2pa.hash.boxes", parts({"names": ["IDAT"], "excluded": True}), "parts IDAT"),
        ("c2pa.hash.boxes", parts({"names": ["C2PA"], "exclusions": [1]}), "parts C2PA"),
        ("c2pa.hash.boxes", {}, "the whole file"),
        ("c2pa.hash.collection.data", {}, "the directory of the archive"),
        ("c2pa.hash.other", {}, "the whole file"),
    ],
)
def test_all_else_is_essential(binding: str, assertion: dict[str, Any], place: str) -> None:
    found = stated_uncovered(binding, assertion, STORE)
    assert (found[0].place, found[0].essential) == (place, True)


def test_the_list_has_an_end() -> None:
    assert len(stated_uncovered("c2pa.hash.bmff.v3", boxes(*["/moov"] * 900), STORE)) == 50


def test_what_is_left_out_by_place_has_its_size_and_all_else_none() -> None:
    found = stated_uncovered("c2pa.hash.data", ranges((33, 2 * STORE + 65537), (90_000, 65)), STORE)
    assert [(part.size, part.remark) for part in found] == [
        (2 * STORE + 65537, "more than the manifest"),
        (65, "besides the manifest"),
    ]
    assert [part.size for part in stated_uncovered("c2pa.hash.bmff.v3", boxes("/moov", "/mdat"), STORE)] == [0, 0]


@pytest.mark.parametrize(
    "assertion",
    [
        [],
        {"exclusions": 7},
        {"exclusions": ["all"]},
        ranges((0, 0)) | {"exclusions": [{"start": float("inf"), "length": 1}]},
    ],
)
def test_a_range_of_another_shape_leaves_out_everything(assertion: Any) -> None:
    (found,) = stated_uncovered("c2pa.hash.data", assertion, STORE)
    assert (found.place, found.essential) == ("the whole file", True)
    assert found.remark.startswith("what is left out cannot be told: ")


def test_foreign_names_are_cut() -> None:
    (path,) = stated_uncovered("c2pa.hash.bmff.v3", boxes("/" + "m" * 900), STORE)
    (named,) = stated_uncovered("c2pa.hash.boxes", parts({"names": ["n" * 900], "excluded": True}), STORE)
    (binding,) = stated_uncovered("c2pa.hash." + "b" * 900, {}, STORE)
    assert (path.place, named.place) == ("/" + "m" * 199, "parts " + "n" * 200)
    assert binding.size == 0
    assert binding.remark == "a hard binding that is not understood: c2pa.hash." + "b" * 90
