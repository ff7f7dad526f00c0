"""Algorithms outside the lists of C2PA (specification 2.4, sections 13.1 and 13.2): which a manifest hashes or is
signed with.

In: the bytes of a manifest store and the label of the manifest. Out: a phrase for each use. Looked at are the header of
the claim signature, the claim with the references in it, and the assertions that bind the manifest to the media. What
cannot be read gives nothing: the library judges that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from provenance.formats.jumbf import boxes, cbor, descend, label_of
from provenance.formats.untrusted import cut, dict_of, list_of

UNSUPPORTED = "algorithm.unsupported"
HASHES = ("sha256", "sha384", "sha512")
SIGNATURES = {-7: "ES256", -35: "ES384", -36: "ES512", -37: "PS256", -38: "PS384", -39: "PS512", -8: "Ed25519"}
_OTHERS = {-47: "ES256K", -257: "RS256", -258: "RS384", -259: "RS512", -65535: "RS1", 4: "HMAC", 5: "HMAC", 6: "HMAC"}
_CLAIMS = ("c2pa.claim", "c2pa.claim.v2")
_REFERENCES = ("assertions", "created_assertions", "gathered_assertions", "redacted_assertions")
_MOST = 5  # phrases; more say nothing new


def unsupported(store: bytes, label: str) -> tuple[str, ...]:
    """One phrase each, such as "the claim signature uses RS256"; empty where all algorithms are of the lists."""
    found = dict.fromkeys((*_of_signature(store, label), *_of_claim(store, label), *_of_bindings(store, label)))
    return tuple(found)[:_MOST]


def unsupported_sentence(found: Sequence[str]) -> str:
    """For people: what is wrong."""
    return cut(f"an algorithm that C2PA does not allow: {', '.join(found) or 'the library does not say which'}")


def _of_signature(store: bytes, label: str) -> Iterator[str]:
    for message in _items(store, label, "c2pa.signature"):
        header = message[0] if isinstance(message, (list, tuple)) and message else None
        if not isinstance(header, bytes):
            continue
        values: dict[Any, Any] = dict_of(_read(header))
        number = values.get(1)  # RFC 9052, section 3.1: the label of the algorithm
        if number is None:
            yield "the claim signature names no algorithm"
        elif not isinstance(number, int) or number not in SIGNATURES:
            yield f"the claim signature uses {_OTHERS.get(number, number) if isinstance(number, int) else cut(number)}"


def _of_claim(store: bytes, label: str) -> Iterator[str]:
    for claim in (item for name in _CLAIMS for item in _items(store, label, name)):
        yield from _hash_of(claim, "the claim")
        for name in _REFERENCES:
            for reference in list_of(dict_of(claim).get(name)):
                yield from _hash_of(reference, "a reference in the claim")


def _of_bindings(store: bytes, label: str) -> Iterator[str]:
    for assertions in descend(store, (None, label, "c2pa.assertions")):
        for kind, content in boxes(assertions):
            inner = list(boxes(content)) if kind == b"jumb" else []
            if not inner or inner[0][0] != b"jumd" or not label_of(inner[0][1]).startswith("c2pa.hash."):
                continue
            for assertion in (_read(data) for part, data in inner if part == b"cbor"):
                yield from _hash_of(assertion, "the binding to the media")
                for tree in list_of(dict_of(assertion).get("merkle")):
                    yield from _hash_of(tree, "the binding to the media")


def _hash_of(item: Any, what: str) -> Iterator[str]:
    """An algorithm that is left out is the claim's, or the standard's."""
    name = dict_of(item).get("alg")
    if name is not None and name not in HASHES:
        yield f"{what} is hashed with {cut(name)}"


def _items(store: bytes, label: str, box: str) -> Iterator[Any]:
    """What the CBOR boxes of one part of the manifest hold, as far as it can be read."""
    for content in descend(store, (None, label, box)):
        for data in (data for kind, data in boxes(content) if kind == b"cbor"):
            yield _read(data)


def _read(data: Any) -> Any:
    try:
        return cbor(data) if isinstance(data, bytes) else None
    except ValueError:
        return None
