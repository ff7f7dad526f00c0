"""What a recovered manifest store is worth: who signed it and whether it is whole, without the file that it was made
for.

In: the bytes of a manifest store (from a repository or a resolver: a stranger's), and roots that signers may lead to.
Out: a `RecoveredManifest`. The hard binding, a hash of the original file, is not looked at: a copy that was encoded
again never has it. So nothing here says that the file in hand is what was signed; only watermark and fingerprint do,
see provenance.durable.recovery.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from provenance.library.settings import reading
from provenance.library.store import manifest_store
from provenance.manifests.claims import ManifestView, read_views
from provenance.pki.certificates import load_anchors, outside_validity
from provenance.pki.cose import read_signature

if TYPE_CHECKING:
    from cryptography import x509

LARGEST = 64 << 20  # bytes
_HARD_BINDINGS = tuple(f"assertion.{kind}Hash." for kind in ("bmff", "data", "boxes", "collection", "multiAsset"))
_UNVOUCHED = "signingCredential.untrusted"


@dataclass(frozen=True)
class RecoveredManifest:
    """signature: trusted (leads to a given root), untrusted (whole, nobody vouches), invalid, or unreadable; `codes`
    say why.

    `bindings`: (alg, value) of every soft binding that the active manifest states. `view`: what it says; foreign text.
    """

    signature: str
    label: str | None = None
    codes: tuple[str, ...] = ()
    bindings: tuple[tuple[str, str], ...] = ()
    view: ManifestView | None = field(default=None)


def read_store(store: bytes, trust: Sequence[bytes] = ()) -> RecoveredManifest:
    """Never raises for what is in `store`. Raises UsageError for a trust list without certificates. No connection is
    opened.
    """
    from c2pa import C2paError, Context, Reader

    anchors = load_anchors(trust)
    if not store or len(store) > LARGEST:
        return RecoveredManifest("unreadable")
    try:
        with Reader("application/c2pa", io.BytesIO(store), context=Context.from_dict(reading(trust))) as reader:
            view, _ = read_views(reader)
            codes = tuple(code for code in view.failures if not code.startswith(_HARD_BINDINGS))
            signature = _signature(codes, view.successes, anchors, reader, view.label)
            return RecoveredManifest(signature, view.label, codes, _bindings(reader, view.label), view)
    except (C2paError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return RecoveredManifest("unreadable")


def _signature(
    codes: Sequence[str], successes: Sequence[str], anchors: Sequence[x509.Certificate], reader: Any, label: str
) -> str:
    if "claimSignature.validated" not in successes or any(code != _UNVOUCHED for code in codes):
        return "invalid"
    trusted = _UNVOUCHED not in codes and "signingCredential.trusted" in successes
    return "trusted" if trusted and _anchored(reader, label, anchors) else "untrusted"


def _anchored(reader: Any, label: str, anchors: Sequence[x509.Certificate]) -> bool:
    """The library does not tell roots of signers from others; so we look at the chain ourselves. A certificate that has
    ended vouches for nothing here: no time-stamp is looked at.
    """
    from provenance.pki.paths import SIGNING, find_path

    now = datetime.now(UTC)
    path = find_path(read_signature(manifest_store(reader, label), label).chain, anchors, SIGNING, now).certificates
    return bool(path) and outside_validity(path, now) is None


def _bindings(reader: Any, label: str) -> tuple[tuple[str, str], ...]:
    report = json.loads(reader.json())
    found = []
    for assertion in report["manifests"][label].get("assertions", []):
        data = assertion.get("data")
        if not str(assertion.get("label", "")).startswith("c2pa.soft-binding") or not isinstance(data, Mapping):
            continue
        for block in data.get("blocks", []):
            if isinstance(block, Mapping) and isinstance(data.get("alg"), str) and isinstance(block.get("value"), str):
                found.append((data["alg"], block["value"]))
    return tuple(found[:100])
