"""How media come to be, in the words of the IPTC list of digital source types and of C2PA.

In: an address out of a manifest, anybody's. Out: its short name, if it is one that the lists have.
"""

from __future__ import annotations

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
