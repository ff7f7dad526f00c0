"""A verifier with a core of its own (encypher-c2pa) agrees with ours about every kind of file that is signed here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from provenance.formats.containers import FORMATS
from provenance.manifests.declaration import Declaration
from provenance.pki.keys import DevelopmentKeys
from provenance.signing.seal import C2paSeal, development_signer
from provenance.signing.sign import sign_file
from provenance.verifying.verification import Verification
from provenance.verifying.verify import verify
from sfumato.media.video import GeneratedFacts
from tests.picture_fixtures import write_heic
from tests.provenance.excluding import made


@pytest.fixture
def sample(unsealed: Path, tmp_path: Path) -> Callable[[str], Path]:
    """A small file of each kind that can be signed."""

    def make(suffix: str) -> Path:
        path = tmp_path / f"in{suffix}"
        if suffix in (".heic", ".heif"):
            return write_heic(path)
        if suffix == ".m4v":
            path.write_bytes(unsealed.read_bytes())
        else:
            alike = {"jpeg": "jpg", "jfif": "jpg", "tiff": "tif"}
            path.write_bytes(made(alike.get(suffix[1:], suffix[1:]), seed=1))
        return path

    return make


@pytest.fixture
def signed(sample: Callable[[str], Path], keys: DevelopmentKeys, tmp_path: Path) -> Callable[[str, Declaration], Path]:
    """What the development key makes of a small file of a kind."""

    def make(suffix: str, declaration: Declaration) -> Path:
        out = tmp_path / f"out{suffix}"
        sign_file(sample(suffix), out, declaration, development_signer(keys.folder.parent))
        return out

    return make


@pytest.fixture
def trusted_by_both(root: bytes, encypher: Callable[[Path], str]) -> Callable[[Path], Verification]:
    """What we find in a file that both we and the independent verifier trust."""

    def judge(path: Path) -> Verification:
        found = verify(path, [root])
        assert found.outcome == encypher(path).lower() == "trusted"
        return found

    return judge


@pytest.mark.parametrize(
    "suffix", [suffix for suffix in FORMATS if suffix not in (".heic", ".heif")]
)  # none is made here
def test_every_format_is_trusted_by_both(
    signed: Callable[[str, Declaration], Path], trusted_by_both: Callable[[Path], Verification], suffix: str
) -> None:
    assert trusted_by_both(signed(suffix, Declaration())).declares == ("trainedAlgorithmicMedia",)


@pytest.mark.parametrize("kind", ["generated", "edited", "composite"])
def test_every_kind_is_trusted_by_both(
    signed: Callable[[str, Declaration], Path],
    trusted_by_both: Callable[[Path], Verification],
    portrait: Path,
    kind: str,
) -> None:
    declaration = Declaration(
        kind,
        actions=("c2pa.edited",) if kind == "edited" else (),
        ingredients=(portrait,),
        training_mining="constrained",
        constraint="Ask first.",
        model_name="a model",
        model_digest="a" * 64,
        seed=2**70,
        motion_digest="b" * 64,
    )
    assert trusted_by_both(signed(".mp4", declaration)).manifest_from == "the file"


def test_a_sealed_video_is_trusted_by_both(
    unsealed: Path,
    facts: GeneratedFacts,
    keys: DevelopmentKeys,
    root: bytes,
    encypher: Callable[[Path], str],
    tmp_path: Path,
) -> None:
    C2paSeal(keys.folder.parent)(unsealed, tmp_path / "out.mp4", facts)
    assert verify(tmp_path / "out.mp4", [root]).outcome == "trusted"
    assert encypher(tmp_path / "out.mp4") == "Trusted"


def test_a_change_is_seen_by_both(
    sealed: Path, flip_media_byte: Callable[[Path, Path], Path], encypher: Callable[[Path], str], tmp_path: Path
) -> None:
    broken = flip_media_byte(sealed, tmp_path / "broken.mp4")
    assert verify(broken).outcome == "invalid"
    assert encypher(broken) == "Invalid"
