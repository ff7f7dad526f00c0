"""A sealed, marked video and its repository for the tests of recovery: `sealed_video(folder)`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from provenance.durable.recovered import read_store
from provenance.formats.manifest_box import embedded_store
from provenance.pki.keys import DevelopmentKeys
from provenance.signing.seal import C2paSeal
from sfumato.media.video import GeneratedFacts, GeneratedVideoWriter, VideoReader
from tests.watermark_fixtures import encode, half, scene


@dataclass(frozen=True)
class Sealed:
    """One video as it was published, its repository, and what its manifest is called."""

    path: Path
    repository: Path
    keys: DevelopmentKeys

    @property
    def store(self) -> bytes:
        with self.path.open("rb") as file:
            found = embedded_store(file)
        assert found is not None
        return found

    @property
    def manifest_id(self) -> str:
        label = read_store(self.store).label
        assert label is not None
        return label

    def copy(self, path: Path, *, small: bool = True) -> Path:
        """As a platform gives it back: smaller, encoded again, without its manifest."""
        with VideoReader(self.path) as video:
            images = [frame.image for frame in video]
        return encode(half(images) if small else images, path, 26)


def sealed_video(path: Path, keys: DevelopmentKeys, repository: Path, seed: int = 0) -> Sealed:
    """A generated video of 24 frames, sealed as `sfumato animate` seals."""
    facts = GeneratedFacts(f"scene {seed}", "test model", "0" * 64, seed, (), "1" * 64)
    seal = C2paSeal(keys.folder.parent, repository=repository)
    with GeneratedVideoWriter(path, width=256, height=192, rate=25, seal=seal, facts=facts) as video:
        for image in scene(seed):
            video.write(image, faces=[])
    return Sealed(path, repository, keys)
