"""Clips that are copies of each other, whatever an encoder did to them: across splits, where a test then knows its
answers, and across labels, where one of the two labels is wrong. In: the material and looks. Out: a `Check`.

Alike is what the fingerprints of provenance.durable say. Across splits that is enough. Within a split a fake looks like
real clips by its nature: its twin, and other twins of the same footage. So a real clip that is no twin of another fake
of that person counts as a copy of a fake only where it shows the fake, and not the twin, just there where those two
differ.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from provenance.durable.fingerprint import BITS, Fingerprint, distance
from sfumato.app.sets.check.looking.look import SMALL, Look
from sfumato.app.sets.check.material import Material
from sfumato.app.sets.check.report import Check, Fault
from sfumato.media.clips import ClipRow

COPY = 0.15  # share of bits that differ: between copies and different people, see docs/durable.md
MOST = 10_000  # clips: the work grows with their square
_LOOKS = 3  # of a clip that are compared with all of all others, to find who may be alike
_MAYBE = 0.3  # share of bits of one such look
_BLOCK = 2048  # looks compared at once
_CHANGED = 0.05  # share of the picture, where the fake differs most from its twin
_NEARER = 0.3  # a copy's distance to the fake there, as a share of that to the twin: measured .22 at most
_LEAST = 6.0  # grey levels by which fake and twin must differ there for that to be told
_SHIFT = 0.34  # of the shorter clip's looks, as the fingerprint


@dataclass(frozen=True)
class _Clip:
    row: ClipRow
    look: Look

    @cached_property
    def fingerprint(self) -> Fingerprint:
        return Fingerprint.from_bytes(base64.b64decode(self.look.fingerprint))

    @cached_property
    def small(self) -> NDArray[np.float32]:
        """(looks, SMALL, SMALL) grey levels."""
        pixels = np.frombuffer(base64.b64decode(self.look.small), np.uint8)
        return pixels.reshape(-1, SMALL, SMALL).astype(np.float32)


def check_copies(material: Material, looks: Sequence[Look]) -> Check:
    """Identical files and frames, and near duplicates."""
    clips = [_Clip(row, look) for row, look in zip(material.rows, looks, strict=True) if look.fingerprint]
    if not clips:
        return Check("copies", why_not="no file can be decoded")
    same = list(_same(clips))
    faults = [
        *Fault.of("file under two names", [_both(a, b) for a, b in same if a.look.sha256 == b.look.sha256]),
        *Fault.of(
            "real clip and fake with the same frames", [_both(a, b) for a, b in same if a.row.label != b.row.label]
        ),
    ]
    if len(clips) > MOST:
        note = f"Near duplicates were not looked for: there are more than {MOST} clips."
        return Check("copies", faults, f"{len(clips)} files, by their frames", notes=[note])
    across, labels = list[str](), list[str]()
    by_path = {clip.row.path: clip for clip in clips}
    twins = {clip.row.pair_of for clip in clips if clip.row.label == "fake"}
    for one, other in _candidates(clips, twins):
        if (apart := distance(one.fingerprint, other.fingerprint)) > COPY:
            continue
        if one.row.split != other.row.split:
            across.append(f"{_both(one, other)} ({apart:.2f})")
        else:
            fake, real = (one, other) if one.row.label == "fake" else (other, one)
            twin = by_path.get(fake.row.pair_of or "")
            if twin is None or real.row.path == twin.row.pair_of:  # the footage itself
                continue
            if _shows(real, fake, twin):
                labels.append(f"{_both(real, fake)} ({apart:.2f})")
    faults += [
        *Fault.of("near duplicate in two splits", across, "share of the fingerprint's bits that differ"),
        *Fault.of("real clip that shows a fake", labels, "share of the fingerprint's bits that differ"),
    ]
    return Check("copies", faults, f"{len(clips)} files")


def _both(one: _Clip, other: _Clip) -> str:
    return f"{one.row.path} and {other.row.path}"


def _same(clips: Sequence[_Clip]) -> Iterator[tuple[_Clip, _Clip]]:
    """Each clip beside the first one with the same frames; a list may not name a file twice, but a copy of it."""
    first: dict[str, _Clip] = {}
    for clip in clips:
        if (other := first.setdefault(clip.look.decoded, clip)) is not clip:
            yield other, clip


def _candidates(clips: Sequence[_Clip], twins: Collection[str | None]) -> Iterator[tuple[_Clip, _Clip]]:
    """Pairs of two splits or two labels that may be alike, each once: some looks of every clip against all views of all
    looks of the others. Within a split no fake beside its own twin, or beside a twin of its person's other fakes.
    """
    splits, labels, people = (
        np.unique([str(getattr(clip.row, name)) for clip in clips], return_inverse=True)[1]
        for name in ("split", "label", "identity")
    )  # (clips,) each
    paired = np.array([clip.row.path in twins for clip in clips])
    few, owners = list[NDArray[np.float32]](), list[int]()
    for number, clip in enumerate(clips):
        hashes = clip.fingerprint.hashes[:, 0]  # (looks, 32): the whole picture
        chosen = np.unique(np.linspace(0, len(hashes) - 1, min(_LOOKS, len(hashes))).round().astype(int))
        few.append(_signs(hashes[chosen]))
        owners += [number] * len(chosen)
    asked, owner = np.concatenate(few), np.array(owners)  # (A, BITS), (A,)
    found: set[tuple[int, int]] = set()
    for number, clip in enumerate(clips):
        views = _signs(np.concatenate([clip.fingerprint.hashes, clip.fingerprint.mirrored]).reshape(-1, BITS // 8))
        for start in range(0, len(asked), _BLOCK):
            agreeing = (views @ asked[start : start + _BLOCK].T).max(axis=0) / BITS  # (block,) in [-1, 1]
            near = np.unique(owner[start : start + _BLOCK][(1 - agreeing) / 2 <= _MAYBE])
            footage = (people[near] == people[number]) & (paired[near] | paired[number])  # another twin of it, perhaps
            wanted = (splits[near] != splits[number]) | ((labels[near] != labels[number]) & ~footage)
            found |= {(min(number, int(other)), max(number, int(other))) for other in near[wanted]}
    for first, second in sorted(found):
        one, other = clips[first].row, clips[second].row
        if one.split != other.split or (one.path != other.pair_of and other.path != one.pair_of):
            yield clips[first], clips[second]


def _signs(hashes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(n, bytes) to (n, bits) of -1 and 1: a product of two is how many bits agree, less those that do not."""
    return np.unpackbits(hashes, axis=1).astype(np.float32) * 2 - 1


def _shows(real: _Clip, fake: _Clip, twin: _Clip) -> bool:
    """Whether, where the fake differs most from its twin, `real` shows the fake. False where they hardly differ."""
    both = min(len(fake.small), len(twin.small))
    change = np.abs(fake.small[:both] - twin.small[:both])  # (looks, SMALL, SMALL)
    least = float(np.quantile(change, 1 - _CHANGED))
    if change[change >= least].mean() < _LEAST:
        return False
    best = (np.inf, np.inf)  # how far from the fake, and from the twin, at the shift in time that fits the fake best
    overlap = max(1, min(both, len(real.small)) - int(_SHIFT * min(both, len(real.small))))
    for shift in range(overlap - both, len(real.small) - overlap + 1):
        first, last = max(0, -shift), min(both, len(real.small) - shift)
        where = change[first:last] >= least
        if where.any():
            seen = real.small[first + shift : last + shift]
            apart = [float(np.abs(seen - other.small[first:last])[where].mean()) for other in (fake, twin)]
            best = min(best, (apart[0], apart[1]))
    return best[0] < _NEARER * best[1]
