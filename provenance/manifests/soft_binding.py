"""The seal of generated video leaves three traces: the manifest, a watermark in every frame, and an entry in a
repository.

In: the frames of one video before they are encoded, then the encoded file and its facts. Out: marked frames, and the
sealed file whose manifest names the watermark: action `c2pa.watermarked.bound` and assertion `c2pa.soft-binding` (C2PA
specification 2.4, sections 18.10 and 18.15). Who has a copy without its manifest finds that manifest again by the
watermark: see provenance.durable.recovery. The repository is written last; if it cannot be, the video is sealed all the
same and the caller is told.
"""

from __future__ import annotations

import base64
import hashlib
import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sfumato.errors import SealError, SfumatoError, SfumatoWarning

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from provenance.durable.fingerprint import Fingerprint
    from provenance.signers import Signer
    from sfumato.media.video import GeneratedFacts

SOFT_BINDING_LABEL = "c2pa.soft-binding"
WATERMARKED_ACTION = "c2pa.watermarked.bound"
LARGEST_STORE = 64 << 20  # bytes
_STORE_BOX = bytes.fromhex(
    "d8fec3d61b0e483c92975828877ec481"
)  # the type of the uuid box that holds a manifest store, annex A of C2PA


@dataclass(frozen=True)
class SoftBinding:
    """A watermark that is in the whole of an asset: its algorithm and the payload."""

    alg: str
    payload: bytes

    @property
    def value(self) -> str:
        """The payload as assertion, repository and resolvers have it: base64."""
        return base64.b64encode(self.payload).decode("ascii")

    def assertion(self) -> dict[str, Any]:
        """An empty scope is the whole asset."""
        return {"label": SOFT_BINDING_LABEL, "data": {"alg": self.alg, "blocks": [{"scope": {}, "value": self.value}]}}

    def action(self, when: str, agent: dict[str, str]) -> dict[str, Any]:
        """What goes into the actions, after `c2pa.created`."""
        return {"action": WATERMARKED_ACTION, "when": when, "softwareAgent": agent}


class MarkedSeal:
    """The seal of one video: `mark` its frames in order, then call it."""

    def __init__(self, signer: Signer, facts: GeneratedFacts, repository: str | Path | None = None) -> None:
        """`repository`: see provenance.durable.repository.open_repository; None: this user's own. Raises SealError for
        an unreadable portrait.
        """
        from provenance.durable.fingerprint import FingerprintBuilder
        from provenance.watermark import DEFAULT, REGISTRY

        watermark = REGISTRY.load(DEFAULT)()
        self.binding = SoftBinding(watermark.alg, payload_of(facts, signer))
        self._signer, self._repository = signer, repository
        self._marker = watermark.marker(self.binding.payload)
        self._fingerprint = FingerprintBuilder()
        self._frames = 0

    def mark(
        self, image: NDArray[np.uint8], time: float, faces: Sequence[tuple[float, float, float, float]] | None = None
    ) -> NDArray[np.uint8]:
        """image: HWC uint8 RGB; `time` in seconds since the first; `faces` are kept cleaner, None: looked for. Returns
        it, marked.
        """
        marked: NDArray[np.uint8] = self._marker.mark(image, faces)
        self._fingerprint.add(marked, time)
        self._frames += 1
        return marked

    def __call__(self, unsealed: Path, destination: Path, facts: GeneratedFacts) -> None:
        """Seals, then enters the manifest into the repository. Raises SealError or OutputError; a repository that fails
        only warns.
        """
        from provenance.signing.sign import sign_generated

        if not self._frames:
            raise SealError("No frame of this video was marked", "Mark every frame before it is encoded.")
        sign_generated(unsealed, destination, facts, self._signer, self.binding)
        try:
            self._register(destination, self._fingerprint.done(), facts.title)
        except SfumatoError as error:
            warnings.warn(
                SfumatoWarning(
                    "The video is sealed and marked, but its manifest could not be entered into the "
                    "repository, so a copy that loses "
                    f"the manifest cannot find it again: {error}"
                ),
                stacklevel=2,
            )

    def _register(self, sealed: Path, fingerprint: Fingerprint, title: str) -> None:
        from provenance.durable.repository import Entry, open_repository

        with sealed.open("rb") as file:
            store = embedded_store(file)
        if store is None:
            raise SealError("The sealed file does not hold its manifest", "This is a fault of sfumato.")
        entry = Entry.of(store, self.binding.alg, self.binding.value, fingerprint, sealed, title)
        with open_repository(self._repository) as repository:
            repository.add(entry)


def payload_of(facts: GeneratedFacts, signer: Signer) -> bytes:
    """8 bytes, the same whenever the same signer makes the same video again, so that it comes out the same; otherwise
    as good as random.
    """
    from provenance.manifests.generated import generation_assertion, portrait_ingredients

    said = generation_assertion(facts, portrait_ingredients(facts.portraits, facts.known_digests))
    text = json.dumps([facts.title, said, signer.chain_pem], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8]


def embedded_store(file: IO[bytes]) -> bytes | None:
    """The manifest store in an mp4 or mov, or None. Annex A.5 of C2PA: a uuid box with "manifest", the place of a
    Merkle box, JUMBF.
    """
    position = 0
    while len(head := _read(file, position, 16)) >= 8:
        size, kind, header = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1:
            size, header = int.from_bytes(head[8:], "big"), 16
        if size < header:
            return None
        if kind == b"uuid" and _read(file, position + header, 16) == _STORE_BOX and size <= LARGEST_STORE:
            content = _read(file, position + header + 20, size - header - 20)  # 20: the type, version and flags
            purpose, _, rest = content.partition(b"\0")
            return rest[8:] if purpose == b"manifest" else None
        position += size
    return None


def _read(file: IO[bytes], position: int, size: int) -> bytes:
    file.seek(position)
    return file.read(size)
