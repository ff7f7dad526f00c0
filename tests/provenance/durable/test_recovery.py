"""From a copy without its manifest to the manifest: found, cross-checked, checked by itself."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from provenance.commands.recover import recover as command
from provenance.durable.recovered import read_store
from provenance.durable.recovery import recover
from provenance.durable.repository import Entry, open_repository
from provenance.durable.resolver import HttpResolver
from provenance.signing.seal import C2paSeal
from provenance.watermark.embed import SpreadMarker
from sfumato.errors import MediaError, OutputError, UsageError
from sfumato.media.video import VideoReader
from tests.durable_fixtures import Sealed, sealed_video
from tests.media_fixtures import make_sound
from tests.resolver_server import serve
from tests.watermark_fixtures import encode, scene


@pytest.fixture(scope="module")
def sealed(keys, tmp_path_factory) -> Sealed:
    """One video whose repository holds another one too."""
    folder = tmp_path_factory.mktemp("recovery")
    sealed_video(folder / "other.mp4", keys, folder / "repository.sqlite3", seed=5)
    return sealed_video(folder / "a.mp4", keys, folder / "repository.sqlite3")


@pytest.fixture(scope="module")
def copy(sealed, tmp_path_factory):
    return sealed.copy(tmp_path_factory.mktemp("copy") / "copy.mp4")


def find(path, sealed, trust=()):
    with open_repository(sealed.repository) as repository:
        return recover(path, [repository], trust)


def test_a_small_stripped_copy_leads_back_to_its_manifest(sealed, copy) -> None:
    found = find(copy, sealed, [sealed.keys.root_pem()])
    assert found.outcome == "confirmed"
    assert found.chosen is not None
    assert found.chosen.manifest_id == sealed.manifest_id
    assert found.store == sealed.store
    assert found.states_mark
    assert found.mark.bound <= 1e-9
    assert found.manifest is not None
    assert found.manifest.signature == "trusted"


def test_without_a_trust_list_nobody_vouches(sealed, copy) -> None:
    manifest = find(copy, sealed).manifest
    assert manifest is not None
    assert manifest.signature == "untrusted"
    assert manifest.codes == ("signingCredential.untrusted",)


def test_a_mark_carried_to_another_picture_is_not_confirmed(sealed, tmp_path) -> None:
    with open_repository(sealed.repository) as repository:
        entry = repository.entry(sealed.manifest_id)
    import base64

    marker = SpreadMarker(base64.b64decode(entry.value))
    stranger = encode([marker.mark(image, []) for image in scene(9)], tmp_path / "stranger.mp4", 23)
    found = find(stranger, sealed)
    assert found.outcome == "watermark"
    assert found.chosen is not None
    assert found.chosen.manifest_id == sealed.manifest_id
    assert found.chosen.distance > 0.22


def test_without_its_mark_a_video_is_only_alike(sealed, tmp_path) -> None:
    found = find(encode(list(scene(0)), tmp_path / "unmarked.mp4", 23), sealed)
    assert found.outcome == "alike"
    assert not found.mark.detected
    assert found.chosen is not None
    assert not found.states_mark


def test_two_that_look_alike_are_not_decided_by_looks(keys, tmp_path) -> None:
    repository = tmp_path / "r.sqlite3"
    first = sealed_video(tmp_path / "a.mp4", keys, repository)
    sealed_video(tmp_path / "b.mp4", keys, repository)
    found = find(encode(list(scene(0)), tmp_path / "unmarked.mp4", 23), first)
    assert (found.outcome, found.chosen, len(found.candidates)) == ("alike", None, 2)


def test_other_videos_lead_nowhere(sealed, tmp_path) -> None:
    found = find(encode(list(scene(2)), tmp_path / "other.mp4", 23), sealed)
    assert (found.outcome, found.chosen, found.candidates, found.store) == ("none", None, (), b"")


def test_a_faint_mark_is_known_again_by_its_payload(keys, tmp_path) -> None:
    """Too little is left to read it blind; what the fingerprint finds says what to look for."""
    sealed = sealed_video(tmp_path / "a.mp4", keys, tmp_path / "r.sqlite3")
    with VideoReader(sealed.path) as video:
        marked = [frame.image for frame in video]
    for share in (0.4, 0.35, 0.3, 0.45):  # how much must be left depends on the payload, and so on the key
        faint = [
            np.clip(a + share * (b.astype(float) - a), 0, 255).round().astype(np.uint8)
            for a, b in zip(scene(0), marked, strict=True)
        ]
        found = find(encode(faint, tmp_path / "faint.mp4", 18), sealed)
        if found.outcome == "confirmed" and found.mark.statistic < 11:
            return
    pytest.fail("no share of the mark was read with its payload known and not without")


@pytest.mark.parametrize(
    "what",
    [
        b"trainedAlgorithmicMedia",
        b"c2pa.watermarked.bound",
        b"org.sfumato.watermark.1",
        b"specVersion",
        b"sfumato development",
    ],
)
def test_a_manifest_that_was_changed_is_not_valid(sealed, what) -> None:
    data = bytearray(sealed.store)
    data[data.index(what) + 3] ^= 1
    assert read_store(bytes(data)).signature in ("invalid", "unreadable")


def test_what_is_no_store_is_unreadable() -> None:
    for data in (b"", b"x", b"\0" * 1000, b"\xff" * 100_000):
        assert read_store(data).signature == "unreadable"


def test_a_repository_with_a_false_manifest_is_not_believed(sealed, copy, tmp_path) -> None:
    with open_repository(sealed.repository) as repository:
        entry = repository.entry(sealed.manifest_id)
    data = bytearray(entry.store)
    at = data.index(b"trainedAlgorithmicMedia")
    data[at : at + 23] = b"digitalCapture".ljust(23, b"\0")
    false = tmp_path / "false.sqlite3"
    with open_repository(false) as repository:
        repository.add(
            Entry(
                entry.manifest_id,
                bytes(data),
                entry.alg,
                entry.value,
                entry.fingerprint,
                entry.digest,
                "x",
                entry.entered,
            )
        )
    result = CliRunner().invoke(command, [str(copy), "--repository", str(false)])
    assert result.exit_code == 3
    assert "invalid" in result.output


def run(*arguments: object):
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_the_command_says_what_it_found_and_writes_it(sealed, copy, tmp_path) -> None:
    (tmp_path / "root.pem").write_bytes(sealed.keys.root_pem())
    out = tmp_path / "recovered.c2pa"
    result = run(copy, "--repository", sealed.repository, "--trust", tmp_path / "root.pem", "-o", out)
    assert result.exit_code == 0, result.output
    assert out.read_bytes() == sealed.store
    for part in (
        "confirmed",
        sealed.manifest_id,
        "signature: trusted",
        "binding: broken",
        "trainedAlgorithmicMedia",
        "development",
    ):
        assert part in result.output


def test_the_command_in_json(sealed, copy) -> None:
    result = run(copy, "--repository", sealed.repository, "--json")
    record = json.loads(result.output)
    assert record["outcome"] == "confirmed"
    assert record["watermark"]["false_positive_bound"] <= 1e-9
    assert record["watermark"]["stated_by_manifest"] is True
    assert record["manifest"]["id"] == record["candidates"][0]["manifest_id"] == sealed.manifest_id
    assert record["manifest"]["signature"] == "untrusted"
    assert record["manifest"]["binding"].startswith("broken")
    assert record["schema_version"] == 1


def test_exit_codes(sealed, tmp_path) -> None:
    nothing = encode(list(scene(2, 8)), tmp_path / "other.mp4", 23)
    assert run(nothing, "--repository", sealed.repository).exit_code == 4
    alike = encode(list(scene(0)), tmp_path / "alike.mp4", 23)
    assert run(alike, "--repository", sealed.repository).exit_code == 1
    for wrong, error in ((make_sound(tmp_path / "tone.m4a"), MediaError), (tmp_path / "missing.mp4", MediaError)):
        assert isinstance(run(wrong, "--repository", sealed.repository).exception, error)
    assert isinstance(run(nothing, "--repository", tmp_path / "none.sqlite3").exception, UsageError)
    assert isinstance(run(nothing, "--repository", sealed.repository, "--send-file").exception, UsageError)


def test_hostile_titles_are_shown_escaped(keys, tmp_path) -> None:
    from sfumato.media.video import GeneratedFacts, GeneratedVideoWriter

    facts = GeneratedFacts("\x1b[31mred\u202etxt\n<script>", "m", "0" * 64, 0, (), "1" * 64)
    seal = C2paSeal(keys.folder.parent, repository=tmp_path / "r.sqlite3")
    with GeneratedVideoWriter(tmp_path / "a.mp4", width=256, height=192, rate=25, seal=seal, facts=facts) as video:
        for image in scene(0):
            video.write(image, faces=[])
    result = run(tmp_path / "a.mp4", "--repository", tmp_path / "r.sqlite3")
    assert result.exit_code == 0
    assert "\x1b" not in result.output
    assert "\u202e" not in result.output
    assert "\\x1b[31mred" in result.output


def test_an_outside_resolver_gets_the_payload_and_no_more(sealed, copy, tmp_path) -> None:
    with serve(sealed.repository, tmp_path / "upload.mp4") as (address, seen):
        found = recover(copy, [HttpResolver(address)])
        assert HttpResolver(address).supported_algorithms()["watermarks"] == ["org.sfumato.watermark.1"]
    assert found.outcome == "watermark"  # its fingerprint is not known here
    assert found.store == sealed.store
    assert not (tmp_path / "upload.mp4").exists()
    identifier = sealed.manifest_id.replace(":", "%3A")
    assert [line.split("?")[0] for line in seen[:2]] == ["GET /v1/matches/byBinding", f"GET /v1/manifests/{identifier}"]


def test_the_file_goes_out_only_where_that_was_allowed(sealed, copy, tmp_path) -> None:
    with serve(sealed.repository, tmp_path / "upload.mp4") as (address, seen):
        found = recover(copy, [HttpResolver(address, send_content=True)])
    assert any(line.startswith("POST /v1/matches/byContent?") for line in seen)
    assert (tmp_path / "upload.mp4").read_bytes() == copy.read_bytes()
    assert {candidate.manifest_id for candidate in found.candidates} == {sealed.manifest_id}


def test_the_command_asks_a_resolver(sealed, copy, tmp_path) -> None:
    with serve(sealed.repository, tmp_path / "upload.mp4") as (address, _):
        result = run(copy, "--resolver", address, "--repository", sealed.repository, "--json")
    assert result.exit_code == 0
    assert json.loads(result.output)["outcome"] == "confirmed"


@pytest.mark.parametrize(
    "answer",
    [b"no json", b"[1, 2]", b'{"matches": "x"}', b'{"matches": [1, {"manifestId": 5}, {}]}', b"[" * 100_000],
    ids=["text", "a list", "a string", "odd entries", "nested"],
)
def test_strange_answers_are_an_error_or_nothing(sealed, tmp_path, answer) -> None:
    with serve(sealed.repository, tmp_path / "u", {"/v1/matches/byBinding": answer}) as (address, _):
        try:
            assert HttpResolver(address).by_binding("a.b", "AAAA") == []
        except OutputError as error:
            assert address in str(error)


def test_a_resolver_that_is_not_there_is_named() -> None:
    with pytest.raises(OutputError, match=r"127\.0\.0\.1:1"):
        HttpResolver("http://127.0.0.1:1/v1").by_binding("a.b", "AAAA")


@pytest.mark.parametrize(
    "address",
    ["ftp://example.org", "example.org", "https://", "https://example.org/?x=1", "file:///etc/passwd", "http://[::1"],
)
def test_what_is_no_address_is_refused(address) -> None:
    with pytest.raises(UsageError):
        HttpResolver(address)


def test_an_unknown_manifest_is_none(sealed, tmp_path) -> None:
    with serve(sealed.repository, tmp_path / "u") as (address, _):
        assert HttpResolver(address).manifest("urn:c2pa:none") is None


def test_a_copy_of_the_sealed_file_itself_is_confirmed_too(sealed, tmp_path) -> None:
    shutil.copyfile(sealed.path, tmp_path / "same.mp4")
    assert find(tmp_path / "same.mp4", sealed).outcome == "confirmed"
