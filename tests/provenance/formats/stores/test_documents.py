"""The store in an SVG and in a PDF: what the one element, or the one named stream, holds."""

from __future__ import annotations

import base64
import io

import pytest

from provenance.formats.stores.documents import pdf, svg

SPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:c2pa="http://c2pa.org/manifest"'


def _svg(inside: str, rest: str = "") -> bytes:
    return f'<?xml version="1.0"?>\n<svg {SPACES}><metadata>{inside}</metadata>{rest}<g/></svg>'.encode()


def _held(store: bytes) -> str:
    return f"<c2pa:manifest>{base64.b64encode(store).decode()}</c2pa:manifest>"


def _pdf(store: bytes, relation: bytes = b"/AFRelationship/C2PA_Manifest", length: int | None = None) -> bytes:
    size = str(len(store) if length is None else length).encode()
    return (
        b"%PDF-1.7\n7 0 obj\n<</Length " + size + b">>stream\n" + store + b"\nendstream\nendobj\n"
        b"8 0 obj\n<<" + relation + b"/EF<</F 7 0 R>>/Type/FileSpec>>\nendobj\n%%EOF"
    )


def test_the_text_of_the_element_is_found(store: bytes) -> None:
    data = _svg(_held(store))
    start = data.index(b"<c2pa:manifest>") + 15
    assert svg(io.BytesIO(data)) == [(start, data.index(b"</c2pa:manifest>"))]
    assert svg(io.BytesIO(_svg("<other/>"))) == []


def test_an_element_of_another_name_space_is_none(store: bytes) -> None:
    data = _svg(_held(store)).replace(b"http://c2pa.org/manifest", b"http://c2pa.org/manifesto")
    assert svg(io.BytesIO(data)) == []


def test_more_than_a_store_in_the_element_is_refused(store: bytes) -> None:
    held = _held(store)
    for bad in (
        _svg(held, held),
        _svg(held.replace("</c2pa", "<![CDATA[<rect/>]]></c2pa")),
        _svg(held.replace("</c2pa", "<rect/></c2pa")),
        _svg(held.replace("</c2pa", "<!-- more --></c2pa")),
        _svg(_held(store + b"x")),
        _svg("<c2pa:manifest/>"),
        _svg(held)[:-1],
    ):
        with pytest.raises(ValueError):
            svg(io.BytesIO(bad))


def test_the_stream_that_is_named_as_the_manifest_is_found(store: bytes) -> None:
    data = _pdf(store)
    start = data.index(store)
    assert pdf(io.BytesIO(data)) == [(start, start + len(store))]
    assert pdf(io.BytesIO(_pdf(store, b"/AFRelationship/Data"))) == []


def test_a_pdf_that_names_it_otherwise_is_refused(store: bytes) -> None:
    good = _pdf(store)
    for bad in (
        _pdf(store, length=len(store) - 1),
        _pdf(store + b"x"),
        _pdf(b"<</Type/Page>>"),
        good.replace(b"/EF<</F 7 0 R>>", b""),
        good.replace(b"/F 7 0 R", b"/F 5 0 R"),
        good.replace(b"%%EOF", b"7 0 obj\n<</Length 1>>stream\n1\nendstream\nendobj\n%%EOF").replace(
            b"%%EOF", b"\n%%EOF"
        ),
        good + good[good.index(b"\n8 0 obj") :],
    ):
        with pytest.raises(ValueError):
            pdf(io.BytesIO(bad))
