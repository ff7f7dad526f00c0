"""What a recovered manifest store is worth: who signed it and whether it is whole, without the file that it was made
for.

In: the bytes of a manifest store (from a repository or a resolver: a stranger's), and roots that signers may lead to.
Out: a `RecoveredManifest`. The hard binding, a hash of the original file, is not looked at: a copy that was encoded
again never has it. So nothing here says that the file in hand is what was signed; only watermark and fingerprint do,
see provenance.durable.recovery.
"""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from provenance.formats.untrusted import dict_of, list_of
from provenance.library.settings import reading
from provenance.library.store import manifest_store
from provenance.manifests.claims import ManifestView, read_views
from provenance.manifests.durable_assertion import DURABLE_LABEL, DurableStatement, draw_payload, key_digest
from provenance.pki.certificates import load_anchors, outside_validity
from provenance.pki.cose import read_signature

if TYPE_CHECKING:
    from cryptography import x509

LARGEST = 64 << 20  # bytes
_HARD_BINDINGS = tuple(f"assertion.{kind}Hash." for kind in ("bmff", "data", "boxes", "collection", "multiAsset"))
_SOFT_BINDING = re.compile(r"c2pa\.soft-binding(\.v\d+)?(__\d+)?")
_UNVOUCHED = "signingCredential.untrusted"


@dataclass(frozen=True)
class RecoveredManifest:
    """signature: trusted (leads to a given root), untrusted (whole, nobody vouches), invalid, or unreadable; `codes`
    say why.

    `bindings`: (alg, value) of every soft binding that the signer states of the whole asset; one of a part, or one that
    was gathered from elsewhere, is none. `durable`: what else joins copies to it. `key`: the SHA-256 of the signer's
    public key, hex, empty if it cannot be read. `view`: what it says; foreign text.
    """

    signature: str
    label: str | None = None
    codes: tuple[str, ...] = ()
    bindings: tuple[tuple[str, str], ...] = ()
    view: ManifestView | None = field(default=None)
    durable: DurableStatement | None = None
    key: str = ""

    def states(self, alg: str, value: str) -> bool:
        """Whether it names this watermark and no other of this kind: who names many, names none."""
        return [stated for name, stated in self.bindings if name == alg] == [value]

    def drew(self, value: str) -> bool:
        """Whether this watermark is the one that this signer draws for what was sealed, not one that was taken over."""
        if self.durable is None or not self.key:
            return False
        return base64.b64encode(draw_payload(self.durable.origin, self.key)).decode("ascii") == value


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
            bindings, durable = _stated(reader, view.label)
            key = _key(reader, view.label)
            return RecoveredManifest(signature, view.label, codes, bindings, view, durable, key)
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


def _stated(reader: Any, label: str) -> tuple[tuple[tuple[str, str], ...], DurableStatement | None]:
    """What the signer states of the whole asset: soft bindings, and our own assertion, if it is there once."""
    manifest = json.loads(reader.json())["manifests"][label]
    bindings: dict[tuple[str, str], None] = {}
    statements = []
    for assertion in map(dict_of, list_of(manifest.get("assertions"))):
        if manifest.get("claim_version") != 1 and assertion.get("created") is not True:
            continue  # gathered from elsewhere: the signer does not say that it is so
        name, data = str(assertion.get("label", "")), dict_of(assertion.get("data"))
        if _SOFT_BINDING.fullmatch(name) and isinstance(data.get("alg"), str):
            for block in map(dict_of, list_of(data.get("blocks"))):
                if isinstance(block.get("value"), str) and not _is_partial(block.get("scope")):
                    bindings[(data["alg"], block["value"])] = None
        elif name.partition("__")[0] == DURABLE_LABEL:
            statements.append(DurableStatement.read(data))
    return tuple(bindings), statements[0] if len(statements) == 1 else None


def _is_partial(scope: Any) -> bool:
    """A scope that names something (a span of time, a region): the mark is said to be in that part alone."""
    return scope is not None and (not isinstance(scope, Mapping) or any(part is not None for part in scope.values()))


def _key(reader: Any, label: str) -> str:
    leaf = read_signature(manifest_store(reader, label), label).chain[:1]
    return key_digest(leaf[0].public_key()) if leaf else ""
