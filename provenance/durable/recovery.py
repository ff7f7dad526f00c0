"""Finds the manifest of a copy that lost it: watermark first, fingerprint beside it, and each held against the other.

In: a video file, and resolvers (the repository of this machine, others behind HTTP). Out: a `Recovery` with one of four
outcomes:

confirmed    the watermark names a manifest, and the video looks like the one that was entered with it
watermark    the watermark names a manifest, but the picture cannot be compared, or differs: the mark may have been
             carried over
alike        no watermark was read, but the video looks like one or several that were entered; another video of the
             same portrait looks alike too
none         neither leads to a manifest

A watermark is read blind, or, where the fingerprint has already found candidates, as one of their payloads: that needs
much less of it. Each finding carries the bound of its false-positive rate. The recovered manifest is checked by itself;
its binding to the original file's bytes is broken by every encoding, and stays so.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from provenance.durable.fingerprint import THRESHOLD, Fingerprint, FingerprintBuilder, distance
from provenance.durable.recovered import RecoveredManifest, read_store

if TYPE_CHECKING:
    from provenance.durable.repository import Match, Resolver
    from provenance.watermark import WatermarkDetection, WatermarkReader

OUTCOMES = ("confirmed", "watermark", "alike", "none")
LONGEST_SECONDS = 120.0  # of a video that are looked at
CANDIDATES = 16  # videos that look alike whose payloads are tried


@dataclass(frozen=True)
class Candidate:
    """One manifest that may belong to the file. `distance`: of the fingerprints, None if only a resolver's `similarity`
    is known.
    """

    manifest_id: str
    similarity: int
    distance: float | None
    by_watermark: bool
    resolver: str


@dataclass(frozen=True)
class Recovery:
    """outcome: one of OUTCOMES. `mark`: what was read, or almost; `chosen`: the manifest, None if there is none or
    several fit alike.

    `store`: its bytes as the resolver gave them. `states_mark`: the signed manifest itself names the watermark that was
    read. `seconds`, `frames`: what was looked at.
    """

    path: Path
    outcome: str
    mark: WatermarkDetection
    alg: str
    candidates: tuple[Candidate, ...] = ()
    chosen: Candidate | None = None
    store: bytes = b""
    manifest: RecoveredManifest | None = None
    states_mark: bool = False
    seconds: float = 0.0
    frames: int = 0

    @property
    def value(self) -> str:
        """The payload in base64, as the soft binding has it."""
        return base64.b64encode(self.mark.payload).decode("ascii")


def recover(path: Path, resolvers: Sequence[Resolver], trust: Sequence[bytes] = ()) -> Recovery:
    """Raises MediaError for a file that is no video, OutputError when a resolver fails, UsageError for an empty trust
    list.
    """
    from provenance.watermark import DEFAULT, REGISTRY

    watermark = REGISTRY.load(DEFAULT)()
    reader: WatermarkReader = watermark.reader()
    fingerprint, seconds, frames = look(path, reader)
    mark = reader.read()
    alike = [(resolver, match) for resolver in resolvers for match in resolver.by_content(path, fingerprint)]
    if not mark.detected:
        mark = _known(reader, watermark.alg, alike, mark)
    marked: list[tuple[Resolver, Match]] = []
    if mark.detected:
        value = base64.b64encode(mark.payload).decode("ascii")
        marked = [(resolver, match) for resolver in resolvers for match in resolver.by_binding(watermark.alg, value)]
    candidates = _candidates(marked, alike, fingerprint)
    chosen, outcome = _choose(candidates)
    found = Recovery(path, outcome, mark, watermark.alg, candidates, chosen, seconds=seconds, frames=frames)
    return _with_manifest(found, chosen, resolvers, trust)


def look(path: Path, reader: WatermarkReader) -> tuple[Fingerprint, float, int]:
    """Streams the first two minutes of the video into `reader`. Returns its fingerprint, seconds and frames. Raises
    MediaError.
    """
    from sfumato.media.video import VideoReader

    builder, last, count = FingerprintBuilder(), 0.0, 0
    with VideoReader(path) as video:
        for frame in video:
            if frame.time > LONGEST_SECONDS:
                break
            reader.add(frame.image)
            builder.add(frame.image, frame.time)
            last, count = frame.time, count + 1
    return builder.done(), last, count


def _known(
    reader: WatermarkReader, alg: str, alike: Iterable[tuple[Resolver, Match]], blind: WatermarkDetection
) -> WatermarkDetection:
    """Looks for the payloads of videos that look alike; `blind` stays if none of them is there."""
    payloads: list[bytes] = []
    for resolver, match in list(alike)[:CANDIDATES]:
        store = resolver.manifest(match.manifest_id)
        stated = read_store(store).bindings if store else ()
        payloads += [payload for name, value in stated if name == alg and (payload := _payload(value)) is not None]
    if not payloads:
        return blind
    found = reader.match(list(dict.fromkeys(payloads)))
    return found if found.detected else blind


def _payload(value: str) -> bytes | None:
    try:
        payload = base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        return None
    return payload if len(payload) == 8 else None


def _candidates(
    marked: Iterable[tuple[Resolver, Match]], alike: Iterable[tuple[Resolver, Match]], seen: Fingerprint
) -> tuple[Candidate, ...]:
    """Each manifest once, those of the watermark first, then the nearest."""
    found: dict[str, Candidate] = {}
    by_mark = {
        match.manifest_id: (resolver, match) for resolver, match in reversed(list(marked))
    }  # who was asked first, answers
    by_look = {match.manifest_id: (resolver, match) for resolver, match in reversed(list(alike))}
    for manifest_id, (resolver, match) in (by_look | by_mark).items():
        known = getattr(resolver, "entry", None)  # a repository of ours knows more than the API tells
        entry = known(manifest_id) if known is not None else None
        apart = distance(entry.fingerprint, seen) if entry is not None else None
        similar = by_look[manifest_id][1].similarity if manifest_id in by_look else match.similarity
        found[manifest_id] = Candidate(
            manifest_id, similar, apart, manifest_id in by_mark, str(getattr(resolver, "place", ""))
        )
    return tuple(
        sorted(
            found.values(),
            key=lambda c: (not c.by_watermark, c.distance if c.distance is not None else 1.0, -c.similarity),
        )
    )


def _choose(candidates: Sequence[Candidate]) -> tuple[Candidate | None, str]:
    marked = [candidate for candidate in candidates if candidate.by_watermark]
    if marked:
        first = marked[0]
        agrees = first.distance is not None and first.distance <= THRESHOLD
        return first, "confirmed" if agrees else "watermark"
    if not candidates:
        return None, "none"
    return (candidates[0] if len(candidates) == 1 else None), "alike"


def _with_manifest(
    found: Recovery, chosen: Candidate | None, resolvers: Sequence[Resolver], trust: Sequence[bytes]
) -> Recovery:
    if chosen is None:
        return found
    holder = next(
        (resolver for resolver in resolvers if str(getattr(resolver, "place", "")) == chosen.resolver), resolvers[0]
    )
    store = holder.manifest(chosen.manifest_id) or b""
    manifest = read_store(store, trust)
    states = found.mark.detected and (found.alg, found.value) in manifest.bindings
    return replace(found, store=store, manifest=manifest, states_mark=states)
