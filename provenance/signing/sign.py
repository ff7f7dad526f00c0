"""Signing: a file in, the same file with its manifest out, or an error and nothing else.

In: a file, what is declared about it, a signer, perhaps a time-stamp authority. Out: the signed file at the
destination, read back and found good before it appears. It is written in a private folder beside the destination, so
that nobody meets it half done, not even after a kill; the source is only ever read, and takes part in the end only
where a caller asked for its replacement. No connection is made but to the authority.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from provenance.formats.containers import UNKNOWN, check_content, media_type_of, media_type_of_content
from provenance.library.embed import Order, carries_credential, embed
from provenance.manifests.declaration import Declaration, declared_ingredients, declared_manifest
from provenance.manifests.generated import generated_manifest
from provenance.manifests.generation_assertion import generation_in
from provenance.manifests.ingredients import portrait_ingredients
from provenance.manifests.source_types import source_type_name
from provenance.pki.timestamp import Relay, Stamping, relay
from provenance.signers import Signer
from provenance.signing.kept import (
    behind_links,
    keep_private,
    parts_of,
    refuse_loss,
    take_over_rights,
    taken_for_frames,
    with_moved_pictures,
)
from provenance.signing.thumbnail import make_thumbnail
from provenance.verifying.verification import Verification
from provenance.verifying.verify import verify
from sfumato.errors import MissingFileError, OutputError, SealError, UsageError
from sfumato.regular_file import open_regular

if TYPE_CHECKING:
    from provenance.manifests.durable_assertion import DurableStatement
    from provenance.manifests.soft_binding import SoftBinding
    from sfumato.media.video import GeneratedFacts

MOST_MOVES = 3  # a store is as large the second time, unless its time-stamp fell away in between


@dataclass(frozen=True)
class Signed:
    """One signed file. `stamped`: a time-stamp is in it. `unstamped`: why there is none, if one was asked for."""

    path: Path
    found: Verification
    stamped: bool
    unstamped: str = ""


def sign_generated(
    source: Path,
    destination: Path,
    facts: GeneratedFacts,
    signer: Signer,
    soft_binding: SoftBinding | None = None,
    durable: DurableStatement | None = None,
) -> None:
    """Writes `source` with the manifest of a video that sfumato generated at `destination`, atomically; replaces what
    was there.

    `soft_binding`: the watermark that is in its frames. `durable`: what joins copies to it.

    Raises SealError with the real cause if the source is the destination or cannot be read, the signer fails, the
    container cannot hold a manifest, or the result does not read back as signed; OutputError if the destination cannot
    be written.
    """
    media_type = media_type_of(destination)
    _refuse_same(source, destination)
    portraits = portrait_ingredients(facts.portraits, facts.known_digests)
    manifest = generated_manifest(facts, portraits, media_type, soft_binding=soft_binding, durable=durable)
    _write(source, destination, Order(manifest, portraits, signer, media_type))


def sign_file(
    source: Path,
    destination: Path,
    declaration: Declaration,
    signer: Signer,
    stamping: Stamping | None = None,
    *,
    in_place: bool = False,
) -> Signed:
    """Writes `source` with the manifest of `declaration` at `destination`, atomically; replaces what was there.

    in_place: the destination may be the source, which is then replaced by its signed copy once that has been read back.
    What is replaced keeps its mode and owner, and a link stays a link: the file that it leads to is replaced.
    Raises UsageError where a credential of the source would be lost, MediaError for a source that is not there, not
    what its name says, or a fragment, and what `sign_generated` raises.
    """
    media_type = media_type_of(destination)
    if not in_place:
        _refuse_same(source, destination)
    try:
        with open_regular(source) as file:
            check_content(file, media_type, source)
            has_credential = carries_credential(file, media_type)
    except FileNotFoundError as error:
        raise MissingFileError(f"There is no file {source}") from error
    except OSError as error:
        raise SealError(f"Cannot read {source}: {error.strerror}", "Nothing was written.") from error
    ingredients = declared_ingredients(declaration, source, has_credential)
    manifest = declared_manifest(declaration, ingredients, media_type, destination.name)
    thumbnail = make_thumbnail(source) if declaration.thumbnail else b""
    return _write(source, destination, Order(manifest, ingredients, signer, media_type, stamping, thumbnail=thumbnail))


def sign_beside(
    source: Path, destination: Path, declaration: Declaration, signer: Signer, stamping: Stamping | None = None
) -> Signed:
    """Writes the manifest of `source` alone to `destination`, a sidecar; the source may be a file of any kind.

    Raises UsageError for a source with a credential of its own, which readers would look at first, and what `sign_file`
    raises.
    """
    _refuse_same(source, destination)
    try:
        with open_regular(source) as file:
            media_type = UNKNOWN if not file.read(1) else media_type_of_content(file)
            if media_type != UNKNOWN and carries_credential(file, media_type):
                raise UsageError(
                    f"{source} carries a credential, which readers would look at first", "Sign it without --sidecar."
                )
    except FileNotFoundError as error:
        raise MissingFileError(f"There is no file {source}") from error
    except OSError as error:
        raise SealError(f"Cannot read {source}: {error.strerror}", "Nothing was written.") from error
    ingredients = declared_ingredients(declaration, source, source_has_credential=False)
    manifest = declared_manifest(declaration, ingredients, media_type, source.name)
    thumbnail = make_thumbnail(source) if declaration.thumbnail else b""
    order = Order(manifest, ingredients, signer, UNKNOWN, stamping, sidecar=True, thumbnail=thumbnail)
    return _write(source, destination, order)


def _write(source: Path, destination: Path, order: Order) -> Signed:
    place = behind_links(destination)
    _refuse_read_only(place)
    try:
        unsigned = open_regular(source)
    except OSError as error:
        raise SealError(f"Cannot read the file to sign, {source}: {error.strerror}", "Nothing was written.") from error
    from sfumato.media.video.private_folder import private_path

    with unsigned, private_path(place) as temporary:
        keep_private(temporary, place)
        size, parts = source.stat().st_size, [] if order.sidecar else parts_of(unsigned, source)
        media = source if order.sidecar else temporary
        with temporary.open("w+b") as output:
            unstamped = _sign(unsigned, size, output, order)
            output.flush()
            stamped = order.stamping is not None and not unstamped
            try:
                found = _check(media, temporary, order, must_be_stamped=stamped)
            except SealError as error:
                if order.stamping is None or not stamped:
                    raise
                unstamped = _refused_stamp(order.stamping, error)
                _sign_again(unsigned, size, output, order)
                found = _check(media, temporary, order, must_be_stamped=False)
            if not order.sidecar:
                refuse_loss(parts, output, source)
        take_over_rights(temporary, place)
    return Signed(destination, found, order.stamping is not None and not unstamped, unstamped)


def _sign_again(source: IO[bytes], size: int, output: IO[bytes], order: Order) -> None:
    """Without a time-stamp, over what is there."""
    _empty(output)
    _sign(source, size, output, replace(order, stamping=None))
    output.flush()


def _refused_stamp(stamping: Stamping, error: SealError) -> str:
    """Why the file does not hold with its time-stamp. Raises SealError if one is wanted nevertheless."""
    why = f"the file does not hold with its answer: {error.message}"
    if stamping.on_failure == "fail":
        raise SealError(f"The time-stamp authority {stamping.host} failed: {why}", "Nothing was written.") from error
    return why


def _sign(source: IO[bytes], size: int, output: IO[bytes], order: Order) -> str:
    """Signs into `output`, and anew where a list in the source has to say where things then are, or a player would take
    a part of the manifest for a frame. Returns why there is no time-stamp, if there should have been one. Raises
    SealError.
    """
    unstamped = _sign_once(source, size, output, order)
    for _ in range(0 if order.sidecar else MOST_MOVES):
        anew = with_moved_pictures(source, output) or (source if taken_for_frames(output) else None)
        if anew is None:
            break
        _empty(output)
        unstamped = _sign_once(anew, size, output, order)
    return unstamped


def _empty(output: IO[bytes]) -> None:
    output.seek(0)
    output.truncate()


def _sign_once(source: IO[bytes], size: int, output: IO[bytes], order: Order) -> str:
    """Returns why there is no time-stamp. Raises SealError."""
    from c2pa import C2paError

    try:
        if order.stamping is None:
            embed(source, size, output, order, None)
            return ""
        with relay(order.stamping) as between:
            try:
                embed(source, size, output, order, between.address)
                return ""
            except C2paError as error:
                unstamped = _why_unstamped(order.stamping, between, error)
        _empty(output)
        embed(source, size, output, order, None)
        return unstamped
    except C2paError as error:
        raise SealError(f"The file could not be sealed: {error}", "Nothing was written.") from error


def _why_unstamped(stamping: Stamping, between: Relay, error: Exception) -> str:
    """The reason to go on without a time-stamp. Raises SealError if that is not wanted, `error` if the authority is not
    to blame.
    """
    if not between.asked:
        if any(os.environ.get(name) for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")):
            raise SealError(
                f"The file could not be sealed with a time-stamp: {error}", "Is there a proxy? Set NO_PROXY=127.0.0.1."
            ) from error
        raise error
    why = between.failure or f"its answer was not accepted: {error}"
    if stamping.on_failure == "fail":
        advice = "Nothing was written. Try again later, or allow files without a time-stamp."
        raise SealError(f"The time-stamp authority {stamping.host} failed: {why}", advice) from error
    return why


def _check(media: Path, signed: Path, order: Order, *, must_be_stamped: bool) -> Verification:
    """Reads the result as a stranger would. Raises SealError unless it is valid and says what it was meant to say."""
    found = verify(media, sidecar=signed if order.sidecar else None)
    if found.outcome not in ("untrusted", "trusted"):
        evidence = ", ".join(found.codes) or found.reason
        raise SealError(f"The sealed file does not verify: {found.outcome}, {evidence}", "Nothing was written.")
    actions = order.manifest["assertions"][0]["data"]["actions"]
    meant = {source_type_name(action["digitalSourceType"]) for action in actions if "digitalSourceType" in action}
    portraits = generation_in(order.manifest).get("portrait_digests")
    if not meant <= set(found.declares) or (portraits is not None and found.facts.get("portrait_digests") != portraits):
        raise SealError("The sealed file does not say what it is", "Nothing was written.")
    if must_be_stamped and found.time_source not in ("time-stamp", "unverified time-stamp"):
        raise SealError("The time-stamp did not get into the file", "Nothing was written.")
    return found


def _refuse_same(source: Path, destination: Path) -> None:
    try:
        same = source.samefile(destination)
    except OSError:  # one of them does not exist
        same = source.resolve() == destination.resolve()
    if same:
        raise SealError(
            f"{destination} is both source and destination of the seal", "Write the sealed file to another name."
        )


def _refuse_read_only(destination: Path) -> None:
    """A rename replaces a file that is marked read-only without a word; whoever marked it did not mean that."""
    try:
        marked = destination.exists() and not destination.stat().st_mode & 0o222
    except OSError:
        return  # writing will say why
    if marked:
        raise OutputError(f"{destination} is marked read-only", "Choose another name, or run chmod u+w on it.")
