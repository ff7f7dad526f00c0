"""Which assertions a manifest of somebody's own may hold. In: a label. Out: nothing, or a refusal with its reason.

Of the names that C2PA and CAWG keep for themselves only those are taken that say something in plain JSON, and that
neither the program nor another key has to write. Names of other domains are free, ours are not.
"""

from __future__ import annotations

import re

from sfumato.errors import UsageError

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+")
LONGEST = 200  # characters
FREE = ("c2pa.actions", "c2pa.actions.v2", "c2pa.metadata", "c2pa.asset-type", "cawg.training-mining", "cawg.metadata")
RESERVED = {  # what begins so, with the reason
    "c2pa.hash": "The program binds the manifest to the file itself.",
    "c2pa.ingredient": "Name the file under ingredients; the program states what it is.",
    "c2pa.thumbnail": "A foreign picture may show something else. --allow-thumbnail makes one of the file itself.",
    "c2pa.soft-binding": "It names a watermark, and only what was sealed with one has it.",
    "c2pa.training-mining": "Its name is cawg.training-mining now.",
    "c2pa": f"Of the assertions of C2PA these are taken: {', '.join(FREE[:4])}.",
    "cawg.identity": "It is signed with a key of its own, which no JSON holds.",
    "cawg": f"Of the assertions of CAWG these are taken: {', '.join(FREE[4:])}.",
    "org.sfumato": "The program writes it itself, out of --model, --seed, --portrait and --motion.",
}


def check_label(label: str, where: str) -> None:
    """Raises UsageError. Capitals do not make another name of a reserved one."""
    if not _LABEL.fullmatch(label) or "__" in label or len(label) > LONGEST:
        advice = "Use letters, digits and dots, as in stds.schema-org.CreativeWork or org.example.facts."
        raise UsageError(f"{label[:LONGEST]!r} is no label of an assertion ({where})", advice)
    if label in FREE:
        return
    small = label.lower()
    for name, reason in RESERVED.items():
        if small == name or small.startswith((f"{name}.", f"{name}-")):
            raise UsageError(f"{label} cannot be stated in {where}", reason)
