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
