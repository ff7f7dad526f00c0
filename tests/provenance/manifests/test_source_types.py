"""Only addresses that the lists have are shortened."""

from __future__ import annotations

import pytest

from provenance.manifests.source_types import source_type_name


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia", "trainedAlgorithmicMedia"),
        ("https://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture", "digitalCapture"),
        ("http://c2pa.org/digitalsourcetype/trainedAlgorithmicData", "trainedAlgorithmicData"),
        ("trainedAlgorithmicMedia", "trainedAlgorithmicMedia"),
        ("http://example.com/digitalCapture", "http://example.com/digitalCapture"),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_only_known_source_types_are_shortened(uri: object, name: str | None) -> None:
    assert source_type_name(uri) == name
