"""How media come to be, in the words of the IPTC list of digital source types and of C2PA.

In: an address out of a manifest, anybody's. Out: its short name, if it is one that the lists have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from provenance.formats.untrusted import cut

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
C2PA = "http://c2pa.org/digitalsourcetype/"
_IPTC_NAMES = (
    *("algorithmicMedia", "algorithmicallyEnhanced", "composite", "compositeCapture", "compositeSynthetic"),
    *(
        "compositeWithTrainedAlgorithmicMedia",
        "computationalCapture",
        "dataDrivenMedia",
        "digitalArt",
        "digitalCapture",
    ),
    *(
        "digitalCreation",
        "humanEdits",
        "minorHumanEdits",
        "multiFrameComputationalCapture",
        "negativeFilm",
        "positiveFilm",
    ),
    *("print", "screenCapture", "softwareImage", "trainedAlgorithmicMedia", "virtualRecording"),
)
SOURCE_TYPES = frozenset({*(IPTC + name for name in _IPTC_NAMES), C2PA + "empty", C2PA + "trainedAlgorithmicData"})
GENERATED = IPTC + "trainedAlgorithmicMedia"


def source_type_name(uri: object) -> str | None:
    """The last part of a known digitalSourceType; anything else stays whole, so that a look-alike address is not taken
    for one.
    """
    if not isinstance(uri, str) or not uri:
        return None
    plain = uri.replace("https://", "http://", 1)
    if plain in SOURCE_TYPES or f"{IPTC}{uri}" in SOURCE_TYPES:
        return plain.removeprefix(IPTC).removeprefix(C2PA)
    return cut(uri)


def stated_source_types(value: Any) -> Iterator[str]:
    """What plain values say under digitalSourceType, at any depth and in any spelling of metadata
    (Iptc4xmpExt:DigitalSourceType, digital_source_type), as it stands there."""
    if isinstance(value, dict):
        for key, item in value.items():
            name = re.split("[:/#.]", str(key))[-1].lower().replace("_", "").replace("-", "")
            yield from _texts(item) if name == "digitalsourcetype" else stated_source_types(item)
    elif isinstance(value, list):
        for item in value:
            yield from stated_source_types(item)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    else:
        yield str(value)
