"""Signed files whose hard binding leaves out what a test wants: the library signs, then the assertion is changed,
hashed again and signed again in place.

A careless or hostile generator can make such files with any certificate that somebody trusts; the library itself makes
none. Everything keeps its length, so no offset moves: the name in an assertion is as long as there is room.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from provenance.formats.boxes import walk
from tests.provenance.mutations import CREATED
from tests.provenance.stamping import Entity

Range = tuple[int, int]  # start, length
STORE = b"jumb\x00\x00\x00\x1ejumdc2pa"


def sign(leaf: Entity, data: bytes, media_type: str, **builder: Any) -> bytes:
    """`data` signed by the library. `builder`: more settings of its builder."""
    from c2pa import Builder, C2paSigningAlg, Context, Signer

    from provenance.library.settings import signing

    settings = signing(0)
    settings["builder"] |= builder
    key = Signer.from_callback(lambda claim: _signature(leaf, claim), C2paSigningAlg.ES256, leaf.pem.decode())
    maker = Builder({"claim_version": 2, "assertions": [CREATED]}, Context.from_dict(settings, signer=key))
    output = io.BytesIO()
    maker.sign(media_type, io.BytesIO(data), output)
    return output.getvalue()


def binding(data: bytes, media_type: str) -> tuple[str, dict[str, Any]]:
    """The hard binding of a signed file: its label and content, as the library reports them."""
    from c2pa import Context, Reader

    from provenance.library.settings import reading
    from provenance.manifests.claims import read_views

    with Reader(media_type, io.BytesIO(data), context=Context.from_dict(reading())) as reader:
        ((label, content),) = read_views(reader)[0].bindings.items()
    return label, content


def without_ranges(data: bytes, ranges: Sequence[Range]) -> bytes:
    """What c2pa.hash.data hashes."""
    parts, position = [], 0
    for start, length in sorted(ranges):
        parts.append(data[position:start])
        position = max(position, start + length)
    return b"".join([*parts, data[position:]])


def with_ranges(leaf: Entity, data: bytes, ranges: Sequence[Range]) -> bytes:
    """A file that c2pa.hash.data binds, with these exclusions instead of its own."""

    def change(assertion: dict[str, Any]) -> None:
        assertion["exclusions"] = [{"start": start, "length": length} for start, length in ranges]
        assertion["hash"] = hashlib.sha256(without_ranges(data, ranges)).digest()

    return reseal(leaf, data, "c2pa.hash.data", change)


def with_boxes(leaf: Entity, data: bytes, exclusions: list[dict[str, Any]]) -> bytes:
    """A file that c2pa.hash.bmff.v3 binds, which leaves out these boxes besides ftyp and that of the manifest."""

    def change(assertion: dict[str, Any]) -> None:
        own = [entry for entry in assertion["exclusions"] if entry["xpath"] in ("/uuid", "/ftyp")]
        assertion["exclusions"] = [*own, *exclusions]
        digest = hashlib.sha256()
        for box in walk(io.BytesIO(data)):
            entries = [entry for entry in assertion["exclusions"] if entry["xpath"] == f"/{box.kind.decode()}"]
            if any(not entry.get("subset") for entry in entries):
                continue
            digest.update(box.start.to_bytes(8, "big"))
            parts = [(part["offset"], part["length"] or box.size) for entry in entries for part in entry["subset"]]
            digest.update(without_ranges(data[box.start : box.end], parts))
        assertion["hash"] = digest.digest()

    return reseal(leaf, data, "c2pa.hash.bmff.v3", change)


def reseal(leaf: Entity, data: bytes, label: str, change: Callable[[dict[str, Any]], None]) -> bytes:
    """`data` with the content of one assertion changed, and signed again by `leaf`."""
    store = bytearray(store_of(data))
    start, end = _labelled(store, label)
    content = _child(store, start, b"cbor")
    assertion = cbor2.loads(store[content])
    before = hashlib.sha256(store[start + 8 : end]).digest()
    change(assertion)
    store[content] = _fitted(assertion, content.stop - content.start)
    after = hashlib.sha256(store[start + 8 : end]).digest()
    assert store.count(before) == 1
    store[:] = store.replace(before, after)
    claim_start, _ = _labelled(store, "c2pa.claim.v2")
    claim = bytes(store[_child(store, claim_start, b"cbor")])
    signature_start, _ = _labelled(store, "c2pa.signature")
    protected, _, _, old = cbor2.loads(store[_child(store, signature_start, b"cbor")]).value
    new = _signature(leaf, cbor2.dumps(["Signature1", protected, b"", claim]))
    assert store.count(old) == 1
    return _put_back(data, bytes(store.replace(old, new)))


def store_of(data: bytes) -> bytes:
    """The manifest store in a file; its bytes lie together in most containers."""
    if data.startswith(b"GIF8"):
        start, end = _gif_blocks(data)
        return b"".join(data[place + 1 : place + 1 + data[place]] for place in _block_starts(data, start, end))
    if b"<c2pa:manifest>" in data:
        return base64.b64decode(data.partition(b"<c2pa:manifest>")[2].partition(b"</c2pa:manifest>")[0])
    start = data.index(STORE) - 4
    return data[start : start + int.from_bytes(data[start : start + 4], "big")]


def _put_back(data: bytes, store: bytes) -> bytes:
    if data.startswith(b"GIF8"):
        start, end = _gif_blocks(data)
        out, taken = bytearray(data), 0
        for place in _block_starts(data, start, end):
            out[place + 1 : place + 1 + data[place]] = store[taken : taken + data[place]]
            taken += data[place]
        return bytes(out)
    if b"<c2pa:manifest>" in data:
        return data.replace(base64.b64encode(store_of(data)), base64.b64encode(store))
    return data.replace(store_of(data), store)


def _gif_blocks(data: bytes) -> Range:
    start = data.index(b"C2PA_GIF") + 11
    end = start
    while data[end]:
        end += 1 + data[end]
    return start, end


def _block_starts(data: bytes, start: int, end: int) -> list[int]:
    starts = []
    while start < end:
        starts.append(start)
        start += 1 + data[start]
    return starts


def _fitted(assertion: dict[str, Any], size: int) -> bytes:
    """The assertion as CBOR of exactly `size` bytes."""
    for pad in (0, 1, 2):
        for name in range(size):
            fitted: bytes = cbor2.dumps(assertion | {"name": "x" * name, "pad": bytes(pad)})
            if len(fitted) == size:
                return fitted
    raise ValueError("there is no room for this assertion")


def _labelled(store: bytes | bytearray, label: str) -> Range:
    """Where the superbox with this label begins and ends."""
    place = store.index(label.encode() + b"\0")
    while store[place - 21 : place - 17] != b"jumd":  # before the label: a type of 16 bytes, and flags
        place = store.index(label.encode() + b"\0", place + 1)
    start = place - 33
    return start, start + int.from_bytes(store[start : start + 4], "big")


def _child(store: bytes | bytearray, start: int, kind: bytes) -> slice:
    """The content of the first box of this kind in the superbox at `start`."""
    box = next(box for box in walk(io.BytesIO(store), start=start + 8) if box.kind == kind)
    return slice(box.body, box.end)


def _signature(leaf: Entity, data: bytes) -> bytes:
    r, s = decode_dss_signature(leaf.key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
