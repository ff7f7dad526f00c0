"""The watermark as a witness: whose it is, what may be wanting, when a file is read a second time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from provenance.durable.evidence import DOUBTS
from provenance.durable.fingerprint import THRESHOLD, FingerprintBuilder
from provenance.durable.repository import open_repository
from sfumato.app.scan import mark as marking
from sfumato.app.scan.mark import FINDINGS, FRAMES, MarkFacts, MarkWatch, RecoveredFacts
from sfumato.errors import MediaError, UsageError
from sfumato.media.video import Frame, VideoReader
from tests.watermark_fixtures import encode, scene

ONE = MarkFacts("recovered", "alg", "AAAA", 20.0, 1e-60, False, 16, 0.02, ("signer.untrusted",))


def look(path: Path, repository: Path | None, trust=()) -> MarkFacts | None:
    watch = MarkWatch(FRAMES)
    with VideoReader(path) as video:
        for frame in video:
            watch.show(frame)
    return watch.found(path, repository, trust)


def test_a_stripped_copy_leads_to_its_manifest_with_how_sure_that_is(entered, stripped) -> None:
    found = look(stripped, entered.repository, [entered.keys.root_pem()])
    assert (found.finding, found.doubts) == ("recovered", ())
    assert (found.manifest.id, found.manifest.signature) == (entered.manifest_id, "trusted")
    assert found.declares == ("trainedAlgorithmicMedia",)
    assert found.bound <= 1e-9
    assert found.distance < THRESHOLD
    assert f"{found.bound:.0e}" in found.certainty
    assert "vouches" not in found.certainty


@pytest.mark.parametrize("crf", [18, 23, 28])
def test_a_copy_encoded_harder_is_recovered_too(entered, tmp_path, crf) -> None:
    with VideoReader(entered.path) as video:
        copy = encode([frame.image for frame in video], tmp_path / "copy.mp4", crf)
    assert look(copy, entered.repository).finding == "recovered"


@pytest.mark.parametrize("strangers", [False, True])
def test_a_signer_whom_nobody_vouches_for_is_said_to_be_one(entered, stripped, keys_of_a_stranger, strangers) -> None:
    found = look(stripped, entered.repository, [keys_of_a_stranger] if strangers else [])
    assert (found.finding, found.manifest.signature) == ("recovered", "untrusted")
    assert found.certainty.endswith("Nobody vouches for the manifest's signer.")


def test_a_mark_copied_onto_another_video_is_not_its_own(entered, innocent) -> None:
    found = look(innocent, entered.repository)
    assert (found.finding, found.doubts) == ("foreign", ("fingerprint.differs",))
    assert found.manifest.id == entered.manifest_id  # whose it is
    assert found.distance > THRESHOLD
    assert "does not belong to this video" in found.meaning


def test_an_entry_with_an_exchanged_look_confirms_nothing(entered, innocent, tmp_path) -> None:
    """Who writes into the repository lets the innocent video look like the one that was sealed."""
    builder = FingerprintBuilder()
    for index, image in enumerate(scene(9)):
        builder.add(image, index / 25)
    with open_repository(entered.repository) as own, open_repository(tmp_path / "false.sqlite3") as false:
        false.add(replace(own.entry(entered.manifest_id), fingerprint=builder.done()))
    found = look(innocent, tmp_path / "false.sqlite3")
    assert (found.finding, found.doubts) == ("doubtful", ("fingerprint.notStated",))
    assert DOUBTS["fingerprint.notStated"] in found.certainty


def test_a_mark_that_nobody_entered_is_unknown(stripped, tmp_path) -> None:
    open_repository(tmp_path / "empty.sqlite3").close()
    found = look(stripped, tmp_path / "empty.sqlite3")
    assert (found.finding, found.manifest, found.distance, len(found.value)) == ("unknown", None, None, 12)


def test_without_a_repository_a_mark_is_unknown(stripped, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SFUMATO_REPOSITORY", str(tmp_path / "none.sqlite3"))
    assert look(stripped, None).finding == "unknown"
    assert not (tmp_path / "none.sqlite3").exists()


def test_the_users_own_repository_is_asked_by_default(entered, stripped, monkeypatch) -> None:
    monkeypatch.setenv("SFUMATO_REPOSITORY", str(entered.repository))
    assert look(stripped, None).finding == "recovered"


def test_a_video_without_a_mark_is_read_once(entered, tmp_path, monkeypatch) -> None:
    """It looks like the one that was entered, as another video of the same portrait does."""
    monkeypatch.setattr(marking, "_recover", lambda *_: pytest.fail("read twice"))
    found = look(encode(list(scene(0)), tmp_path / "unmarked.mp4", 23), entered.repository)
    assert (found.finding, found.value, found.certainty, found.manifest) == ("none", None, "", None)


def test_what_only_looks_alike_is_no_mark_after_a_second_look(entered, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(marking, "HINT", 0.0)
    found = look(encode(list(scene(0)), tmp_path / "unmarked.mp4", 23), entered.repository)
    assert (found.finding, found.value, found.doubts, found.distance) == ("none", None, (), None)


def test_a_mark_in_a_file_that_is_gone_at_the_second_look_is_unknown(entered, stripped, monkeypatch) -> None:
    def gone(*_):
        raise MediaError("gone")

    monkeypatch.setattr(marking, "_recover", gone)
    assert look(stripped, entered.repository).finding == "unknown"


def test_a_repository_that_is_none_is_refused(stripped, tmp_path) -> None:
    with pytest.raises(UsageError, match="no repository"):
        look(stripped, tmp_path / "none.sqlite3")


def test_few_of_many_frames_are_taken_in() -> None:
    watch = MarkWatch(10 * FRAMES)
    for index, image in enumerate(scene(0, frames=10 * FRAMES, size=(32, 32))):
        watch.show(Frame(image, index / 25, index))
    assert watch.found(Path("a.mp4"), None, ()).frames == FRAMES


def test_without_a_frame_nothing_is_said() -> None:
    assert MarkWatch(32).found(Path("a.mp4"), None, ()) is None


def test_a_finding_says_that_a_mark_can_be_copied_wherever_one_was_read() -> None:
    assert {name for name, text in FINDINGS.items() if "copied" in text} == set(FINDINGS) - {"none"}


def test_json_is_rounded_and_tells_the_manifest() -> None:
    told = replace(ONE, statistic=20.123, distance=0.012345, seconds=0.123456).as_json()
    assert (told["statistic"], told["fingerprint_distance"], told["seconds"]) == (20.12, 0.0123, 0.1235)
    assert told["manifest"] is None
    manifest = replace(ONE, manifest=RecoveredFacts("urn", "untrusted", declares=("a",))).as_json()["manifest"]
    assert (manifest["id"], manifest["declares"], manifest["signer"]) == ("urn", ["a"], None)


@pytest.fixture
def keys_of_a_stranger(tmp_path) -> bytes:
    from provenance.pki.keys import development_keys

    return development_keys(tmp_path / "stranger").root_pem()
