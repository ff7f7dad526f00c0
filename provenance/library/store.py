"""Where a file's manifest is: in the file, in a sidecar beside it, or at an address that the file names.

In: an open media file and settings of the library. Out: `Opened`: a reader of the manifest together with the media, or
the reason why there is none. An address is visited only by provenance.pki.remote, only if its host was named; the
library itself never opens a connection.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from provenance.formats.containers import FORMATS, UNKNOWN, holds_mpeg_sound, media_type_of_content
from provenance.formats.untrusted import cut
from sfumato.errors import UsageError
from sfumato.limits import SIDECAR
from sfumato.regular_file import read_regular
from sfumato.structure import hold_structure
from sfumato.structure.boxes import hold_boxes

if TYPE_CHECKING:
    from provenance.pki.remote import Remote

SIDECAR_SUFFIX = ".c2pa"
LONGEST_JUNK = 4096  # bytes in front of the first frame of an mp3


@dataclass(frozen=True)
class Opened:
    """reader: None if there is no manifest; then `reason` says so. `address`: what the file names, foreign text.

    manifest_from: "the file", "sidecar NAME", or "ADDRESS". `outside`: the manifest is not in the file.
    """

    reader: Any
    manifest_from: str = "the file"
    reason: str = ""
    address: str | None = None

    @property
    def outside(self) -> bool:
        return self.manifest_from != "the file"


def open_reader(
    path: Path, file: BinaryIO, settings: dict[str, Any], sidecar: Path | None, remote: Remote | None
) -> Opened:
    """Raises C2paError for what the library cannot read, MediaError for a file over a limit of its structure,
    UsageError for a sidecar that was named and cannot be read.
    """
    from c2pa import C2paError

    hold_structure(file, path)
    if sidecar is not None:
        return _with_manifest(file, _read_sidecar(sidecar), settings, f"sidecar {sidecar.name}")
    if path.suffix.lower() == SIDECAR_SUFFIX:
        return Opened(None, reason="a sidecar, which says nothing without its media: name the media file")
    try:
        reader = _reader(file, None, settings, path.suffix)
    except C2paError as error:
        beside, remote_only = _beside(path), str(error).startswith("Remote")
        if beside is not None and (remote_only or str(error).startswith("NotSupported")):
            return _with_manifest(file, _read_sidecar(beside), settings, f"sidecar {beside.name}")
        if remote_only:
            return _remote(file, str(error).partition(" url ")[2].strip(), settings, remote)
        raise
    if reader is not None:
        return Opened(reader)
    beside = _beside(path)
    if beside is not None:
        return _with_manifest(file, _read_sidecar(beside), settings, f"sidecar {beside.name}")
    return Opened(None, reason="no content credential in the file")


def manifest_store(reader: Any, label: str) -> bytes:
    """The manifest `label` as bytes (JUMBF); empty if the library does not give them."""
    from c2pa import C2paError

    content = io.BytesIO()
    try:
        reader.resource_to_stream(f"self#jumbf=/c2pa/{label}", content)
    except C2paError:
        return b""
    return content.getvalue()


def _reader(file: IO[bytes], manifest: bytes | None, settings: dict[str, Any], suffix: str = "") -> Any:
    """The library looks at the content itself; where that is not enough for it (an SVG), it is told what we find. Only
    an mp3 is believed by its name: it may begin with anything, if a frame of sound follows.
    """
    from c2pa import Context, Reader

    found = media_type_of_content(file)
    hint = found if found != UNKNOWN else None
    if hint is None and FORMATS.get(suffix.lower()) == "audio/mpeg":
        file.seek(0)
        hint = "audio/mpeg" if holds_mpeg_sound(file.read(LONGEST_JUNK)) else None
    file.seek(0)
    return Reader.try_create(hint, file, manifest, Context.from_dict(settings))


def _with_manifest(
    file: IO[bytes], manifest: bytes, settings: dict[str, Any], manifest_from: str, address: str | None = None
) -> Opened:
    hold_boxes(io.BytesIO(manifest), manifest_from)
    reader = _reader(file, manifest, settings)
    if reader is None:
        return Opened(None, reason=f"no manifest in {manifest_from}", address=address)
    return Opened(reader, manifest_from, address=address)


def _remote(file: IO[bytes], address: str, settings: dict[str, Any], remote: Remote | None) -> Opened:
    from provenance.pki.remote import RefusedError

    shown = cut(address) or None
    if remote is None:
        return Opened(None, reason="only an address of a credential in the file; it was not visited", address=shown)
    try:
        manifest = remote.fetch(address)
    except RefusedError as error:
        return Opened(
            None,
            reason=cut(f"only an address of a credential in the file; nothing was fetched: {error}"),
            address=shown,
        )
    return _with_manifest(file, manifest, settings, cut(address), shown)


def _beside(path: Path) -> Path | None:
    candidate = path.with_suffix(SIDECAR_SUFFIX)
    return candidate if candidate.is_file() else None


def _read_sidecar(sidecar: Path) -> bytes:
    try:
        return read_regular(sidecar, SIDECAR)
    except OSError as error:
        raise UsageError(f"Cannot read the sidecar {sidecar}: {error.strerror}") from error
