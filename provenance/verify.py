"""What a file's content credentials are worth: read with the C2PA library, judged here, never fetched from anywhere.

In: a path and the roots that may be trusted. Out: a `Verification` with one of five outcomes:

trusted      valid, and the signer's certificates lead to one of the given roots
untrusted    valid, but nothing given here vouches for the signer (or for an identity that the file names)
invalid      the media or the manifest changed after signing, the signature is wrong, or the manifest cannot be made sense of
none         no credential in the file, or only an address of one; such an address is noted and never visited
unreadable   no such file, empty, truncated, or no media that can be looked at

A file says about itself what it likes: every string here is foreign, cut to a length, and must pass sfumato.text.printable
before anybody sees it.
"""

from __future__ import annotations

import io
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from provenance.certificates import embedded_chain, leads_to, load_anchors
from provenance.claims import Ingredient, ManifestView, cut, read_views

OUTCOMES = ("trusted", "untrusted", "none", "invalid", "unreadable")  # from good to bad
STATES = {"Trusted": "trusted", "Valid": "untrusted", "Invalid": "invalid"}  # the library's words
# Containers that hold media but cannot hold a credential: these files have none; they are not damaged.
WITHOUT_CREDENTIALS = (b"\x1a\x45\xdf\xa3", b"FLV\x01", b"OggS", b"\x00\x00\x01\xba", b"BM")  # Matroska and WebM, FLV, Ogg, MPEG-PS, BMP


@dataclass(frozen=True)
class Verification:
    """The evidence about one file. `codes`: failures by their C2PA names, `successes`: checks that held.

    time: ISO 8601, and `time_source` says how it is known: "time-stamp" (a recognised authority), "unverified time-stamp",
    "claimed" (the signer's own word), or "". `declares` and `ingredient_declares` are the last parts of digitalSourceTypes.
    `facts`: our assertion about a generated video, as far as it is there. `anchored`: the chain leads to a given root.
    """

    path: Path
    outcome: str
    codes: tuple[str, ...] = ()
    successes: tuple[str, ...] = ()
    reason: str = ""
    signer: str | None = None
    organisation: str | None = None
    issuer: str | None = None
    development: bool = False
    anchored: bool = False
    time: str | None = None
    time_source: str = ""
    declares: tuple[str, ...] = ()
    ingredient_declares: tuple[str, ...] = ()
    title: str | None = None
    generator: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    ingredients: tuple[Ingredient, ...] = ()
    remote_manifest: str | None = None


def verify(path: Path, trust: Sequence[bytes] = ()) -> Verification:
    """Looks at the credentials of `path`. `trust`: PEM files (their bytes) of roots that signers may lead to.

    Never raises for what is in the file, never opens a connection. Raises UsageError for a trust list without certificates.
    """
    anchors = load_anchors(trust)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return Verification(path, "unreadable", reason="not a regular file")
        if status.st_size == 0:
            return Verification(path, "unreadable", reason="the file is empty")
        with path.open("rb") as file:
            return _judge(path, file, trust, anchors)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in a name
        return Verification(path, "unreadable", reason=getattr(error, "strerror", None) or cut(error))


def _judge(path: Path, file: IO[bytes], trust: Sequence[bytes], anchors: Sequence[Any]) -> Verification:
    from c2pa import C2paError, Context, Reader

    from provenance.settings import reading

    head = file.read(16)
    file.seek(0)
    try:
        reader = Reader.try_create(None, file, None, Context.from_dict(reading(trust)))
        if reader is None:
            return Verification(path, "none", reason="no content credential in the file")
        with reader:
            return _evidence(path, reader, anchors)
    except C2paError as error:
        return _failure(path, str(error), head)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:  # a manifest of an impossible shape
        return Verification(path, "invalid", ("manifest.unreadable",), reason=cut(f"the manifest cannot be read: {error}"))


def _evidence(path: Path, reader: Any, anchors: Sequence[Any]) -> Verification:
    active, ingredients = read_views(reader)
    outcome = STATES[reader.get_validation_state()]
    chain = embedded_chain(_manifest_store(reader, active.label), active.label)
    anchored = leads_to(chain, anchors)
    codes, reason = active.failures, _reason(outcome, active)
    if outcome == "trusted" and not anchored:
        outcome, codes = "untrusted", (*codes, "signingCredential.untrusted")
        reason = "the library accepts the signer, but its certificates do not lead to a root given here"
    return Verification(
        path=path,
        outcome=outcome,
        codes=codes,
        successes=active.successes,
        reason=reason,
        signer=active.signer,
        organisation=active.organisation,
        issuer=active.issuer,
        development=active.development,
        anchored=anchored,
        time=active.time,
        time_source=active.time_source,
        declares=active.declares,
        ingredient_declares=tuple(dict.fromkeys(kind for ingredient in ingredients for kind in ingredient.declares)),
        title=active.title,
        generator=active.generator,
        facts=active.facts,
        ingredients=ingredients,
    )


def _reason(outcome: str, active: ManifestView) -> str:
    if outcome == "trusted":
        return "valid, and the signer leads to a given root"
    if outcome == "untrusted":
        if "signingCredential.untrusted" in active.failures:
            return "valid, but the signer is not on a trust list"
        return "valid, but not everything in it is vouched for"
    if any(code.endswith("Hash.mismatch") for code in active.failures):
        return "the media changed after signing"
    if any(code.startswith("signingCredential.") and not code.endswith("untrusted") for code in active.failures):
        return "the signer's certificate was not acceptable at the time"
    if "claimSignature.mismatch" in active.failures:
        return "the signature does not fit"
    return "the manifest does not hold together"


def _manifest_store(reader: Any, label: str) -> bytes:
    from c2pa import C2paError

    store = io.BytesIO()
    try:
        reader.resource_to_stream(f"self#jumbf=/c2pa/{label}", store)
    except C2paError:
        return b""
    return store.getvalue()


def _failure(path: Path, message: str, head: bytes) -> Verification:
    """The library could not make a report. Was it the file, or the credential in it?"""
    if message.startswith("Remote"):
        address = message.partition(" url ")[2].strip()
        reason = "only an address of a credential in the file; it was not visited"
        return Verification(path, "none", ("manifest.inaccessible",), reason=reason, remote_manifest=cut(address) or None)
    if head.startswith(WITHOUT_CREDENTIALS):
        return Verification(path, "none", reason="a container that cannot hold a content credential")
    if message.startswith(("NotSupported", "Io")) or "asset could not be parsed" in message:
        return Verification(path, "unreadable", reason=_why_unreadable(message))
    code = "algorithm.unsupported" if "unknown algorithm" in message else "manifest.unreadable"
    return Verification(path, "invalid", (code,), reason=cut(f"the manifest cannot be read: {message}"))


def _why_unreadable(message: str) -> str:
    if message.startswith("NotSupported"):
        return "not a media file of a known kind"
    if message.startswith("Io"):
        return "the file ends too early, or cannot be read"
    return cut(f"damaged or truncated: {message.partition('asset could not be parsed: ')[2]}")
