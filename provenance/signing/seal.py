"""The seal of generated video: what a writer of such video must be given. It leaves three traces: the manifest, a
watermark in every frame, and an entry in a repository.

In: the frames of one video before they are encoded, then the encoded file and its facts. Out: marked frames, and the
sealed file whose manifest names the watermark. Who has a copy without its manifest finds that manifest again by the
watermark: see provenance.durable.recovery. The repository is written last; if it cannot be, the video is sealed all the
same and the caller is told.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from provenance.formats.manifest_box import embedded_store
from provenance.manifests.durable_assertion import DurableStatement, draw_payload, key_digest
from provenance.manifests.generation_assertion import generation_assertion
from provenance.manifests.ingredients import portrait_ingredients
from provenance.manifests.soft_binding import SoftBinding
from provenance.pki.keys import development_keys
from provenance.signers import REGISTRY, Signer
from provenance.signers.algorithms import leaf_of
from provenance.signing.sign import sign_generated
from sfumato.errors import SealError, SfumatoError, SfumatoWarning

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from provenance.durable.fingerprint import Fingerprint
    from sfumato.media.video import GeneratedFacts


class C2paSeal:
    """The seal of generated video: signs with the development keys of this machine, made on first use.

    key_folder: where the keys live (default: SFUMATO_KEYS, else the user's data folder). signer: another one, instead.
    mark: every video gets a watermark and an entry in `repository` (default: the user's own). False is for `sfumato
    fakes` alone: a detector trained on marked videos would learn the mark instead of the forgery.
    """

    def __init__(
        self,
        key_folder: Path | None = None,
        signer: Signer | None = None,
        *,
        mark: bool = True,
        repository: str | Path | None = None,
    ) -> None:
        self._key_folder = key_folder
        self._signer = signer
        self._mark = mark
        self._repository = repository

    def begin(self, facts: GeneratedFacts) -> MarkedSeal | C2paSeal:
        """The seal of the video of `facts`, whose frames it marks. Raises SealError if there are no keys: before the
        work, not after.
        """
        if not self._mark:
            return self
        return MarkedSeal(self._ready(), facts, self._repository)

    def __call__(self, unsealed: Path, destination: Path, facts: GeneratedFacts) -> None:
        """Writes `unsealed`, sealed, at `destination`. Raises SealError or OutputError; then nothing was written."""
        sign_generated(unsealed, destination, facts, self._ready())

    def _ready(self) -> Signer:
        if self._signer is None:
            self._signer = development_signer(self._key_folder)
        return self._signer


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
        if not self._frames:
            raise SealError("No frame of this video was marked", "Mark every frame before it is encoded.")
        from provenance.durable.fingerprint import ALG as FINGERPRINT_ALG

        fingerprint = self._fingerprint.done()
        durable = DurableStatement(origin_of(facts), FINGERPRINT_ALG, fingerprint.digest())
        sign_generated(unsealed, destination, facts, self._signer, self.binding, durable)
        try:
            self._register(destination, fingerprint, facts.title)
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
    return draw_payload(origin_of(facts), key_digest(leaf_of(signer.chain_pem)[1]))


def origin_of(facts: GeneratedFacts) -> str:
    """SHA-256, hex, of everything that the manifest says of the video's making."""
    said = generation_assertion(facts, portrait_ingredients(facts.portraits, facts.known_digests))
    text = json.dumps([facts.title, said], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def development_signer(key_folder: Path | None = None) -> Signer:
    """Signs with the development leaf. Raises SealError if the keys cannot be made, read, or are open to others."""
    keys = development_keys(key_folder)
    signer: Signer = REGISTRY.load("pem")(keys.leaf_key, keys.chain_pem())
    return signer
