"""Who signed a head, and whether anybody given here vouches for them. In: a head whose signature fits. Out: a
`Signatory`.

A certificate counts if it leads to a given root or is on an allowed list, for signing, and is valid now. That is no
loss for old heads: a new one covers all lines before it. Nobody is asked about revocation.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from provenance.pki.certificates import fingerprint, load_anchors, not_valid, view
from provenance.pki.keys import is_development
from provenance.pki.paths import SIGNING, find_path, unfit

LISTED = "its certificate is on the allowed list"
ROOTED = "its certificate leads to a given root"


@dataclass(frozen=True)
class Signatory:
    """name: the certificate's, foreign text; sha256: of the certificate; development: by a key that anybody can make;
    trusted: somebody given vouches for it; reason: why, or why not.
    """

    name: str
    sha256: str
    development: bool
    trusted: bool
    reason: str


class Trust:
    """anchors: PEM of roots; allowed: SHA-256, hex, of single certificates. Raises UsageError for PEM that holds no
    certificate.
    """

    def __init__(self, anchors: Sequence[bytes], allowed: Collection[str], now: datetime) -> None:
        self._anchors, self._allowed, self._now = load_anchors(anchors), frozenset(allowed), now
        self._known: dict[tuple[x509.Certificate, ...], Signatory] = {}

    def signatory(self, chain: tuple[x509.Certificate, ...]) -> Signatory:
        """chain: of a head, leaf first."""
        if chain not in self._known:
            self._known[chain] = self._judged(chain)
        return self._known[chain]

    def _judged(self, chain: tuple[x509.Certificate, ...]) -> Signatory:
        leaf, shown = chain[0], view(chain[0])
        name = shown.common_name or shown.subject
        trusted, reason = self._vouched(chain)
        return Signatory(name, fingerprint(leaf), is_development(leaf), trusted, reason)

    def _vouched(self, chain: tuple[x509.Certificate, ...]) -> tuple[bool, str]:
        leaf = chain[:1]
        if fingerprint(leaf[0]) in self._allowed and not unfit(SIGNING, leaf):
            reason, counted = LISTED, leaf
        else:
            found = find_path(chain, self._anchors, SIGNING, self._now)
            if not found.certificates:
                return False, found.refusal
            reason, counted = ROOTED, found.certificates[:-1] or leaf
        if not_valid(counted, self._now):
            return False, "its certificate is not valid now: a new head by a valid one would cover the same lines"
        return True, reason
