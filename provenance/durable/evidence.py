"""What joins a manifest to the video in hand, and what is wanting: a repository or a resolver says what it likes.

In: what a resolver answered (an identifier, a manifest store, perhaps a fingerprint), and what was seen in the video.
Out: `Candidate`s, each with its doubts. Who may write into a repository, or answers for a resolver, can put any
manifest under any watermark, beside any fingerprint, by any name. So nothing of that counts but what the manifest's own
signature covers: its name, the watermark it states and what that was drawn from, the digest of the fingerprint.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provenance.durable.fingerprint import ALG, THRESHOLD, Fingerprint, distance
from provenance.durable.recovered import RecoveredManifest, read_store

if TYPE_CHECKING:
    from provenance.durable.repository import Match, Resolver

EXAMINED = 16  # manifests under one watermark; there is one, or one for each time that the same video was made
DOUBTS = {
    "manifest.unreadable": "the manifest cannot be read",
    "signature.invalid": "the manifest's signature does not hold",
    "signer.untrusted": "the signer leads to none of the roots given",
    "label.differs": "the manifest is entered under another name than its own",
    "watermark.notStated": "the manifest does not state this watermark, and no other",
    "watermark.notDrawn": "the watermark is not the one that this signer draws for what the manifest describes",
    "fingerprint.unknown": "what the signed video looked like is not known here",
    "fingerprint.notStated": "the manifest does not state the fingerprint that is entered with it",
    "fingerprint.differs": "the video does not look like the one that was entered with the manifest",
}


@dataclass(frozen=True)
class Candidate:
    """One manifest that may belong to the file. `distance`: of the fingerprints, None if only a resolver's `similarity`
    is known.

    `doubts`: keys of DOUBTS, why a manifest that was found by the watermark is not confirmed. `store`, `manifest`: what
    the resolver gave, and what it says; only of candidates found by the watermark.
    """

    manifest_id: str
    similarity: int
    distance: float | None
    by_watermark: bool
    resolver: str
    doubts: tuple[str, ...] = ()
    store: bytes = field(default=b"", repr=False)
    manifest: RecoveredManifest | None = field(default=None, repr=False)


def find_candidates(
    marked: Iterable[tuple[Resolver, Match]],
    alike: Iterable[tuple[Resolver, Match]],
    seen: Fingerprint,
    binding: tuple[str, str],
    trust: Sequence[bytes],
) -> tuple[Candidate, ...]:
    """Each manifest once, the first resolver's: those of the watermark first, of these the best joined, then the
    nearest.

    `binding`: algorithm and value of the watermark that was read.
    """
    likeness: dict[str, tuple[Resolver, Match]] = {}
    for resolver, match in alike:
        likeness.setdefault(match.manifest_id, (resolver, match))
    found: dict[tuple[str, bytes], Candidate] = {}
    for resolver, match in list(marked)[: 4 * EXAMINED]:
        store = resolver.manifest(match.manifest_id) or b""
        key = (match.manifest_id, hashlib.sha256(store).digest())  # one name for two manifests: both are looked at
        if key not in found and len(found) < EXAMINED:
            similar = likeness[match.manifest_id][1] if match.manifest_id in likeness else match
            found[key] = _examine(resolver, similar, store, seen, binding, trust)
    named = {candidate.manifest_id for candidate in found.values()}
    by_look = [
        Candidate(name, match.similarity, _look(resolver, name, seen)[0], False, _place(resolver))
        for name, (resolver, match) in likeness.items()
        if name not in named
    ]
    return (
        *sorted(found.values(), key=lambda c: ("signature.invalid" in c.doubts, len(c.doubts), _nearness(c))),
        *sorted(by_look, key=_nearness),
    )


def _examine(
    resolver: Resolver, match: Match, store: bytes, seen: Fingerprint, binding: tuple[str, str], trust: Sequence[bytes]
) -> Candidate:
    manifest = read_store(store, trust)
    apart, digest = _look(resolver, match.manifest_id, seen)
    return Candidate(
        match.manifest_id,
        match.similarity,
        apart,
        True,
        _place(resolver),
        tuple(_doubts(manifest, match.manifest_id, binding, apart, digest, bool(trust))),
        store,
        manifest,
    )


def _doubts(
    manifest: RecoveredManifest,
    name: str,
    binding: tuple[str, str],
    apart: float | None,
    digest: str | None,
    roots_given: bool,
) -> Iterable[str]:
    if manifest.signature == "unreadable":
        yield "manifest.unreadable"
        return
    if manifest.signature not in ("trusted", "untrusted") or not manifest.key:
        yield "signature.invalid"
    elif roots_given and manifest.signature != "trusted":
        yield "signer.untrusted"
    if manifest.label != name:
        yield "label.differs"
    if not manifest.states(*binding):
        yield "watermark.notStated"
    elif not manifest.drew(binding[1]):
        yield "watermark.notDrawn"
    if apart is None:
        yield "fingerprint.unknown"
    elif apart > THRESHOLD:
        yield "fingerprint.differs"
    stated = manifest.durable
    if digest is not None and (stated is None or (stated.fingerprint_alg, stated.fingerprint) != (ALG, digest)):
        yield "fingerprint.notStated"


def _look(resolver: Resolver, name: str, seen: Fingerprint) -> tuple[float | None, str | None]:
    """Distance from, and digest of, the fingerprint that was entered with the manifest; None where none is known."""
    known = getattr(resolver, "entry", None)  # a repository of ours knows more than the API tells
    entry = known(name) if known is not None else None
    if entry is None or entry.fingerprint is None:
        return None, None
    return distance(entry.fingerprint, seen), entry.fingerprint.digest()


def _nearness(candidate: Candidate) -> tuple[float, int]:
    return (candidate.distance if candidate.distance is not None else 1.0, -candidate.similarity)


def _place(resolver: Resolver) -> str:
    return str(getattr(resolver, "place", ""))
