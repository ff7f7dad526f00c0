"""Five outcomes, kept apart; hostile files; no connection, ever."""

from __future__ import annotations

import os
import random
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from provenance.library.settings import reading
from provenance.pki.keys import development_keys
from provenance.verifying.verification import OUTCOMES
from provenance.verifying.verify import verify
from sfumato.errors import UsageError


def test_a_development_signer_is_untrusted_but_valid(sealed: Path) -> None:
    found = verify(sealed)
    assert found.outcome == "untrusted"
    assert found.codes == ("signingCredential.untrusted",)
    assert {"claimSignature.validated", "assertion.bmffHash.match"} <= set(found.successes)
    assert found.development
    assert found.signer == "sfumato development signer"
    assert "development" in (found.issuer or "")
    assert found.time_source == "claimed"


def test_with_its_root_it_is_trusted_and_still_called_development(sealed: Path, root: bytes) -> None:
    found = verify(sealed, [root])
    assert (found.outcome, found.codes, found.anchored, found.development) == ("trusted", (), True, True)


def test_with_another_root_it_stays_untrusted(sealed: Path, tmp_path: Path) -> None:
    assert verify(sealed, [development_keys(tmp_path).root_pem()]).outcome == "untrusted"


def test_a_root_given_for_time_stamps_does_not_vouch_for_signers(sealed: Path, root: bytes, tmp_path: Path) -> None:
    from c2pa import Context, Reader

    other = development_keys(tmp_path).root_pem()
    with Reader(str(sealed), context=Context.from_dict(reading([other], [root]))) as library:
        assert library.get_validation_state() == "Trusted"  # the trap: the library does not keep the kinds apart
    found = verify(sealed, [other], stamps=[root])
    assert (found.outcome, found.anchored) == ("untrusted", False)
    assert found.codes == ("signingCredential.untrusted",)
    assert "signingCredential.trusted" not in found.successes


def test_one_bit_in_the_media_makes_it_invalid(
    sealed: Path, root: bytes, tmp_path: Path, flip_media_byte: Callable[[Path, Path], Path]
) -> None:
    found = verify(flip_media_byte(sealed, tmp_path / "flipped.mp4"), [root])
    assert found.outcome == "invalid"
    assert found.codes == ("assertion.bmffHash.mismatch",)
    assert found.reason == "the media changed after signing"
    assert found.declares == ("trainedAlgorithmicMedia",)


def test_a_changed_signature_is_invalid(sealed: Path, root: bytes, tmp_path: Path) -> None:
    data = sealed.read_bytes()
    assert data.count(b"Mona Lisa, calm") == 1
    (tmp_path / "edited.mp4").write_bytes(data.replace(b"Mona Lisa, calm", b"Mona Lisa, real"))
    found = verify(tmp_path / "edited.mp4", [root])
    assert found.outcome == "invalid"
    assert "claimSignature.mismatch" in found.codes


def test_a_re_encoded_video_has_none(sealed: Path, tmp_path: Path) -> None:
    with av.open(str(sealed)) as source, av.open(str(tmp_path / "again.mp4"), "w") as copy:
        stream: Any = copy.add_stream("libx264", rate=10)
        stream.width = stream.height = 64
        for frame in source.decode(video=0):
            copy.mux(stream.encode(frame.reformat(format="yuv420p")))
        copy.mux(stream.encode())
    assert verify(tmp_path / "again.mp4").outcome == "none"


def test_an_unsealed_video_has_none(unsealed: Path, root: bytes) -> None:
    found = verify(unsealed, [root])
    assert (found.outcome, found.codes, found.signer, found.declares) == ("none", (), None, ())


def test_a_container_without_room_for_credentials_has_none(unsealed: Path, tmp_path: Path) -> None:
    with av.open(str(tmp_path / "video.mkv"), "w", format="matroska") as copy:
        stream: Any = copy.add_stream("libx264", rate=10)
        stream.width = stream.height = 64
        with av.open(str(unsealed)) as source:
            for frame in source.decode(video=0):
                copy.mux(stream.encode(frame))
        copy.mux(stream.encode())
    assert verify(tmp_path / "video.mkv").outcome == "none"


@pytest.mark.parametrize("content", [b"", b"Dear reader, this is text.\n" * 40, bytes(1000), b"\0\0\0\x20ftypisom"])
def test_what_is_no_video_is_unreadable(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "video.mp4"
    path.write_bytes(content)
    found = verify(path)
    assert found.outcome == "unreadable"
    assert found.reason


def test_missing_files_folders_and_pipes_are_unreadable(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    reasons = [verify(path) for path in (tmp_path / "gone.mp4", tmp_path, tmp_path / "pipe.mp4", Path("a\0b.mp4"))]
    assert [found.outcome for found in reasons] == ["unreadable"] * 4
    assert [found.reason for found in reasons] == [
        "No such file or directory",
        "not a regular file",
        "not a regular file",
        "embedded null byte",
    ]


def test_a_truncated_video_is_unreadable_or_invalid(sealed: Path, root: bytes, tmp_path: Path) -> None:
    data = sealed.read_bytes()
    for size in (40, 5000, 20_000, len(data) - 1):
        (tmp_path / "cut.mp4").write_bytes(data[:size])
        assert verify(tmp_path / "cut.mp4", [root]).outcome in ("unreadable", "invalid")


def test_a_wrong_suffix_does_not_hide_a_credential(sealed: Path, tmp_path: Path) -> None:
    shutil.copy(sealed, tmp_path / "picture.jpg")
    assert verify(tmp_path / "picture.jpg").outcome == "untrusted"


def test_an_empty_trust_list_is_refused(sealed: Path) -> None:
    with pytest.raises(UsageError):
        verify(sealed, [b""])


def test_a_camera_claim_in_an_ingredient_is_kept_apart(
    sealed: Path, sign_anything: Callable[..., Path], created: dict[str, Any], tmp_path: Path
) -> None:
    found = verify(
        sign_anything(tmp_path / "out.mp4", {"title": "collage", "assertions": [created]}, ingredient=sealed)
    )
    assert found.declares == ("digitalCapture",)
    assert found.ingredient_declares == ("trainedAlgorithmicMedia",)
    assert [(item.title, item.relationship, item.depth) for item in found.ingredients] == [
        ("sealed.mp4", "componentOf", 0),
        ("portrait", "inputTo", 1),
    ]


@pytest.mark.parametrize(
    "text",
    ["\x1b[2J\x1b[31mtrusted", "<script>alert(1)</script>", "gpj.\u202e4pm", "a\nsecond line", "x" * 100_000],
    ids=["terminal", "markup", "bidirectional", "lines", "long"],
)
def test_hostile_strings_are_read_and_bounded(
    sign_anything: Callable[..., Path], created: dict[str, Any], tmp_path: Path, text: str
) -> None:
    facts = {"label": "org.sfumato.generation", "data": {"model_name": text, text[:50]: [text] * 3}}
    manifest = {
        "title": text,
        "claim_generator_info": [{"name": text, "version": text}],
        "assertions": [created, facts],
    }
    found = verify(sign_anything(tmp_path / "out.mp4", manifest))
    assert found.outcome == "untrusted"
    assert (found.title or "")[:1000] == text[:1000]
    assert len(found.title or "") < 1100
    assert len(found.facts["model_name"]) < 1100


def test_deep_nesting_is_survived(sign_anything: Callable[..., Path], created: dict[str, Any], tmp_path: Path) -> None:
    deep: Any = 1
    for _ in range(60):
        deep = {"in": deep}
    assertion = {"label": "org.sfumato.generation", "data": deep}
    assert verify(sign_anything(tmp_path / "out.mp4", {"assertions": [created, assertion]})).outcome in (
        "untrusted",
        "invalid",
    )


@pytest.fixture
def server() -> Iterator[tuple[str, list[Any]]]:
    """A listener on this machine that counts who comes."""
    visits: list[Any] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def count() -> None:
        while True:
            try:
                connection, address = listener.accept()
            except OSError:
                return
            visits.append(address)
            connection.close()

    threading.Thread(target=count, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/manifest.c2pa", visits
    listener.close()


def test_a_remote_manifest_is_noted_and_never_fetched(
    server: tuple[str, list[Any]], sign_anything: Callable[..., Path], created: dict[str, Any], tmp_path: Path
) -> None:
    from c2pa import C2paError, Reader

    address, visits = server
    path = sign_anything(tmp_path / "out.mp4", {"assertions": [created]}, remote_url=address)
    found = verify(path)
    assert (found.outcome, found.codes, found.remote_manifest) == ("none", ("manifest.inaccessible",), address)
    assert visits == []
    with pytest.raises(C2paError):
        Reader(str(path))  # the library left to itself does go there: the listener would have noticed
    assert visits


def test_signing_and_verifying_open_no_socket(
    sealed: Path, unsealed: Path, facts: Any, keys: Any, root: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from provenance.signing.seal import C2paSeal

    def refuse(*arguments: Any, **keywords: Any) -> Any:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    C2paSeal(keys.folder.parent)(unsealed, tmp_path / "out.mp4", facts)
    assert verify(tmp_path / "out.mp4", [root]).outcome == "trusted"


def test_random_damage_never_crashes_and_never_stays_trusted_with_other_media(
    sealed: Path, root: bytes, tmp_path: Path
) -> None:
    original = sealed.read_bytes()
    media = _boxes(original)
    chance = random.Random(0)
    path = tmp_path / "damaged.mp4"
    seen = set()
    for _ in range(300):
        data = bytearray(original)
        place = chance.randrange(len(data))
        kind = chance.randrange(4)
        if kind == 0:
            data[place] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del data[place:]
        elif kind == 2:
            del data[place : place + chance.randrange(1, 64)]
        else:
            data[place:place] = chance.randbytes(chance.randrange(1, 32))
        path.write_bytes(data)
        found = verify(path, [root])
        seen.add(found.outcome)
        assert found.outcome in OUTCOMES
        if found.outcome == "trusted":
            assert _boxes(bytes(data)) == media
    assert {"trusted", "invalid", "unreadable"} <= seen


def _boxes(data: bytes) -> dict[bytes, bytes]:
    """The content of mdat and moov: what a player decodes. Offsets in moov may not move, as the sizes here do not."""
    found, position = {}, 0
    while position + 8 <= len(data):
        size = int.from_bytes(data[position : position + 4], "big")
        if size < 8:
            break
        if data[position + 4 : position + 8] in (b"mdat", b"moov"):
            found[data[position + 4 : position + 8]] = data[position + 8 : position + size]
        position += size
    return found
