"""From a copy without its manifest to the manifest: found, cross-checked, checked by itself."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from provenance.commands.recover import recover as command
from provenance.durable.recovery import recover
from provenance.durable.repository import Entry, open_repository
from provenance.watermark.embed import SpreadMarker
from sfumato.media.video import VideoReader
from tests.durable_fixtures import sealed_video
from tests.watermark_fixtures import encode, scene


def find(path, entered, trust=()):
    with open_repository(entered.repository) as repository:
        return recover(path, [repository], trust)


def test_a_small_stripped_copy_leads_back_to_its_manifest(entered, entered_copy) -> None:
    found = find(entered_copy, entered, [entered.keys.root_pem()])
    assert found.outcome == "confirmed"
    assert found.chosen is not None
    assert found.chosen.manifest_id == entered.manifest_id
    assert found.store == entered.store
    assert found.states_mark
    assert found.mark.bound <= 1e-9
    assert found.manifest is not None
    assert found.manifest.signature == "trusted"


def test_without_a_trust_list_nobody_vouches(entered, entered_copy) -> None:
    manifest = find(entered_copy, entered).manifest
    assert manifest is not None
    assert manifest.signature == "untrusted"
    assert manifest.codes == ("signingCredential.untrusted",)


def test_a_mark_carried_to_another_picture_is_not_confirmed(entered, tmp_path) -> None:
    with open_repository(entered.repository) as repository:
        entry = repository.entry(entered.manifest_id)
    import base64

    marker = SpreadMarker(base64.b64decode(entry.value))
    stranger = encode([marker.mark(image, []) for image in scene(9)], tmp_path / "stranger.mp4", 23)
    found = find(stranger, entered)
    assert found.outcome == "watermark"
    assert found.chosen is not None
    assert found.chosen.manifest_id == entered.manifest_id
    assert found.chosen.distance > 0.22


def test_without_its_mark_a_video_is_only_alike(entered, tmp_path) -> None:
    found = find(encode(list(scene(0)), tmp_path / "unmarked.mp4", 23), entered)
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


def test_other_videos_lead_nowhere(entered, tmp_path) -> None:
    found = find(encode(list(scene(2)), tmp_path / "other.mp4", 23), entered)
    assert (found.outcome, found.chosen, found.candidates, found.store) == ("none", None, (), b"")


def test_a_faint_mark_is_known_again_by_its_payload(keys, tmp_path) -> None:
    """Too little is left to read it blind; what the fingerprint finds says what to look for."""
    entered = sealed_video(tmp_path / "a.mp4", keys, tmp_path / "r.sqlite3")
    with VideoReader(entered.path) as video:
        marked = [frame.image for frame in video]
    for share in (0.4, 0.35, 0.3, 0.45):  # how much must be left depends on the payload, and so on the key
        faint = [
            np.clip(a + share * (b.astype(float) - a), 0, 255).round().astype(np.uint8)
            for a, b in zip(scene(0), marked, strict=True)
        ]
        found = find(encode(faint, tmp_path / "faint.mp4", 18), entered)
        if found.outcome == "confirmed" and found.mark.statistic < 11:
            return
    pytest.fail("no share of the mark was read with its payload known and not without")


def test_a_repository_with_a_false_manifest_is_not_believed(entered, entered_copy, tmp_path) -> None:
    with open_repository(entered.repository) as repository:
        entry = repository.entry(entered.manifest_id)
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
    result = CliRunner().invoke(command, [str(entered_copy), "--repository", str(false)])
    assert result.exit_code == 5
    assert "invalid" in result.output


def test_a_copy_of_the_sealed_file_itself_is_confirmed_too(entered, tmp_path) -> None:
    shutil.copyfile(entered.path, tmp_path / "same.mp4")
    assert find(tmp_path / "same.mp4", entered).outcome == "confirmed"
