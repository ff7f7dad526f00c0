"""What a set says of itself, held against what is there: its list, its details, set.json and its signed manifest. In:
the material and looks. Out: `Check`s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sfumato.app.sets.check.looking.look import Look
from sfumato.app.sets.check.material import Material
from sfumato.app.sets.check.report import Check, Fault
from sfumato.app.sets.layout import CLIPS, DETAILS, FACTS, MANIFEST, RECIPE, SUMS, SetRow, counts_of, set_digest
from sfumato.errors import MediaError
from sfumato.media.clips import file_digest

NO_SET = "it is no set, only a list of clips"


def check_list(material: Material, looks: Sequence[Look]) -> Check:
    """The lines of the list, and whether their files can be decoded."""
    twice = [line for line in material.refused if line.endswith("is listed twice")]
    odd = [line for line in material.refused if line not in twice]
    dark = [(row.path, look.reason) for row, look in zip(material.rows, looks, strict=True) if look.reason]
    short = [row.path for row, look in zip(material.rows, looks, strict=True) if look.media.get("truncated")]
    labels = Counter(row.label for row in material.rows)
    faults = [
        *Fault.of("row that is listed twice", twice),
        *Fault.of("line that is no row", odd),
        *Fault.of("file that cannot be decoded", [path for path, _ in dark], dark[0][1] if dark else ""),
        *Fault.of("file that ends too early", short),
    ]
    return Check("list", faults, f"{len(material.rows)} clips: {labels['real']} real, {labels['fake']} fake")


def check_details(material: Material, looks: Sequence[Look]) -> Check:
    """details.jsonl against the rows and the files."""
    if not material.whole:
        return Check("details", why_not=f"there is no {DETAILS}")
    if DETAILS in material.unreadable:
        return Check("details", Fault.of("file that cannot be read", [DETAILS], material.unreadable[DETAILS]))
    details = material.details_of
    rows = [row.path for row in material.rows]
    stated = [each.path for each in material.details]
    counts = Counter(stated)
    strangers = sorted(set(stated) - set(rows))
    faults = [
        *Fault.of("row without details", [path for path in rows if path not in details]),
        *Fault.of("details of no row", strangers),
        *Fault.of("details given twice", [path for path, count in counts.items() if count > 1]),
    ]
    if not faults and rows != stated:
        faults += Fault.of(
            "details in another order than the rows", [a for a, b in zip(rows, stated, strict=True) if a != b]
        )
    lies: dict[str, list[str]] = {}
    decoded = list[tuple[str, bool]]()
    for path, look in zip(rows, looks, strict=True):
        each, media = details.get(path), look.media
        if each is None or not media.get("kind"):
            continue
        decoded.append((path, each.decoded == look.decoded))
        held = {
            "bytes": (each.bytes, media["size"]), "width": (each.width, media["width"]),
            "height": (each.height, media["height"]), "frames": (each.frames, media.get("frames")),
            "codec": (each.codec, media.get("codec")),
            "rate": (round(each.rate, 2), round(media.get("rate") or 0, 2)),
        }  # fmt: skip
        for name, (said, found) in held.items():
            if said != found:
                lies.setdefault(name, []).append(f"{path} (says {said}, has {found})")
    faults += [fault for name, names in lies.items() for fault in Fault.of(f"detail that is not so: {name}", names)]
    notes = []
    if decoded and not any(fits for _, fits in decoded):
        notes.append("No decoded frames have the digest of the details: another decoder, or all are wrong.")
    else:
        faults += Fault.of("detail that is not so: decoded", [path for path, fits in decoded if not fits])
    return Check("details", faults, f"{len(stated)} rows", notes=notes)


def check_facts(material: Material) -> Check:
    """set.json: counts, the digest of all rows, and that of the recipe."""
    if not material.whole:
        return Check(FACTS, why_not=NO_SET)
    if material.facts is None:
        return Check(FACTS, Fault.of("file that cannot be read", [FACTS], material.unreadable.get(FACTS, "")))
    facts, details, faults = material.facts, material.details_of, list[Fault]()
    try:
        if file_digest(material.folder / RECIPE) != facts.recipe_sha256:
            faults += Fault.of("recipe that is another one than the set was made by", [RECIPE])
    except MediaError as error:
        faults += Fault.of("file that cannot be read", [RECIPE], error.message)
    rows = [SetRow(row, details[row.path]) for row in material.rows if row.path in details]
    if len(rows) < len(material.rows) or not rows:
        return Check(FACTS, faults, why_not=f"counts and digest cannot be: {DETAILS} does not fit {CLIPS}")
    counts = counts_of(rows)
    wrong = [
        f"{name}: says {facts.counts.get(name)}, has {counts.get(name)}"
        for name in sorted({*counts, *facts.counts})
        if _plain(counts.get(name)) != _plain(facts.counts.get(name))
    ]  # fmt: skip
    faults += Fault.of("count that is not so", wrong)
    if set_digest(rows) != facts.digest:
        faults += Fault.of("digest that is not that of the rows", [f"{facts.digest[:16]}..."])
    return Check(FACTS, faults, f"version {facts.version}, by {facts.program}")


def check_manifest(material: Material, trust: Sequence[bytes]) -> Check:
    """The signed manifest of the set, which speaks of SHA256SUMS and so of every file. trust: PEM of roots that its
    signer must lead to; none: any signer.
    """
    from provenance.verifying.verify import verify

    title = "manifest of the set"
    if not material.whole:
        return Check(title, why_not=NO_SET)
    sums, manifest = material.folder / SUMS, material.folder / MANIFEST
    if not manifest.is_file():
        return Check(title, Fault.of("file missing", [MANIFEST]))
    found = verify(sums, trust, sidecar=manifest)
    if found.outcome == "trusted" or (found.outcome == "untrusted" and not trust):
        return Check(title, looked_at=f"signed by {found.signer}")
    kind = "manifest that nobody given vouches for" if found.outcome == "untrusted" else "manifest that does not fit"
    return Check(title, Fault.of(kind, [MANIFEST], f"{found.outcome}: {found.reason}"))


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, dict) else value
