"""What the provenance tests share: a small unsealed video, a portrait, facts, one set of development keys, one sealed
video.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from provenance.formats.boxes import walk
from provenance.pki.keys import DevelopmentKeys, development_keys
from provenance.signing.seal import C2paSeal, development_signer
from sfumato.media.video import GeneratedFacts
from tests.durable_fixtures import Sealed, sealed_video


@pytest.fixture(scope="session")
def unsealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten frames of noise, 64 x 64, H.264: no two bytes of its media data are alike by chance."""
    path = tmp_path_factory.mktemp("unsealed") / "video.mp4"
    noise = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(10):
            container.mux(
                stream.encode(
                    av.VideoFrame.from_ndarray(noise.integers(0, 255, (64, 64, 3), dtype=np.uint8), format="rgb24")
                )
            )
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="session")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("portrait") / "secret-name.jpg"
    Image.new("RGB", (48, 64), (120, 90, 60)).save(path)
    return path


@pytest.fixture(scope="session")
def facts(portrait: Path) -> GeneratedFacts:
    return GeneratedFacts(
        title="Mona Lisa, calm",
        model_name="zakharov2019-warp",
        model_digest="a" * 64,
        seed=7,
        portraits=(portrait,),
        motion_digest="b" * 64,
        parameters={"frames": 10, "strength": 0.5, "relative": True, "motion": "calm"},
    )


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentKeys:
    return development_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def root(keys: DevelopmentKeys) -> bytes:
    return keys.root_pem()


@pytest.fixture(scope="session")
def sealed(
    unsealed: Path, keys: DevelopmentKeys, facts: GeneratedFacts, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("sealed") / "sealed.mp4"
    C2paSeal(keys.folder.parent)(unsealed, path, facts)
    return path


@pytest.fixture(scope="session")
def sign_anything(unsealed: Path, keys: DevelopmentKeys) -> Callable[..., Path]:
    """Signs any manifest definition with the library itself, as a stranger would who does not keep to our rules."""

    def sign(
        destination: Path, manifest: dict[str, Any], remote_url: str | None = None, ingredient: Path | None = None
    ) -> Path:
        from c2pa import Builder, C2paSigningAlg, Context, Signer

        from provenance.library.settings import signing

        signer = development_signer(keys.folder.parent)
        library_signer = Signer.from_callback(signer.sign, C2paSigningAlg.ES256, signer.chain_pem)
        builder = Builder({"claim_version": 2, **manifest}, Context.from_dict(signing(0), signer=library_signer))
        if remote_url:
            builder.set_no_embed()
            builder.set_remote_url(remote_url)
        if ingredient:
            builder.add_ingredient(
                {"title": ingredient.name, "relationship": "componentOf"},
                "video/mp4",
                io.BytesIO(ingredient.read_bytes()),
            )
        with unsealed.open("rb") as source, destination.open("w+b") as output:
            store = builder.sign("video/mp4", source, output)
        destination.with_name(f"{destination.name}.manifest").write_bytes(store)  # for tests that keep it elsewhere
        return destination

    return sign


CREATED = {
    "label": "c2pa.actions.v2",
    "data": {
        "actions": [
            {
                "action": "c2pa.created",
                "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
            }
        ],
        "allActionsIncluded": True,
    },
}


@pytest.fixture(scope="session")
def created() -> dict[str, Any]:
    """An actions assertion that claims a camera made it."""
    return CREATED


def _media_box(data: bytes | bytearray) -> tuple[int, int]:
    """Where the box mdat begins, and its size; its name may also stand in a manifest."""
    box = next(box for box in walk(io.BytesIO(data)) if box.kind == b"mdat")
    return box.start, box.size


@pytest.fixture
def media_box() -> Callable[[bytes], tuple[int, int]]:
    return _media_box


@pytest.fixture
def flip_media_byte() -> Callable[[Path, Path], Path]:
    """Copies an mp4 with one bit in the middle of its media data turned."""

    def flip(source: Path, destination: Path) -> Path:
        data = bytearray(source.read_bytes())
        start, size = _media_box(data)
        data[start + size // 2] ^= 1
        destination.write_bytes(data)
        return destination

    return flip


@pytest.fixture
def encypher(root: bytes) -> Callable[[Path], str]:
    """What an independent verifier says of a file, with our root and no other: Trusted, Valid or Invalid. Offline, no
    telemetry.
    """
    library = pytest.importorskip("encypher_c2pa", reason="needs encypher-c2pa (pip install -e '.[dev]')")

    def ask(path: Path) -> str:
        report = library.verify(path, trust_pem=root.decode(), no_default_trust=True, telemetry=False, online=False)
        return str(report["validation_state"])

    return ask


@pytest.fixture
def own_keys(keys: DevelopmentKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands sign with the keys of the tests, not with those of whoever runs them."""
    monkeypatch.setenv("SFUMATO_KEYS", str(keys.folder.parent))


@pytest.fixture
def tree(unsealed: Path, portrait: Path, tmp_path: Path) -> Path:
    """in/a.mp4, in/deep/b.mov, in/deep/c.jpg, and what is not to be signed."""
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    shutil.copy(unsealed, folder / "a.mp4")
    shutil.copy(unsealed, folder / "deep" / "b.mov")
    shutil.copy(portrait, folder / "deep" / "c.jpg")
    shutil.copy(unsealed, folder / ".hidden" / "d.mp4")
    (folder / "notes.txt").write_text("not media")
    return folder


@pytest.fixture(scope="session")
def entered(keys: DevelopmentKeys, tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    """One video whose repository holds another one too."""
    folder = tmp_path_factory.mktemp("recovery")
    sealed_video(folder / "other.mp4", keys, folder / "repository.sqlite3", seed=5)
    return sealed_video(folder / "a.mp4", keys, folder / "repository.sqlite3")


@pytest.fixture(scope="session")
def entered_copy(entered: Sealed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same encoded again, without its manifest."""
    return entered.copy(tmp_path_factory.mktemp("copy") / "copy.mp4")
