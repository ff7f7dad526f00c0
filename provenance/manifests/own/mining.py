"""The rights to mine and train, as somebody's own manifest states them: the data of `cawg.training-mining` in, nothing
or a refusal out.

The library signs any data under that name, and a permission that nobody can read is worse than none. After the CAWG
training and data mining assertion 1.1; the names of the uses are not looked at, there may be others.
"""

from __future__ import annotations

from typing import Any

from provenance.formats.untrusted import cut
from sfumato.errors import UsageError, choose_from

TRAINING_MINING_LABEL = "cawg.training-mining"
TRAINING_MINING = ("notAllowed", "allowed", "constrained")


def check_mining(data: Any, where: str) -> None:
    """Raises UsageError."""
    entries = data.get("entries") if isinstance(data, dict) else None
    if not isinstance(entries, dict) or not entries or not all(isinstance(entry, dict) for entry in entries.values()):
        advice = 'Write it as {"entries": {"cawg.ai_training": {"use": "notAllowed"}}}.'
        raise UsageError(f"{TRAINING_MINING_LABEL} has no entries in {where}", advice)
    for name, entry in entries.items():
        if entry.get("use") not in TRAINING_MINING:
            said = cut(entry.get("use"))
            raise UsageError(f"Unknown use {said!r} of {cut(name)} in {where}", choose_from(said, TRAINING_MINING))
