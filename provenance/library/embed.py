"""One signature by the C2PA library: a file and an order in, the file with its manifest out; and whether a file has one
already.

Everything the library is told goes through here: the manifest, the ingredients with their credentials, the signer's
callback, the streams. Its own errors are raised as they are; those of a signer or a file, which it would swallow, are
raised instead of its.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from provenance.formats.boxes import walk
from provenance.formats.containers import BMFF, STILLS
from provenance.library import settings
from provenance.library.error_capture import FirstError, WatchedStream
from provenance.library.large import sign_large
from provenance.manifests.ingredients import IngredientFile
from provenance.signers import Signer
from sfumato.errors import SealError
from sfumato.regular_file import open_regular
from sfumato.structure import hold_structure

if TYPE_CHECKING:
    from provenance.pki.timestamp import Stamping


THUMBNAIL = "thumbnail.jpg"  # its name until it is in the manifest


@dataclass(frozen=True)
class Order:
    """What is to be signed by whom: a checked manifest, its ingredients, the signer, perhaps a time-stamp authority."""

    manifest: dict[str, Any]
    ingredients: Sequence[IngredientFile]
    signer: Signer
    media_type: str
    stamping: Stamping | None = None
    sidecar: bool = False  # the store goes into a file of its own
    thumbnail: bytes = b""  # JPEG, put into the manifest as a picture of the file


def carries_credential(file: IO[bytes], media_type: str) -> bool:
    """True for a file with a manifest store, or one that cannot be read; nothing of the media is hashed for this."""
    from c2pa import C2paError, Context, Reader

    reading = settings.reading()
    reading["verify"]["verify_after_reading"] = False
    file.seek(0)
    try:
        reader = Reader.try_create(media_type, file, None, Context.from_dict(reading))
    except C2paError:
        return True  # something is there; whoever reads it as an ingredient says what
    finally:
        file.seek(0)
    if reader is None:
        return False
    reader.close()
    return True


def embed(source: IO[bytes], size: int, output: IO[bytes], order: Order, authority: str | None) -> None:
    """Writes `source`, `size` bytes, with its signed manifest to `output`; for a sidecar, the manifest alone.

    `authority`: where the library asks for a time-stamp.
    Raises C2paError for what the library refuses, else the real cause: of the signer, of a file, or an interruption.
    """
    from c2pa import Builder, C2paError, C2paSigningAlg, Context
    from c2pa import Signer as LibrarySigner

    signer = order.signer
    algorithm = C2paSigningAlg.__members__.get(signer.alg.upper())
    if algorithm is None:
        raise SealError(
            f"The signer's algorithm {signer.alg!r} is unknown",
            f"Known: {', '.join(C2paSigningAlg.__members__).lower()}.",
        )
    first = FirstError()
    try:
        library_signer = LibrarySigner.from_callback(
            first.watch(signer.sign, "signer"), algorithm, signer.chain_pem, authority
        )
        several = order.media_type in (*BMFF, *STILLS) and _has_several_media(source)
        picture = {"thumbnail": {"format": "image/jpeg", "identifier": THUMBNAIL}} if order.thumbnail else {}
        builder = Builder(
            {**order.manifest, **picture},
            Context.from_dict(settings.signing(0 if several else size), signer=library_signer),
        )
        if order.thumbnail:
            builder.add_resource(THUMBNAIL, io.BytesIO(order.thumbnail))
        for ingredient in order.ingredients:
            _add_ingredient(builder, ingredient)
        large = size > settings.LARGE and order.media_type in BMFF and not several
        if order.sidecar:
            _write_store(builder, source, output, order, first)
        elif not (
            large and sign_large(source, output, builder, order.media_type, lambda file: WatchedStream(file, first))
        ):
            source.seek(0)
            builder.sign(order.media_type, WatchedStream(source, first), WatchedStream(output, first))
        output.flush()
    except C2paError:
        first.raise_if_any()
        raise
    first.raise_if_any()


def _has_several_media(file: IO[bytes]) -> bool:
    """Whether there is more than one mdat. c2pa-rs 0.91 mixes up the pieces of several: the same file, hashed in
    pieces, is now valid and now `assertion.bmffHash.mismatch`. Hashed as a whole it is always valid.
    """
    return sum(box.kind == b"mdat" for box in walk(file)) > 1


def _write_store(builder: Any, source: IO[bytes], output: IO[bytes], order: Order, first: FirstError) -> None:
    """The store alone to `output`. The library copies the media as well, into a file that is thrown away."""
    builder.set_no_embed()
    source.seek(0)
    with tempfile.TemporaryFile() as copy:
        store = builder.sign(order.media_type, WatchedStream(source, first), WatchedStream(copy, first))
    output.write(store)


def _add_ingredient(builder: Any, ingredient: IngredientFile) -> None:
    """The ingredient with whatever credential it carries. A picture that a model was given, and that the library chokes
    on, goes in by name, type and digest alone; without the credential of a parent or a part nothing is signed.
    """
    from c2pa import C2paError

    definition = ingredient.definition()
    try:
        with open_regular(ingredient.path) as file:
            hold_structure(file, ingredient.path)
            builder.add_ingredient(definition, ingredient.media_type, file)
    except OSError as error:
        raise SealError(
            f"Cannot read the {ingredient.reference} {ingredient.path}: {error.strerror}", "Keep it until the end."
        ) from error
    except C2paError as error:
        if ingredient.relationship != "inputTo":
            message = f"The {ingredient.reference} {ingredient.path} cannot be taken in with its credential: {error}"
            raise SealError(message, "Look at it with: sfumato verify.") from error
        builder.add_ingredient(definition, "application/octet-stream", io.BytesIO())
