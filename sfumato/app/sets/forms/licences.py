"""Names of licences as people write them, as the registries write them. In: a text. Out: an SPDX identifier, or None.

The list is what sets of pictures are given out under; anything else keeps the words it has.
"""

from __future__ import annotations

import re

_CREATIVE = ("BY", "BY-SA", "BY-NC", "BY-NC-SA", "BY-ND", "BY-NC-ND")
_KNOWN = {
    name.lower(): name
    for name in (
        *(f"CC-{kind}-{version}" for kind in _CREATIVE for version in ("2.0", "2.5", "3.0", "4.0")),
        "CC0-1.0", "Apache-2.0", "MIT", "ODC-By-1.0", "ODbL-1.0", "PDDL-1.0", "CDLA-Permissive-1.0",
        "CDLA-Permissive-2.0", "CDLA-Sharing-1.0",
    )
}  # fmt: skip
_HUB = {"odc-by-1.0": "odc-by", "odbl-1.0": "odbl", "pddl-1.0": "pddl"}
_NOT_ON_HUB = {f"cc-{kind.lower()}-{version}" for kind in _CREATIVE for version in ("2.0", "2.5", "3.0", "4.0")} - {
    "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0",
    "cc-by-nc-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0",
    "cc-by-nc-nd-4.0",
}  # fmt: skip


def spdx_name(licence: str) -> str | None:
    """ "cc by 4.0" and "CC-BY-4.0" are CC-BY-4.0."""
    return _KNOWN.get(re.sub(r"[\s_-]+", "-", licence.strip().lower()).replace("cc-0", "cc0"))


def spdx_address(licence: str) -> str | None:
    """Where SPDX shows its text."""
    name = spdx_name(licence)
    return f"https://spdx.org/licenses/{name}.html" if name else None


def hub_name(licence: str) -> str | None:
    """What huggingface.co calls it (huggingface.co/docs/hub/repositories-licenses); None where it has no name."""
    name = (spdx_name(licence) or "").lower()
    return None if not name or name in _NOT_ON_HUB else _HUB.get(name, name)
