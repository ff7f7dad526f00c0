"""Whether the splits of a set share nobody and nothing: people, sources, drivers, pairs, files, and what its details
know beside. In: the material. Out: a `Check`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sfumato.app.sets.check.material import Material
from sfumato.app.sets.check.report import Check, Fault
from sfumato.media.clips import crossing_ties

_KINDS = ("person", "source", "driver", "clip of a pair", "file", "portrait", "motion")


def check_splits(material: Material) -> Check:
    """What is in more than one split, by its kind. A name may be of several kinds, and is told under each."""
    rows = material.rows
    used = {
        "person": {row.identity for row in rows},
        "source": {name for row in rows for name in row.source_ids},
        "driver": {row.driver_id for row in rows if row.driver_id},
    }
    found: dict[str, dict[str, list[str]]] = {kind: {} for kind in _KINDS}
    for tie, splits in crossing_ties(rows).items():
        sort, _, name = tie.partition(":")
        if sort == "name":
            for kind, names in used.items():
                if name in names:
                    found[kind][name] = splits
        else:
            found["clip of a pair" if sort == "path" else "file"][name] = splits
    details = material.details_of
    listed = [(row, details[row.path]) for row in rows if row.path in details]
    found["portrait"] = _in_two((each.portrait, str(row.split)) for row, each in listed)
    found["motion"] = _in_two((each.motion_sha256, str(row.split)) for row, each in listed if each.motion_sha256)
    faults = list[Fault]()
    for kind, crossing in found.items():
        told = [f"{name} ({' and '.join(splits)})" for name, splits in crossing.items()]
        faults += Fault.of(f"{kind} in two splits", told)
    counts = Counter(str(row.split) for row in rows)
    shares = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    notes = [] if listed else ["Portraits and motions were not compared by their digests: there are no details."]
    return Check("splits", faults, f"{len(used['person'])} people: {shares}", notes=notes)


def _in_two(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    splits: dict[str, set[str]] = {}
    for name, split in pairs:
        splits.setdefault(name, set()).add(split)
    return {name: sorted(found) for name, found in sorted(splits.items()) if len(found) > 1}
