"""Finds the manifest of a copy that lost it: watermark first, fingerprint beside it, and each held against the other.

In: a video file, and resolvers (the repository of this machine, others behind HTTP). Out: a `Recovery` with one of four
outcomes:

confirmed    the watermark names a manifest, that manifest's own signature covers this watermark and a fingerprint, and
             the video looks like that fingerprint
watermark    the watermark leads to a manifest, but one of these is wanting: the mark may have been carried over, or who
             answered may not tell the truth. `Recovery.doubts` says which
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

from provenance.durable.evidence import Candidate, find_candidates
from provenance.durable.fingerprint import Fingerprint, FingerprintBuilder
from provenance.durable.recovered import RecoveredManifest, read_store

if TYPE_CHECKING:
    from provenance.durable.repository import Match, Resolver
    from provenance.watermark import WatermarkDetection, WatermarkReader

OUTCOMES = ("confirmed", "watermark", "alike", "none")
LONGEST_SECONDS = 120.0  # of a video that are looked at
CANDIDATES = 16  # videos that look alike whose payloads are tried


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
    def doubts(self) -> tuple[str, ...]:
        """Why what the watermark leads to is not confirmed: keys of provenance.durable.evidence.DOUBTS."""
        return self.chosen.doubts if self.chosen is not None else ()

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
    binding = (watermark.alg, base64.b64encode(mark.payload).decode("ascii"))
    marked: list[tuple[Resolver, Match]] = []
    if mark.detected:
        marked = [(resolver, match) for resolver in resolvers for match in resolver.by_binding(*binding)]
    candidates = find_candidates(marked, alike, fingerprint, binding, trust)
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
        payloads += [payload for name, value in stated if name == alg and (payload := _payload(value)) is not None][:1]
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


def _choose(candidates: Sequence[Candidate]) -> tuple[Candidate | None, str]:
    marked = [candidate for candidate in candidates if candidate.by_watermark]
    if marked:
        return marked[0], "watermark" if marked[0].doubts else "confirmed"
    if not candidates:
        return None, "none"
    return (candidates[0] if len(candidates) == 1 else None), "alike"


def _with_manifest(
    found: Recovery, chosen: Candidate | None, resolvers: Sequence[Resolver], trust: Sequence[bytes]
) -> Recovery:
    if chosen is None:
        return found
    store, manifest = chosen.store, chosen.manifest
    if manifest is None:  # found by its looks
        holder = next(
            (resolver for resolver in resolvers if str(getattr(resolver, "place", "")) == chosen.resolver), resolvers[0]
        )
        store = holder.manifest(chosen.manifest_id) or b""
        manifest = read_store(store, trust)
    states = found.mark.detected and manifest.states(found.alg, found.value)
    return replace(found, store=store, manifest=manifest, states_mark=states)
