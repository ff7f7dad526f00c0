"""What a file's content credentials are worth: read with the C2PA library, judged here; fetched from nowhere unless a
host was named.

In: a path, the roots that may be trusted (for signers, and for time-stamps), perhaps a policy, a sidecar, hosts that
may be asked. Out: a `Verification`.

The library's "Trusted" is only where ours begins: the chain must lead to a root given for signers (the library takes
any root for anything), a time-stamp counts if its authority leads to a root given for time-stamps, and the signature
must cover what is shown. A file says about itself what it likes: every string here is foreign, cut to a length, and
must pass sfumato.text.printable before anybody sees it.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from provenance.formats.coverage import uncovered
from provenance.formats.uncovered import Uncovered
from provenance.formats.untrusted import MOST, cut
from provenance.library.settings import reading
from provenance.library.store import manifest_store, open_reader
from provenance.manifests.claims import read_views
from provenance.pki.certificates import load_anchors
from provenance.pki.cose import read_signature
from provenance.verifying.algorithms import UNSUPPORTED, unsupported, unsupported_sentence
from provenance.verifying.ingredients import judged_ingredients, with_ingredients
from provenance.verifying.trust import decide_trust
from provenance.verifying.verification import Verification
from sfumato.errors import MediaError
from sfumato.regular_file import open_regular

if TYPE_CHECKING:
    from cryptography import x509

    from provenance.manifests.claims import ManifestView
    from provenance.pki.remote import Remote
    from provenance.verifying.policy import Policy
    from provenance.verifying.trust import TrustDecision

# Containers that hold media but cannot hold a credential: these files have none; they are not damaged.
WITHOUT_CREDENTIALS = (
    b"\x1a\x45\xdf\xa3",  # Matroska and WebM
    b"FLV\x01",
    b"OggS",
    b"\x00\x00\x01\xba",  # MPEG-PS
    b"\x00\x00\x01\xb3",  # MPEG-1 and 2, without a container
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF: wmv, wma
    b"FORM",  # AIFF
    b"RF64",
    b"BM",
    b"\0\0\0\x0cjP  \r\n",  # JPEG 2000
    b"8BPS",  # Photoshop
)


def verify(
    path: Path,
    trust: Sequence[bytes] = (),
    *,
    stamps: Sequence[bytes] = (),
    allowed: Collection[str] = (),
    policy: Policy | None = None,
    sidecar: Path | None = None,
    remote: Remote | None = None,
    now: datetime | None = None,
) -> Verification:
    """Looks at the credentials of `path`. `trust`, `stamps`: PEM files (their bytes) of roots for signers and for
    time-stamps. `allowed`: SHA-256 (hex) of single certificates that count as signers, as an AllowedList has them.

    A file without a credential of its own is looked at with the sidecar beside it (same name, .c2pa), or the one given.
    `remote`: hosts that may be asked for a manifest or about revocation; without it no connection is opened. `now` is
    for tests of our own checks. Never raises for what is in the file. Raises UsageError for a trust list without
    certificates.
    """
    look = _Look(
        path, trust, stamps, load_anchors(trust), load_anchors(stamps), allowed, remote, now or datetime.now(UTC)
    )
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return Verification(path, "unreadable", reason="not a regular file")
        if status.st_size == 0:
            return Verification(path, "unreadable", reason="the file is empty")
        with open_regular(path) as file:
            found = look.at(file, sidecar)
    except MediaError as error:
        return Verification(path, "unreadable", reason=cut(error))
    except (OSError, ValueError) as error:  # ValueError: a zero byte in a name
        return Verification(path, "unreadable", reason=getattr(error, "strerror", None) or cut(error))
    return _with_policy(found, policy)


@dataclass(frozen=True)
class _Look:
    """One look at one file: what it is compared with."""

    path: Path
    trust: Sequence[bytes]
    stamps: Sequence[bytes]
    anchors: Sequence[x509.Certificate]
    stamp_anchors: Sequence[x509.Certificate]
    allowed: Collection[str]
    remote: Remote | None
    now: datetime

    def at(self, file: BinaryIO, sidecar: Path | None) -> Verification:
        from c2pa import C2paError

        head = file.read(16)
        try:
            opened = open_reader(self.path, file, reading(self.trust, self.stamps, self.allowed), sidecar, self.remote)
            if opened.reader is None:
                codes = ("manifest.inaccessible",) if opened.address else ()
                return Verification(self.path, "none", codes, reason=opened.reason, remote_manifest=opened.address)
            with opened.reader as reader:
                found = self._evidence(reader, file, outside=opened.outside)
            return replace(found, manifest_from=opened.manifest_from, remote_manifest=opened.address)
        except C2paError as error:
            return self._unread(file, sidecar, _failure(self.path, str(error), head))
        except (
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
            RecursionError,
        ) as error:  # a manifest of an impossible shape
            return Verification(
                self.path, "invalid", ("manifest.unreadable",), reason=cut(f"the manifest cannot be read: {error}")
            )

    def _evidence(self, reader: Any, file: IO[bytes], outside: bool) -> Verification:
        active, ingredients = read_views(reader)
        state = str(reader.get_validation_state())
        left_out = _left_out(active.bindings, file)

        def decide(state: str, view: ManifestView, store: bytes, left_out: Sequence[Uncovered]) -> TrustDecision:
            return decide_trust(
                state, view, read_signature(store, view.label), left_out, self.anchors, self.stamp_anchors,
                self.remote, self.now, unsupported(store, view.label), self.allowed,
            )  # fmt: skip

        ingredients = judged_ingredients(reader, ingredients, decide, self.now)
        trust = with_ingredients(decide(state, active, manifest_store(reader, active.label), left_out), ingredients)
        return Verification(
            path=self.path,
            **vars(trust),  # a decision is a part of a verification, under the same names
            signer=active.signer,
            organisation=active.organisation,
            issuer=active.issuer,
            development=active.development,
            time=active.time,
            declares=active.declares,
            ingredient_declares=tuple(
                dict.fromkeys(kind for ingredient in ingredients for kind in ingredient.declares)
            ),
            title=active.title,
            generator=active.generator,
            facts=active.facts,
            ingredients=ingredients[:MOST],
            identities=active.identities,
            notes=active.notes,
            uncovered=(*left_out, Uncovered("the credential's own file", 0, "it can be taken away or exchanged"))
            if outside
            else left_out,
            ingredients_left_out=len(ingredients) > MOST,
        )

    def _unread(self, file: BinaryIO, sidecar: Path | None, failed: Verification) -> Verification:
        """What the library makes no report of: is it for an algorithm? It opens such a manifest if it need not
        check.
        """
        from c2pa import C2paError

        if failed.outcome != "invalid" or UNSUPPORTED in failed.codes:
            return failed
        try:
            opened = open_reader(self.path, file, reading(unchecked=True), sidecar, None)
            if opened.reader is None:
                return failed
            with opened.reader as reader:
                label = str(json.loads(reader.json())["active_manifest"])
                foreign = unsupported(manifest_store(reader, label), label)
        except (C2paError, ValueError, TypeError, KeyError):
            return failed
        return replace(failed, codes=(UNSUPPORTED,), reason=unsupported_sentence(foreign)) if foreign else failed


def _left_out(bindings: Mapping[str, Mapping[str, Any]], file: IO[bytes]) -> tuple[Uncovered, ...]:
    """One binding in force is the rule; with several, all that any of them leaves out is named. None covers nothing."""
    if not bindings:
        return (Uncovered("the whole file", 0, "no hard binding that could be read", essential=True),)
    parts = [part for name, assertion in bindings.items() for part in uncovered(name, assertion, file)]
    return tuple(dict.fromkeys(parts))


def _with_policy(found: Verification, policy: Policy | None) -> Verification:
    """A policy looks at valid files only, and can only take trust away."""
    if policy is None or found.outcome not in ("trusted", "untrusted"):
        return found
    result = policy.evaluate(found)
    if result.held or found.outcome != "trusted":
        return replace(found, policy=result)
    reason = cut(f"valid, and the signer leads to a given root, but the policy does not hold: {result.why}")
    return replace(found, outcome="untrusted", codes=(*found.codes, "policy.failed"), reason=reason, policy=result)


def _failure(path: Path, message: str, head: bytes) -> Verification:
    """The library could not make a report. Was it the file, or the credential in it?"""
    if head.startswith(WITHOUT_CREDENTIALS):
        return Verification(path, "none", reason="a container that cannot hold a content credential")
    if message.startswith(("NotSupported", "Io")) or "asset could not be parsed" in message:
        return Verification(path, "unreadable", reason=_why_unreadable(message))
    if "unknown algorithm" in message:
        return Verification(path, "invalid", (UNSUPPORTED,), reason=unsupported_sentence(()))
    return Verification(
        path, "invalid", ("manifest.unreadable",), reason=cut(f"the manifest cannot be read: {message}")
    )


def _why_unreadable(message: str) -> str:
    if message.startswith("NotSupported"):
        return "not a media file of a known kind"
    if message.startswith("Io"):
        return "the file ends too early, or cannot be read"
    return cut(f"damaged or truncated: {message.partition('asset could not be parsed: ')[2]}")
