"""Sealing: what comes out verifies and says what it is; what fails leaves everything as it was and names the real
cause.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

import provenance.signing.sign
from provenance.library.embed import Order
from provenance.manifests.source_types import IPTC
from provenance.pki.keys import DevelopmentKeys, development_keys
from provenance.signers.pem import PemSigner
from provenance.signing.seal import C2paSeal, development_signer
from provenance.signing.sign import sign_generated
from provenance.verifying.verification import Verification
from provenance.verifying.verify import verify
from sfumato.errors import OutputError, SealError
from sfumato.media.video import GeneratedFacts


@pytest.fixture
def seal(keys: DevelopmentKeys) -> C2paSeal:
    return C2paSeal(keys.folder.parent)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_sealed_video_says_what_it_is(sealed: Path, facts: GeneratedFacts) -> None:
    found = verify(sealed)
    assert found.declares == ("trainedAlgorithmicMedia",)
    assert found.title == facts.title
    assert found.generator is not None
    assert found.generator.startswith("sfumato ")
    assert found.facts["model_digest"] == facts.model_digest
    assert found.facts["seed"] == 7
    assert found.facts["parameters"] == dict(facts.parameters)
    assert [(item.title, item.relationship, item.state) for item in found.ingredients] == [
        ("portrait", "inputTo", "none")
    ]


def test_the_claim_is_of_version_2_with_everything_created_by_the_signer(sealed: Path) -> None:
    from c2pa import Reader

    with Reader(str(sealed)) as reader:
        manifest = reader.get_active_manifest()
    assert manifest["claim_version"] == 2
    assert [(item["label"], item["created"]) for item in manifest["assertions"]] == [
        ("c2pa.actions.v2", True),
        ("org.sfumato.generation", True),
        ("c2pa.hash.bmff.v3", True),
    ]
    action = manifest["assertions"][0]["data"]["actions"][0]
    assert action["parameters"]["ingredients"][0]["url"].endswith("c2pa.ingredient.v3")
    assert "thumbnail" not in str(manifest)
    assert "secret-name" not in str(manifest)


def test_the_sealed_video_plays_the_same_frames(sealed: Path, unsealed: Path) -> None:
    def frames(path: Path) -> list[bytes]:
        with av.open(str(path)) as container:
            return [frame.to_ndarray(format="rgb24").tobytes() for frame in container.decode(video=0)]

    assert frames(sealed) == frames(unsealed)
    assert len(frames(sealed)) == 10


def test_an_existing_destination_is_replaced(
    seal: C2paSeal, unsealed: Path, facts: GeneratedFacts, tmp_path: Path
) -> None:
    destination = tmp_path / "out.mp4"
    destination.write_bytes(b"")
    seal(unsealed, destination, facts)
    assert verify(destination).outcome == "untrusted"
    assert _names(tmp_path) == ["out.mp4"]


@pytest.mark.parametrize("other_name", ["same", "symlink", "hard link", "dots"])
def test_source_and_destination_must_differ(
    seal: C2paSeal, unsealed: Path, facts: GeneratedFacts, tmp_path: Path, other_name: str
) -> None:
    source, destination = tmp_path / "video.mp4", tmp_path / "link.mp4"
    source.write_bytes(unsealed.read_bytes())
    if other_name == "same":
        destination = source
    elif other_name == "symlink":
        destination.symlink_to(source)
    elif other_name == "hard link":
        destination.hardlink_to(source)
    else:
        (tmp_path / "folder").mkdir()
        destination = tmp_path / "folder" / ".." / "video.mp4"
    with pytest.raises(SealError, match="both source and destination"):
        seal(source, destination, facts)
    assert source.read_bytes() == unsealed.read_bytes()


class _Broken:
    """A signer whose key is gone."""

    def __init__(self, signer: Any, error: BaseException) -> None:
        self.alg, self.chain_pem, self._error = signer.alg, signer.chain_pem, error

    def sign(self, data: bytes) -> bytes:
        raise self._error


@pytest.mark.parametrize(
    "error", [RuntimeError("the token was pulled out"), ConnectionError("the token was pulled out")]
)
def test_a_failing_signer_leaves_nothing_and_is_named(
    keys: DevelopmentKeys, unsealed: Path, facts: GeneratedFacts, tmp_path: Path, error: Exception
) -> None:
    destination = tmp_path / "out.mp4"
    destination.write_bytes(b"an older video")
    with pytest.raises(SealError, match="the token was pulled out") as caught:
        sign_generated(unsealed, destination, facts, _Broken(development_signer(keys.folder.parent), error))
    assert caught.value.__cause__ is error
    assert destination.read_bytes() == b"an older video"
    assert _names(tmp_path) == ["out.mp4"]


def test_our_own_error_and_an_interruption_pass_as_they_are(
    keys: DevelopmentKeys, unsealed: Path, facts: GeneratedFacts, tmp_path: Path
) -> None:
    signer = development_signer(keys.folder.parent)
    with pytest.raises(SealError, match=r"^no such slot$"):
        sign_generated(unsealed, tmp_path / "out.mp4", facts, _Broken(signer, SealError("no such slot")))
    with pytest.raises(KeyboardInterrupt):
        sign_generated(unsealed, tmp_path / "out.mp4", facts, _Broken(signer, KeyboardInterrupt()))
    assert _names(tmp_path) == []


def test_a_signer_that_signs_wrongly_is_found_out(
    keys: DevelopmentKeys, unsealed: Path, facts: GeneratedFacts, tmp_path: Path
) -> None:
    signer: Any = _Broken(development_signer(keys.folder.parent), RuntimeError())
    signer.sign = lambda data: bytes(range(1, 65))
    with pytest.raises(SealError):
        sign_generated(unsealed, tmp_path / "out.mp4", facts, signer)
    assert _names(tmp_path) == []


def test_an_unknown_algorithm_is_refused(
    keys: DevelopmentKeys, unsealed: Path, facts: GeneratedFacts, tmp_path: Path
) -> None:
    signer: Any = _Broken(development_signer(keys.folder.parent), RuntimeError())
    signer.alg = "rot13"
    with pytest.raises(SealError, match="rot13"):
        sign_generated(unsealed, tmp_path / "out.mp4", facts, signer)


def test_an_expired_certificate_does_not_seal(unsealed: Path, facts: GeneratedFacts, tmp_path: Path) -> None:
    old = development_keys(tmp_path / "keys", datetime.now(UTC) - timedelta(days=400))
    with pytest.raises(SealError, match="not valid at time of signing"):
        sign_generated(unsealed, tmp_path / "out.mp4", facts, PemSigner(old.leaf_key, old.chain_pem()))
    assert _names(tmp_path) == ["keys"]


def test_a_full_disk_is_called_a_full_disk(
    seal: C2paSeal, unsealed: Path, facts: GeneratedFacts, tmp_path: Path
) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    seal(unsealed, tmp_path / "first.mp4", facts)  # keys exist, modules are compiled
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(OutputError, match="File too large"):
            seal(unsealed, tmp_path / "out.mp4", facts)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert _names(tmp_path) == ["first.mp4"]


def test_a_folder_that_does_not_exist_is_an_output_error(
    seal: C2paSeal, unsealed: Path, facts: GeneratedFacts, tmp_path: Path
) -> None:
    with pytest.raises(OutputError):
        seal(unsealed, tmp_path / "missing" / "out.mp4", facts)


def test_a_missing_source_is_named(seal: C2paSeal, facts: GeneratedFacts, tmp_path: Path) -> None:
    with pytest.raises(SealError, match=r"gone\.mp4"):
        seal(tmp_path / "gone.mp4", tmp_path / "out.mp4", facts)
    assert _names(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b"no video at all" * 100])
def test_a_source_that_is_no_video_leaves_nothing(
    seal: C2paSeal, facts: GeneratedFacts, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "source.mp4").write_bytes(content)
    with pytest.raises(SealError):
        seal(tmp_path / "source.mp4", tmp_path / "out.mp4", facts)
    assert _names(tmp_path) == ["source.mp4"]


@pytest.mark.parametrize("suffix", [".mkv", ".webm", ""])
def test_containers_that_cannot_hold_a_seal_are_refused(
    seal: C2paSeal, unsealed: Path, facts: GeneratedFacts, tmp_path: Path, suffix: str
) -> None:
    with pytest.raises(SealError, match=r"\.mp4"):
        seal(unsealed, tmp_path / f"out{suffix}", facts)


def test_a_result_that_does_not_verify_never_appears(
    seal: C2paSeal, unsealed: Path, facts: GeneratedFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "provenance.signing.sign.verify",
        lambda path, sidecar=None: Verification(path, "invalid", ("assertion.bmffHash.mismatch",)),
    )
    with pytest.raises(SealError, match=r"does not verify.*bmffHash"):
        seal(unsealed, tmp_path / "out.mp4", facts)
    assert _names(tmp_path) == []


@pytest.mark.parametrize("what", ["its source type", "its portraits"])
def test_a_result_that_does_not_say_what_it_was_to_say_never_appears(
    seal: C2paSeal,
    unsealed: Path,
    facts: GeneratedFacts,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    real = provenance.signing.sign.embed

    def embed_another(source: Any, size: int, output: Any, order: Order, authority: str | None) -> None:
        manifest = deepcopy(order.manifest)
        actions, stated = (assertion["data"] for assertion in manifest["assertions"])
        if what == "its source type":
            actions["actions"][0]["digitalSourceType"] = IPTC + "digitalCapture"
        else:
            stated["portrait_digests"] = ["c" * 64]
        real(source, size, output, replace(order, manifest=manifest), authority)

    monkeypatch.setattr(provenance.signing.sign, "embed", embed_another)
    with pytest.raises(SealError, match="does not say what it is"):
        seal(unsealed, tmp_path / "out.mp4", facts)
    assert _names(tmp_path) == []


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "BMP", "GIF", "text", "empty"])
def test_portraits_of_any_kind_become_ingredients(
    seal: C2paSeal, unsealed: Path, facts: GeneratedFacts, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "portrait.jpg"  # the name lies about the type
    if kind in ("text", "empty"):
        path.write_bytes(b"not a picture" if kind == "text" else b"")
    else:
        Image.new("RGB", (16, 16)).save(path, format=kind)
    seal(unsealed, tmp_path / "out.mp4", replace(facts, portraits=(path,)))
    assert [item.relationship for item in verify(tmp_path / "out.mp4").ingredients] == ["inputTo"]


def test_a_large_portrait_adds_nothing_to_the_seal(
    seal: C2paSeal, unsealed: Path, sealed: Path, facts: GeneratedFacts, tmp_path: Path
) -> None:
    Image.effect_noise((2000, 2000), 50).save(tmp_path / "large.png")
    seal(unsealed, tmp_path / "out.mp4", replace(facts, portraits=(tmp_path / "large.png",)))
    assert abs((tmp_path / "out.mp4").stat().st_size - sealed.stat().st_size) < 1000


def test_a_portrait_with_a_credential_keeps_it(
    seal: C2paSeal,
    unsealed: Path,
    sealed: Path,
    facts: GeneratedFacts,
    root: bytes,
    tmp_path: Path,
    flip_media_byte: Callable[[Path, Path], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "provenance.manifests.ingredients.media_type_of_content", lambda file: "video/mp4"
    )  # in place of a sealed picture
    broken = flip_media_byte(sealed, tmp_path / "broken.mp4")
    seal(unsealed, tmp_path / "out.mp4", replace(facts, portraits=(sealed, broken)))
    good, bad = (item for item in verify(tmp_path / "out.mp4", [root]).ingredients if item.depth == 0)
    assert (good.state, good.declares) == ("trusted", ("trainedAlgorithmicMedia",))
    assert bad.state == "invalid"
    assert "assertion.bmffHash.mismatch" in bad.codes


def test_a_portrait_that_the_library_chokes_on_goes_in_without_its_credential(
    seal: C2paSeal,
    unsealed: Path,
    facts: GeneratedFacts,
    portrait: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "provenance.manifests.ingredients.media_type_of_content", lambda file: "image/png"
    )  # the library refuses a JPEG called PNG
    seal(unsealed, tmp_path / "out.mp4", facts)
    found = verify(tmp_path / "out.mp4")
    assert found.outcome == "untrusted"
    assert [(item.relationship, item.state) for item in found.ingredients] == [("inputTo", "none")]
    assert len(found.facts["portrait_digests"]) == 1


def test_large_files_are_hashed_in_pieces_and_still_verify(
    seal: C2paSeal,
    unsealed: Path,
    facts: GeneratedFacts,
    root: bytes,
    tmp_path: Path,
    flip_media_byte: Callable[[Path, Path], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("provenance.library.settings.LARGE", 1000)
    monkeypatch.setattr("provenance.library.settings.PIECE_KB", 1)
    seal(unsealed, tmp_path / "out.mp4", facts)
    assert verify(tmp_path / "out.mp4", [root]).outcome == "trusted"
    broken = verify(flip_media_byte(tmp_path / "out.mp4", tmp_path / "broken.mp4"), [root])
    assert broken.outcome == "invalid"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak memory of a process from /proc")
def test_memory_stays_flat(
    unsealed: Path, keys: DevelopmentKeys, tmp_path: Path, media_box: Callable[[bytes], tuple[int, int]]
) -> None:
    data = unsealed.read_bytes()
    start, size = media_box(data)
    with (tmp_path / "large.mp4").open("wb") as file:  # the same video with 100 MB more of media data
        file.write(data[:start] + (size + 100 * 2**20).to_bytes(4, "big") + data[start + 4 : start + size])
        file.seek(100 * 2**20, 1)
        file.write(data[start + size :])
    program = (
        "import sys; from pathlib import Path; from types import SimpleNamespace as Facts; from "
        "provenance.signing.seal import C2paSeal;"
        "facts = Facts(title='t', model_name='m', model_digest='a' * 64, seed=1, portraits=(), "
        "motion_digest='b' * 64, parameters={},"
        "portrait_digests=(), known_digests=());"
        "C2paSeal(Path(sys.argv[1]))(Path(sys.argv[2]), Path(sys.argv[3]), facts);"
        # ru_maxrss counts the parent too
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    arguments = [str(keys.folder.parent), str(tmp_path / "large.mp4"), str(tmp_path / "out.mp4")]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=120, check=True
    )
    assert int(done.stdout) < 150_000  # kB; 245 MB when the library keeps it all


def test_no_handle_to_the_source_is_ever_writable(
    seal: C2paSeal, unsealed: Path, facts: GeneratedFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = []
    real = provenance.signing.sign._sign

    def spy(source: Any, *rest: Any) -> None:
        modes.append(source.mode)
        real(source, *rest)

    monkeypatch.setattr(provenance.signing.sign, "_sign", spy)
    seal(unsealed, tmp_path / "out.mp4", facts)
    assert modes == ["rb"]
