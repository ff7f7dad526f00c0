"""The certificates inside a manifest store, and whether they lead to an anchor: our own look, beside the library's.

In: the bytes of a manifest store (JUMBF boxes) and the active manifest's label; anchors as PEM. Out: the chain, leaf first,
and yes or no. The library counts a signer as trusted whose root was given for time-stamps only; so we check the root again.
Everything here is bounded: the store comes from a stranger.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from sfumato.errors import UsageError

X5CHAIN = (33, "x5chain")  # RFC 9360, and the text label of older claims
LONGEST_CHAIN = 10
DEEPEST = 16


def load_anchors(pems: Sequence[bytes]) -> list[x509.Certificate]:
    """All certificates in `pems`. Raises UsageError if one of them holds none: an empty trust list is a mistake, not a policy."""
    anchors = []
    for pem in pems:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # old roots have odd serial numbers
                anchors += x509.load_pem_x509_certificates(pem)
        except ValueError as error:
            raise UsageError(f"A trust list holds no readable certificate ({error})", "Give a PEM file with root certificates.") from error
    return anchors


def embedded_chain(store: bytes, label: str) -> list[x509.Certificate]:
    """The signer's certificates of the manifest `label`, leaf first. Empty if they cannot be found or read, or are there twice."""
    try:
        contents = _descend(store, (None, label, "c2pa.signature"))
        signatures = [cose for content in contents for kind, cose in _boxes(content) if kind == b"cbor"]
        return _chain(signatures[0]) if len(signatures) == 1 else []  # two: which one did the library check?
    except (ValueError, IndexError, TypeError, KeyError, RecursionError, UnsupportedAlgorithm):
        return []


def leads_to(chain: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate]) -> bool:
    """True if each certificate was issued by the next, and the last is an anchor or was issued by one."""
    for index, certificate in enumerate(chain[:LONGEST_CHAIN]):
        if certificate in anchors or any(_issued(certificate, anchor) for anchor in anchors):
            return True
        if index + 1 >= len(chain) or not _issued(certificate, chain[index + 1]):
            return False
    return False


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _chain(cose: bytes) -> list[x509.Certificate]:
    message, _ = _cbor(cose, 0, 0)  # COSE_Sign1: [protected, unprotected, payload, signature]
    protected, _ = _cbor(message[0], 0, 0) if message[0] else ({}, 0)
    for headers in (protected, message[1]):
        for key in X5CHAIN:
            if key in headers:
                found = headers[key]
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    return [x509.load_der_x509_certificate(der) for der in (found if isinstance(found, list) else [found])[:LONGEST_CHAIN]]
    return []


def _descend(data: bytes, names: Sequence[str | None]) -> Iterator[bytes]:
    """The content of every superbox reached by `names`, one a level; None takes any."""
    for kind, content in _boxes(data):
        if kind != b"jumb":
            continue
        inner = list(_boxes(content))
        if not inner or inner[0][0] != b"jumd" or (names[0] is not None and _label(inner[0][1]) != names[0]):
            continue
        if len(names) == 1:
            yield content
        else:
            yield from _descend(content, names[1:])


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """ISO boxes: (type, content). Stops at the first that does not fit."""
    position = 0
    while position + 8 <= len(data):
        size, kind, header = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : position + 8], 8
        if size == 1:
            size, header = int.from_bytes(data[position + 8 : position + 16], "big"), 16
        if size < header or position + size > len(data):
            return
        yield kind, data[position + header : position + size]
        position += size


def _label(description: bytes) -> str:
    """The label of a JUMBF description box: a 16-byte type, one byte of flags, then text that ends with a zero."""
    return description[17:].split(b"\0", 1)[0].decode("utf-8", "replace")


def _cbor(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    """One CBOR item at `at`: (value, position after it). Definite and indefinite lengths; tags are dropped. Raises ValueError."""
    if depth > DEEPEST:
        raise ValueError("nested too deep")
    major, detail = data[at] >> 5, data[at] & 31
    at += 1
    if 24 <= detail <= 27:
        width = 1 << (detail - 24)
        argument, at = int.from_bytes(data[at : at + width], "big"), at + width
    elif detail in (28, 29, 30):
        raise ValueError("reserved length")
    else:
        argument = detail
    endless = detail == 31
    if major in (0, 1):
        return (argument if major == 0 else -1 - argument), at
    if major in (2, 3):
        return _string(data, at, depth, argument, endless, major)
    if major == 4:
        items: list[Any] = []
        while (data[at] != 0xFF) if endless else (len(items) < argument):
            item, at = _cbor(data, at, depth + 1)
            items.append(item)
        return items, at + endless
    if major == 5:
        pairs: dict[Any, Any] = {}
        count = 0
        while (data[at] != 0xFF) if endless else (count < argument):
            key, at = _cbor(data, at, depth + 1)
            pairs[key], at = _cbor(data, at, depth + 1)
            count += 1
        return pairs, at + endless
    if major == 6:
        return _cbor(data, at, depth + 1)
    return {20: False, 21: True}.get(detail), at  # null, undefined and floats: of no use here


def _string(data: bytes, at: int, depth: int, length: int, endless: bool, major: int) -> tuple[bytes | str, int]:
    if endless:
        parts = []
        while data[at] != 0xFF:
            part, at = _cbor(data, at, depth + 1)
            parts.append(part)
        return (b"" if major == 2 else "").join(parts), at + 1
    if at + length > len(data):
        raise ValueError("string runs past the end")
    piece = data[at : at + length]
    return (piece if major == 2 else piece.decode("utf-8", "replace")), at + length
