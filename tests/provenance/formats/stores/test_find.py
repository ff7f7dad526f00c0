"""Every container that the C2PA library writes is followed to its store; every other one is refused."""

from __future__ import annotations

import io

import pytest

from provenance.formats.stores.find import segmented, store_spans
from tests.provenance.excluding import MEDIA_TYPES, made
from tests.provenance.resealing import binding, sign
from tests.provenance.stamping import issue, signer


@pytest.mark.parametrize("name", [name for name in MEDIA_TYPES if name not in ("mp4", "mov", "m4a", "avif")])
def test_the_store_is_where_the_library_says_that_it_is(name: str) -> None:
    data = sign(signer("Ada", issue("Root", authority=True)), made(name, 1), MEDIA_TYPES[name])
    entries, spans = binding(data, MEDIA_TYPES[name])[1]["exclusions"], store_spans(io.BytesIO(data))
    fill = int(data.startswith(b"RIFF"))  # a chunk of odd length has one more byte, which the library hashes
    assert [start for start, _ in spans] == [entry["start"] for entry in entries]
    assert all(
        0 <= end - entry["start"] - entry["length"] <= fill for (_, end), entry in zip(spans, entries, strict=True)
    )


@pytest.mark.parametrize(
    "data", [b"", b"text", b"OggS" + bytes(40), b"\x1a\x45\xdf\xa3" + bytes(40), b"RIFX" + bytes(40)]
)
def test_what_is_not_known_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no container that is known"):
        store_spans(io.BytesIO(data))


def test_only_pictures_have_parts_with_names() -> None:
    assert segmented(io.BytesIO(made("svg", 1))) is None
    found = segmented(io.BytesIO(made("png", 1)))
    assert found is not None
    assert found.spans == ()
