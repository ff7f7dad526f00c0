"""Our assertion `org.sfumato.durable`: what joins a manifest to a copy that lost it, stated by the signer.

In: what was sealed, the signer's key, the fingerprint. Out: the assertion, the watermark's payload, and what a manifest
states of both. A repository says which watermark and which fingerprint belong to which manifest, and anybody who may
write there can say otherwise; what stands here, nobody but the signer can change. The payload is drawn from what is
sealed and from the signer's key: another signer who wants the same one must try 2^64 others.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

DURABLE_LABEL = "org.sfumato.durable"
PAYLOAD_BYTES = 8
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class DurableStatement:
    """`origin`: SHA-256 of what was sealed, from which the payload is drawn. `fingerprint`: its algorithm and the
    SHA-256 of the bytes that are stored. Digests are lower-case hex.
    """

    origin: str
    fingerprint_alg: str
    fingerprint: str

    def assertion(self) -> dict[str, Any]:
        """As it goes into a manifest definition."""
        stated = {"origin": self.origin, "fingerprint_alg": self.fingerprint_alg, "fingerprint": self.fingerprint}
        return {"label": DURABLE_LABEL, "data": stated}

    @classmethod
    def read(cls, data: dict[str, Any]) -> DurableStatement | None:
        """From a manifest, foreign; None if it is of another form."""
        alg, digests = data.get("fingerprint_alg"), (data.get("origin"), data.get("fingerprint"))
        if not isinstance(alg, str) or not all(isinstance(each, str) and _DIGEST.fullmatch(each) for each in digests):
            return None
        return cls(str(digests[0]), alg, str(digests[1]))


def draw_payload(origin: str, key: str) -> bytes:
    """8 bytes. `origin`: see DurableStatement; `key`: SHA-256 of the signer's public key, hex."""
    return hashlib.sha256(f"{DURABLE_LABEL} {origin} {key}".encode()).digest()[:PAYLOAD_BYTES]


def key_digest(public_key: Any) -> str:
    """SHA-256, hex, of a public key of `cryptography`."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
