"""`sfumato learn` and its person file: animated wherever the base is, the right to it recorded, and asked for where
that fails.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from generator.person.person_file import read_person, write_person
from provenance.verifying.verify import verify
from sfumato.app.animation.consent import recorded_here, right_to_person
from sfumato.app.cli.main import main
from sfumato.errors import UsageError
from sfumato.media.clips import file_digest
from sfumato.media.video import VideoReader
from tests.portrait_fixtures import make_checkpoint, make_motion, write_portrait


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """tiny.safetensors, nod.motion, me.png and me.person, learned from it."""
    folder = tmp_path_factory.mktemp("learn")
    make_checkpoint(folder / "tiny.safetensors")
    make_motion(folder / "nod.motion", frames=3)
    write_portrait(folder / "me.png")
    assert (
        learn(folder, folder / "me.png", "-o", folder / "me.person", "--consent", "it is me", "--tune-iterations", "3")
        == 0
    )
    return folder


def learn(stock: Path, *arguments: object) -> int:
    return main(["learn", *map(str, arguments), "--checkpoint", str(stock / "tiny.safetensors"), "--device", "cpu"])


def animate(stock: Path, *arguments: object, checkpoint: Path | None = None) -> int:
    fixed = [
        "-m",
        stock / "nod.motion",
        "--checkpoint",
        checkpoint or stock / "tiny.safetensors",
        "--size",
        "64",
        "--device",
        "cpu",
    ]
    return main(["animate", *map(str, (*arguments, *fixed))])


def refused(capfd: pytest.CaptureFixture[str], code: int, *words: str) -> None:
    error = capfd.readouterr().err
    assert code in (2, 3) and "Traceback" not in error
    for word in words:
        assert word in error


def test_a_learned_person_is_animated_and_the_seal_says_from_what(stock: Path, tmp_path: Path) -> None:
    assert animate(stock, stock / "me.person", "-o", tmp_path / "out.mp4") == 0
    found = verify(tmp_path / "out.mp4")
    assert found.outcome == "untrusted" and found.declares == ("trainedAlgorithmicMedia",)
    assert found.facts["parameters"]["consent"] == "it is me"
    assert found.facts["portrait_digests"] == [file_digest(stock / "me.png")]
    assert found.facts["parameters"]["person"] == file_digest(stock / "me.person")
    with VideoReader(tmp_path / "out.mp4") as video:
        frames = [frame.image.astype(float) for frame in video]
    assert len(frames) == 3 and frames[0].std() > 20
    assert animate(stock, stock / "me.png", "-o", tmp_path / "direct.mp4", "--consent", "it is me") == 0
    with VideoReader(tmp_path / "direct.mp4") as video:
        direct = [frame.image.astype(float) for frame in video]
    assert np.abs(np.stack(frames) - np.stack(direct)).mean() < 8  # the same person, tuned a little


def test_a_person_of_two_pictures_is_animated(stock: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pictures, out = (stock / "me.png", stock / "me.png"), tmp_path / "two.person"
    assert learn(stock, *pictures, "-o", out, "--consent", "it is me", "--tune-iterations", "0") == 0
    assert animate(stock, out, "-o", tmp_path / "two.mp4") == 0
    assert capfd.readouterr().err.count("faces") == 0


def test_it_says_what_it_learned(stock: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = (
        stock / "me.png",
        stock / "me.png",
        "-o",
        tmp_path / "x.person",
        "--consent",
        "me",
        "--tune-iterations",
        "0",
    )
    assert learn(stock, *arguments) == 0
    assert "2 picture(s), not tuned" in capfd.readouterr().out
    content = read_person(tmp_path / "x.person")
    assert content.facts.consent == "me" and len(content.pictures) == 2 and not content.delta
    refused(capfd, learn(stock, *arguments), "exists already", "--overwrite")
    assert learn(stock, *arguments, "--overwrite") == 0


def test_faults_are_found_before_the_work(stock: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    refused(capfd, learn(stock, stock / "me.png", "-o", tmp_path / "x.pkl", "--consent", "me"), ".person")
    refused(
        capfd, learn(stock, stock / "me.png", "-o", tmp_path / "gone" / "x.person", "--consent", "me"), "Cannot write"
    )
    refused(capfd, learn(stock, stock / "me.png", "-o", tmp_path / "x.person"), "--consent")
    refused(capfd, learn(stock, stock / "me.person", "-o", tmp_path / "x.person"), "has been learned")
    refused(capfd, animate(stock, stock / "me.person", stock / "me.png", "-o", tmp_path / "x.mp4"), "stands alone")
    for option in (("--paste-back",), ("--face", "1"), ("--tune-iterations", "5")):
        refused(
            capfd, animate(stock, stock / "me.person", "-o", tmp_path / "x.mp4", *option), "the pictures themselves"
        )
    assert not list(tmp_path.iterdir())


def test_another_base_is_refused(stock: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from generator.networks.checkpoint import load_checkpoint, save_checkpoint

    save_checkpoint(
        tmp_path / "again.safetensors", load_checkpoint(stock / "tiny.safetensors")
    )  # in 32 bits: another file
    refused(
        capfd,
        animate(stock, stock / "me.person", "-o", tmp_path / "x.mp4", checkpoint=tmp_path / "again.safetensors"),
        "learned on",
    )
    assert not (tmp_path / "x.mp4").exists()


def test_a_changed_record_of_consent_counts_for_nothing(
    stock: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    content = read_person(stock / "me.person")
    assert recorded_here(content)
    for name, changed in {
        "another statement": replace(content, facts=replace(content.facts, consent="shipped painting, public domain")),
        "another person": replace(content, pictures=content.pictures[:1], psi=content.psi + 1),
        "no signature": replace(content, signature=b""),
        "another signature": replace(content, signature=bytes(64)),
    }.items():
        assert not recorded_here(changed), name
        write_person(tmp_path / "x.person", changed)
        refused(
            capfd, animate(stock, tmp_path / "x.person", "-o", tmp_path / "x.mp4"), "record of consent", "--consent"
        )
        assert not (tmp_path / "x.mp4").exists()
    assert animate(stock, tmp_path / "x.person", "-o", tmp_path / "x.mp4", "--consent", "asked again") == 0
    assert verify(tmp_path / "x.mp4").facts["parameters"]["consent"] == "asked again"


def test_on_another_machine_the_right_is_asked_for_again(
    stock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = read_person(stock / "me.person")
    assert right_to_person(stock / "me.person", content, None) == "it is me"
    monkeypatch.setenv("SFUMATO_KEYS", str(tmp_path / "keys"))
    with pytest.raises(UsageError, match="not made on this machine"):
        right_to_person(stock / "me.person", content, None)
    assert right_to_person(stock / "me.person", content, "she agreed") == "she agreed"


def test_an_empty_record_counts_for_nothing_even_signed(stock: Path) -> None:
    from sfumato.app.animation.consent import with_record

    content = read_person(stock / "me.person")
    empty = with_record(replace(content, facts=replace(content.facts, consent=" ")))
    assert recorded_here(empty)
    with pytest.raises(UsageError, match="--consent"):
        right_to_person(stock / "me.person", empty, None)


def test_a_family_without_a_network_learns_a_person_too(
    stock: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fixed = ["--checkpoint", "landmark-warp", "--device", "cpu"]
    assert main(["learn", str(stock / "me.png"), "-o", str(tmp_path / "x.person"), "--consent", "me", *fixed]) == 0
    assert "not tuned" in capfd.readouterr().out
    out = ["-o", str(tmp_path / "x.mp4"), "-m", str(stock / "nod.motion"), "--size", "64"]
    assert main(["animate", str(tmp_path / "x.person"), *out, *fixed]) == 0
