"""The last look before a generated file appears: what a seal has made is read as a stranger would read it.

In: the sealed file, the watermark that its frames carry, the file as it was before. Out: nothing, or a SealError. A
seal is handed in from outside; that it returned says nothing. The manifest has to hold, has to be in the file, its hard
binding has to cover what is shown, it has to name the watermark, and the frames have to be those that were encoded. The
file is streamed twice: hashed by the C2PA library, compared by us. Who signed is no question here.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sfumato.errors import SealError

if TYPE_CHECKING:
    from sfumato.media.video.seal import Binding

_SETTINGS = {  # no connection is opened, and nobody is trusted
    "version": 1,
    "trust": {"trust_config": "1.3.6.1.5.5.7.3.4\n1.3.6.1.5.5.7.3.36\n1.3.6.1.4.1.62558.2.1\n"},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "core": {"allowed_network_hosts": [], "allow_redirects": False},
}
_ADVICE = "Nothing was written; use a seal that signs the file, such as that of provenance.signing.seal."
_C2PA_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")  # the box that holds the manifest itself
_NOT_SHOWN = ("/ftyp", "/mfra", "/free", "/skip", "/emsg")  # boxes that a hard binding may leave out
_PIECE = 1 << 20


def require_sealed(sealed: Path, name: Path, binding: Binding | None, unsealed: Path | None = None) -> None:
    """`sealed`: an mp4 or a picture; `name`: what it is about to be called. `unsealed`: the mp4 it was made of, whose
    media data it has to hold. Raises SealError.
    """
    from c2pa import C2paError

    try:
        with sealed.open("rb") as file:
            wrong = _what_is_wrong(file, binding)
            if not wrong and unsealed is not None and not _same_media(file, unsealed):
                wrong = "other media than were encoded"
    except (C2paError, OSError, ValueError, TypeError, KeyError, AttributeError, struct.error) as error:
        wrong = f"a credential that cannot be read ({error})"
    if wrong:
        raise SealError(f"The seal left {name} unsealed: it has {wrong}", _ADVICE)


def _what_is_wrong(file: IO[bytes], binding: Binding | None) -> str:
    from c2pa import Context, Reader

    reader = Reader.try_create(None, file, None, Context.from_dict(_SETTINGS))
    if reader is None:
        return "no credential"
    with reader:
        if not reader.is_embedded():
            return "no credential of its own"
        state = reader.get_validation_state()
        report, full = json.loads(reader.json()), json.loads(reader.crjson())
    label = report["active_manifest"]
    if state not in ("Valid", "Trusted"):
        codes = [entry["code"] for entry in report["validation_results"]["activeManifest"]["failure"]]
        return f"a credential that does not hold ({', '.join(codes[:5])})"
    stated = report["manifests"][label]["assertions"]
    if binding is not None and not any(_names(assertion, binding) for assertion in stated):
        return "a credential that does not name its watermark"
    bound = next(manifest["assertions"] for manifest in full["manifests"] if manifest["label"] == label)
    if not any(_covers(kind, data) for kind, data in bound.items() if kind.startswith("c2pa.hash.")):
        return "a credential that leaves out a part of what is shown"
    return ""


def _names(assertion: Mapping[str, Any], binding: Binding) -> bool:
    data = assertion.get("data")
    if assertion["label"] != "c2pa.soft-binding" or not isinstance(data, Mapping) or data.get("alg") != binding.alg:
        return False
    return [block.get("value") for block in data.get("blocks", [])] == [binding.value]


def _covers(kind: str, data: Mapping[str, Any]) -> bool:
    """Whether a hard binding leaves out nothing but the manifest and boxes that are not shown. The media data may be
    left out where they are hashed in pieces.
    """
    if kind == "c2pa.hash.data":
        return len(data.get("exclusions", [])) <= 1  # the manifest; the library checks that it lies there
    if not kind.startswith("c2pa.hash.bmff"):
        return False
    return all(_may_be_left_out(exclusion, bool(data.get("merkle"))) for exclusion in data["exclusions"])


def _may_be_left_out(exclusion: Mapping[str, Any], in_pieces: bool) -> bool:
    given = {name: value for name, value in exclusion.items() if value is not None}
    path = given.pop("xpath")
    if path == "/uuid":
        conditions: Sequence[Mapping[str, Any]] = given.pop("data", [])
        return not given and [(each["offset"], _bytes(each["value"])) for each in conditions] == [(8, _C2PA_BOX)]
    if path == "/mdat":
        return in_pieces and given.pop("subset", None) == [{"offset": 16, "length": 0}] and not given
    return path in _NOT_SHOWN and not given


def _bytes(value: Any) -> bytes:
    import base64

    return base64.b64decode(value.removeprefix("b64'").rstrip("'")) if isinstance(value, str) else bytes(value)


def _same_media(sealed: IO[bytes], unsealed: Path) -> bool:
    """Whether both hold the same media data (the boxes mdat), box by box."""
    with unsealed.open("rb") as source:
        ours, theirs = list(_media(source)), list(_media(sealed))
        if not ours or [end - start for start, end in ours] != [end - start for start, end in theirs]:
            return False
        for (start, end), (other, _) in zip(ours, theirs, strict=True):
            source.seek(start)
            sealed.seek(other)
            while start < end:
                size = min(_PIECE, end - start)
                piece = source.read(size)
                if len(piece) != size or sealed.read(size) != piece:
                    return False
                start += size
    return True


def _media(file: IO[bytes]) -> Iterator[tuple[int, int]]:
    """Where the contents of the boxes mdat begin and end. Raises struct.error for a box that is cut off."""
    length, position = file.seek(0, 2), 0
    while position < length:
        file.seek(position)
        size, kind = struct.unpack(">I4s", file.read(8))
        header = 8
        if size == 1:
            size, header = struct.unpack(">Q", file.read(8))[0], 16
        size = size or length - position
        if size < header or position + size > length:
            raise ValueError("a box that is cut off")
        if kind == b"mdat" and size > header:
            yield position + header, position + size
        position += size
