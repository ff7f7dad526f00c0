"""How a manifest names the watermark in its asset: action `c2pa.watermarked.bound` and assertion `c2pa.soft-binding`
(C2PA specification 2.4, sections 18.10 and 18.15).

In: the watermark's algorithm and payload. Out: the two parts of a manifest definition. Who has a copy without its
manifest finds that manifest again by the watermark: see provenance.durable.recovery.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

SOFT_BINDING_LABEL = "c2pa.soft-binding"
WATERMARKED_ACTION = "c2pa.watermarked.bound"


@dataclass(frozen=True)
class SoftBinding:
    """A watermark that is in the whole of an asset: its algorithm and the payload."""

    alg: str
    payload: bytes

    @property
    def value(self) -> str:
        """The payload as assertion, repository and resolvers have it: base64."""
        return base64.b64encode(self.payload).decode("ascii")

    def assertion(self) -> dict[str, Any]:
        """An empty scope is the whole asset."""
        return {"label": SOFT_BINDING_LABEL, "data": {"alg": self.alg, "blocks": [{"scope": {}, "value": self.value}]}}

    def action(self, when: str, agent: dict[str, str]) -> dict[str, Any]:
        """What goes into the actions, after `c2pa.created`."""
        return {"action": WATERMARKED_ACTION, "when": when, "softwareAgent": agent}
