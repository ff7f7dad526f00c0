"""What commands are given to believe: files of lists in, the lists and what is told of them out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provenance.pki.allowed_list import AllowedList
    from provenance.pki.trust_lists import TrustList


def trust_lists(signers: tuple[Path, ...], stamps: tuple[Path, ...]) -> list[TrustList]:
    """Lists of signers, then those of time-stamp authorities. Raises UsageError."""
    if not signers and not stamps:
        return []
    from provenance.pki.trust_lists import load_trust_list

    return [load_trust_list(path, "signers") for path in signers] + [load_trust_list(path, "stamps") for path in stamps]


def allowed_lists(paths: tuple[Path, ...]) -> list[AllowedList]:
    """Raises UsageError."""
    if not paths:
        return []
    from provenance.pki.allowed_list import load_allowed_list

    return [load_allowed_list(path) for path in paths]


def origin(trust_list: TrustList) -> dict[str, str | int | None]:
    """Which list it is, of which day, and whether it is old."""
    return {
        "file": str(trust_list.path),
        "purpose": trust_list.purpose,
        "certificates": trust_list.size,
        "issued": trust_list.issued.isoformat(),
        "next_update": trust_list.next_update.isoformat() if trust_list.next_update else None,
        "sha256": trust_list.sha256,
        "warning": trust_list.warning,
    }
