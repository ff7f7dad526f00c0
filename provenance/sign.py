"""Sealing: a generated video in, the same video with its manifest out, or an error and nothing else.

In: the unsealed file, the facts, a signer. Out: the sealed file at the destination, read back and found good before it
appears. The library writes into a temporary file beside the destination; the source is only ever read. No connection is made.
The library turns every exception in a signer or a stream into a code of its own: we keep the first one and raise that.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from provenance.keys import development_keys
from provenance.manifest import PortraitIngredient, generated_manifest, generation_assertion, portrait_ingredients
from provenance.signers import REGISTRY, Signer
from sfumato.atomic import atomic_path
from sfumato.errors import SealError, SfumatoError

if TYPE_CHECKING:
    from provenance.soft_binding import MarkedSeal, SoftBinding
    from sfumato.media.video import GeneratedFacts

FORMATS = {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime"}


class C2paSeal:
    """The seal of generated video: signs with the development keys of this machine, made on first use.

    key_folder: where the keys live (default: SFUMATO_KEYS, else the user's data folder). signer: another one, instead.
    mark: every video gets a watermark and an entry in `repository` (default: the user's own). False is for `sfumato fakes` alone:
    a detector trained on marked videos would learn the mark instead of the forgery.
    """

    def __init__(
        self, key_folder: Path | None = None, signer: Signer | None = None, *, mark: bool = True, repository: str | Path | None = None
    ) -> None:
        self._key_folder = key_folder
        self._signer = signer
        self._mark = mark
        self._repository = repository

    def begin(self, facts: GeneratedFacts) -> MarkedSeal | C2paSeal:
        """The seal of the video of `facts`, whose frames it marks. Raises SealError if there are no keys: before the work, not after."""
        if not self._mark:
            return self
        from provenance.soft_binding import MarkedSeal

        return MarkedSeal(self._ready(), facts, self._repository)

    def __call__(self, unsealed: Path, destination: Path, facts: GeneratedFacts) -> None:
        """Writes `unsealed`, sealed, at `destination`. Raises SealError or OutputError; then nothing was written."""
        sign_generated(unsealed, destination, facts, self._ready())

    def _ready(self) -> Signer:
        if self._signer is None:
            self._signer = development_signer(self._key_folder)
        return self._signer


def development_signer(key_folder: Path | None = None) -> Signer:
    """Signs with the development leaf. Raises SealError if the keys cannot be made, read, or are open to others."""
    keys = development_keys(key_folder)
    signer: Signer = REGISTRY.load("pem")(keys.leaf_key, keys.chain_pem())
    return signer


def sign_generated(
    source: Path, destination: Path, facts: GeneratedFacts, signer: Signer, soft_binding: SoftBinding | None = None
) -> None:
    """Writes `source` with the manifest of a generated video at `destination`, atomically; replaces what was there.

    `soft_binding`: the watermark that is in its frames.

    Raises SealError with the real cause if the source is the destination or cannot be read, the signer fails, the container
    cannot hold a manifest, or the result does not read back as signed; OutputError if the destination cannot be written.
    """
    media_type = FORMATS.get(destination.suffix.lower())
    if media_type is None:
        raise SealError(f"Cannot seal a {destination.suffix or 'file without suffix'}", f"Choose one of: {', '.join(FORMATS)}.")
    if _same_file(source, destination):
        raise SealError(f"{destination} is both source and destination of the seal", "Write the sealed file to another name.")
    portraits = portrait_ingredients(facts.portraits)
    manifest = generated_manifest(facts, portraits, media_type, soft_binding=soft_binding)
    try:
        unsealed = source.open("rb")
    except OSError as error:
        raise SealError(f"Cannot read the video to seal, {source}: {error.strerror}") from error
    with unsealed, atomic_path(destination) as temporary:
        with temporary.open("w+b") as output:
            _sign(unsealed, source.stat().st_size, output, manifest, portraits, signer, media_type)
        _check(temporary, generation_assertion(facts, portraits))


def _sign(
    source: IO[bytes],
    size: int,
    output: IO[bytes],
    manifest: dict[str, Any],
    portraits: Sequence[PortraitIngredient],
    signer: Signer,
    media_type: str,
) -> None:
    from c2pa import Builder, C2paError, C2paSigningAlg, Context
    from c2pa import Signer as LibrarySigner

    from provenance.settings import signing

    algorithm = C2paSigningAlg.__members__.get(signer.alg.upper())
    if algorithm is None:
        raise SealError(f"The signer's algorithm {signer.alg!r} is unknown", "Use es256.")
    first = FirstError()
    try:
        library_signer = LibrarySigner.from_callback(first.watch(signer.sign, "signer"), algorithm, signer.chain_pem)
        builder = Builder(manifest, Context.from_dict(signing(size), signer=library_signer))
        for portrait in portraits:
            _add_portrait(builder, portrait)
        builder.sign(media_type, WatchedStream(source, first), WatchedStream(output, first))
        output.flush()
    except C2paError as error:
        first.raise_if_any()
        raise SealError(f"The video could not be sealed: {error}", "Nothing was written.") from error
    first.raise_if_any()


def _add_portrait(builder: Any, portrait: PortraitIngredient) -> None:
    """The portrait with whatever credential it carries; one that the library chokes on goes in by name, type and digest alone."""
    from c2pa import C2paError

    definition = portrait.definition()
    try:
        with portrait.path.open("rb") as file:
            builder.add_ingredient(definition, portrait.media_type, file)
    except OSError as error:
        raise SealError(f"Cannot read the portrait {portrait.path}: {error.strerror}", "Keep it until the video is done.") from error
    except C2paError:
        builder.add_ingredient(definition, "application/octet-stream", io.BytesIO())


def _check(sealed: Path, facts: dict[str, Any]) -> None:
    """Reads the result as a stranger would. Raises SealError unless it is valid and says what it was meant to say."""
    from provenance.verify import verify

    found = verify(sealed)
    if found.outcome not in ("untrusted", "trusted"):
        evidence = ", ".join(found.codes) or found.reason
        raise SealError(f"The sealed video does not verify: {found.outcome}, {evidence}", "Nothing was written.")
    if "trainedAlgorithmicMedia" not in found.declares or found.facts.get("portrait_digests") != facts["portrait_digests"]:
        raise SealError("The sealed video does not say what it is", "Nothing was written.")


def _same_file(source: Path, destination: Path) -> bool:
    try:
        return source.samefile(destination)
    except OSError:  # one of them does not exist
        return source.resolve() == destination.resolve()


class FirstError:
    """Keeps the first exception that the library would swallow, and whose it was."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.origin = ""

    def watch(self, function: Callable[..., Any], origin: str) -> Callable[..., Any]:
        """`function`; its exceptions are kept and passed on as a plain failure."""

        def watched(*arguments: Any) -> Any:
            try:
                return function(*arguments)
            except BaseException as error:
                if self.error is None:
                    self.error, self.origin = error, origin
                raise RuntimeError("kept") from error  # an Exception: the library's callbacks let nothing else through

        return watched

    def raise_if_any(self) -> None:
        """Raises what was kept. A signer's failure becomes a SealError; a full disk, an interruption or an error of ours stays."""
        if self.error is None:
            return
        if self.origin == "signer" and isinstance(self.error, Exception) and not isinstance(self.error, SfumatoError):
            kind = type(self.error).__name__
            raise SealError(f"The signer failed: {kind}: {self.error}", "Nothing was written.") from self.error
        raise self.error


class WatchedStream:
    """A file for the library, every failure of it kept."""

    def __init__(self, file: IO[bytes], first: FirstError) -> None:
        self.read, self.write, self.seek, self.tell, self.flush = (
            first.watch(method, "file") for method in (file.read, file.write, file.seek, file.tell, file.flush)
        )
