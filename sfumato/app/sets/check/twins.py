"""Whether every fake stands beside its real twin, and nothing but the forgery tells them apart: length, size, rate,
codec and sound are equal. In: the material and looks. Out: a `Check`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sfumato.app.sets.check.looking.look import Look
from sfumato.app.sets.check.material import Material
from sfumato.app.sets.check.report import Check, Fault

_EQUAL = {  # what of the media must be equal, and what it is called where it is not
    "frames": "length", "width": "size", "height": "size", "rate": "rate", "container": "container", "codec": "codec",
    "pixels": "pixel format", "audio": "sound", "sound_codec": "sound", "sound_rate": "sound", "sound_layout": "sound",
}  # fmt: skip


def check_twins(material: Material, looks: Sequence[Look]) -> Check:
    """Beside another list than a set's, fakes may be without twins; those that have some are compared."""
    rows = material.rows
    known = {row.path: number for number, row in enumerate(rows)}
    fakes = [row for row in rows if row.label == "fake"]
    alone = [row.path for row in fakes if row.pair_of is None]
    astray = [row.path for row in fakes if row.pair_of is not None and row.pair_of not in known]
    pairs = [(row, rows[known[row.pair_of]]) for row in fakes if row.pair_of in known]
    unreal = [fake.path for fake, twin in pairs if twin.label != "real"]
    shared = Counter(fake.pair_of for fake, _ in pairs)
    differing: dict[str, list[str]] = {}
    compared = 0
    for fake, twin in pairs:
        one, other = (looks[known[row.path]] for row in (fake, twin))
        if not (one.media.get("kind") and other.media.get("kind")):
            continue
        compared += 1
        words = {word for key, word in _EQUAL.items() if one.media.get(key) != other.media.get(key)}
        for word in sorted(words):
            differing.setdefault(word, []).append(fake.path)
    if not material.whole and not pairs:
        return Check("twins", why_not="no fake of this list has a twin in it")
    faults = [
        *(Fault.of("fake without a twin", alone) if material.whole else []),
        *Fault.of("fake whose twin is not in the list", astray),
        *Fault.of("fake whose twin is no real clip", unreal),
        *(fault for word, names in differing.items() for fault in Fault.of(f"twin of another {word}", names)),
    ]
    if material.whole:
        faults += _pair_numbers(material, [(fake.path, twin.path) for fake, twin in pairs])
        partners = {twin.path for _, twin in pairs}
        faults += Fault.of(
            "twin without a fake", [r.path for r in rows if r.label == "real" and r.path not in partners]
        )
        faults += Fault.of("twin of several fakes", [str(path) for path, count in shared.items() if count > 1])
    return Check("twins", faults, f"{compared} pairs compared")


def _pair_numbers(material: Material, pairs: Sequence[tuple[str, str]]) -> list[Fault]:
    """Details number the pairs: both of one have one number, and nobody else has it."""
    details = material.details_of
    torn = [
        fake for fake, twin in pairs
        if fake in details and twin in details and details[fake].pair != details[twin].pair
    ]  # fmt: skip
    counts = Counter(each.pair for each in material.details)
    odd = [pair for pair, count in sorted(counts.items()) if count != 2]
    return [
        *Fault.of("pair that its details number apart", torn),
        *Fault.of("pair number of other than two clips", odd),
    ]
