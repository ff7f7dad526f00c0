"""Whether every file of a set says what it is: its seal holds, and declares what the label says. In: rows and looks.
Out: `Check`s.

A fake must carry a credential whose source type says that AI took part, a real none that says so, of itself or of what
it was made from.
"""

from __future__ import annotations

from collections.abc import Sequence

from sfumato.app.scan.verdict import EDITED, SYNTHETIC
from sfumato.app.sets.check.looking.look import Look
from sfumato.app.sets.check.material import Material
from sfumato.app.sets.check.report import Check, Fault

FORGED = SYNTHETIC | EDITED  # source types that say so
HOLDS = ("trusted", "untrusted")


def check_seals(material: Material, looks: Sequence[Look], trusted: bool) -> Check:
    """trusted: roots were given, and signers must lead to them."""
    there = [(row, look) for row, look in zip(material.rows, looks, strict=True) if look.sha256]
    sealed = [look for _, look in there if look.outcome not in ("none", "unreadable")]
    if not material.whole and not sealed:
        return Check("seals", why_not="no file of this list carries a credential")
    bare: dict[str, list[str]] = {"fake": [], "real": []}
    for row, look in there:
        if look.outcome == "none" or (look.outcome == "unreadable" and look.media.get("kind")):
            bare[row.label].append(row.path)
    broken = [(row.path, look.seal_reason) for row, look in there if look.outcome == "invalid"]
    faults = [
        *Fault.of("fake without a seal", bare["fake"]),
        *(
            Fault.of("real clip without a seal", bare["real"], "every file of a set is sealed")
            if material.whole
            else []
        ),
        *Fault.of("seal that does not hold", [path for path, _ in broken], broken[0][1] if broken else ""),
    ]
    if trusted:
        strangers = [row.path for row, look in there if look.outcome == "untrusted"]
        faults += Fault.of("seal of a signer whom no root given vouches for", strangers)
    signers = sorted({look.signer for look in sealed if look.signer})
    notes = [f"Signed by {', '.join(signers[:3])}" + (f" and {len(signers) - 3} more" if len(signers) > 3 else "")]
    if not trusted:
        notes.append("Who signed was not held to any root; --trust does that.")
    return Check("seals", faults, f"{len(sealed)} of {len(there)} files sealed", notes=notes if sealed else ())


def check_labels(material: Material, looks: Sequence[Look]) -> Check:
    """Labels against the source types of the seals that hold."""
    held = [(row, look) for row, look in zip(material.rows, looks, strict=True) if look.outcome in HOLDS]
    name = "labels against seals"
    if not held:
        return Check(name, why_not="no file carries a credential that holds")
    called_real = [
        row.path for row, look in held if row.label == "real" and FORGED & {*look.declares, *look.ingredients}
    ]
    called_fake = [row.path for row, look in held if row.label == "fake" and not FORGED & {*look.declares}]
    kinds = sorted(
        {kind for row, look in held if row.path in set(called_real) for kind in (*look.declares, *look.ingredients)}
    )
    faults = [
        *Fault.of("clip labelled real whose seal declares AI", called_real, ", ".join(kinds)),
        *Fault.of("clip labelled fake whose seal declares no AI", called_fake),
    ]
    return Check(name, faults, f"{len(held)} files")
