"""Whether somebody may use what a set shows: a record of rights for every clip. In: the material. Out: a `Check`."""

from __future__ import annotations

from sfumato.app.sets.check.material import Material
from sfumato.app.sets.check.report import Check, Fault
from sfumato.app.sets.layout import DETAILS, RIGHTS


def check_rights(material: Material) -> Check:
    """Every row has a record, all rows of one portrait the same one, and no record is of nothing."""
    name = "rights"
    if not material.whole:
        return Check(name, why_not="a list of clips alone tells no rights")
    if material.rights is None:
        why = material.unreadable.get(RIGHTS, "")
        return Check(name, Fault.of("file that cannot be read", [RIGHTS], why))
    if DETAILS in material.unreadable:
        return Check(name, why_not=f"{DETAILS}, which names the record of each clip, cannot be read")
    records, details = material.rights, material.details_of
    without = [row.path for row in material.rows if row.path not in details]
    missing = [each.path for each in material.details if each.rights not in records]
    by_portrait: dict[str, set[str]] = {}
    for each in material.details:
        by_portrait.setdefault(each.portrait, set()).add(each.rights)
    torn = [portrait for portrait, names in by_portrait.items() if len(names) > 1]
    used = {each.rights for each in material.details}
    faults = [
        *Fault.of("clip without a record of rights", [*missing, *without]),
        *Fault.of("source with two records of rights", torn, "by the sha256 of its file"),
    ]
    unused = len(set(records) - used)
    notes = [f"{unused} record{'' if unused == 1 else 's'} that no clip names"] if unused else []
    bases = sorted({f"{record.basis} ({record.licence})" for key, record in records.items() if key in used})
    count = len(used & set(records))
    said = f"{count} record{'' if count == 1 else 's'}: {', '.join(bases)[:200]}"
    return Check(name, faults, said, notes=notes)
