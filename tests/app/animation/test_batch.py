"""Many portraits times many motions: all pairs, bad ones listed, finished ones kept, others never overwritten
unasked.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from provenance.verifying.verify import verify
from sfumato.app.animation.batch import animate_all, find_motions, find_portraits
from sfumato.app.animation.config import AnimateConfig
from sfumato.app.animation.driver import Driver
from sfumato.app.animation.studio import Studio
from sfumato.app.cli.main import main
from sfumato.errors import UsageError
from sfumato.media.images import write_image
from tests.portrait_fixtures import make_checkpoint, make_motion, write_portrait


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """tiny.safetensors; faces/ with two portraits and a letter; motions/ with nod and talk."""
    folder = tmp_path_factory.mktemp("batch")
    make_checkpoint(folder / "tiny.safetensors")
    for name in ("faces", "motions"):
        (folder / name).mkdir()
    for name, height in (("anna", 300), ("ben", 330)):
        write_portrait(folder / "faces" / f"{name}.png", height)
    (folder / "faces" / "notes.txt").write_text("no portrait")
    for name, frames in (("nod", 3), ("talk", 2)):
        make_motion(folder / "motions" / f"{name}.motion", frames)
    return folder


def batch(stock: Path, out: Path, *arguments: object, portraits: object = None, size: int = 64) -> int:
    fixed = ["--checkpoint", stock / "tiny.safetensors", "--size", size, "--device", "cpu", "--consent", "they agreed"]
    words = ["animate", portraits or stock / "faces", "-m", stock / "motions", "--each", "-o", out, *fixed, *arguments]
    return main([str(word) for word in words])


def test_every_pair_is_made_and_what_is_done_is_kept(
    stock: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert batch(stock, out) == 0
    videos = sorted(path.name for path in out.glob("*.mp4"))
    assert videos == ["anna-nod.mp4", "anna-talk.mp4", "ben-nod.mp4", "ben-talk.mp4"]
    assert all(verify(out / name).outcome == "untrusted" for name in videos)
    assert (out / "contact-sheet.png").is_file()
    assert "4 made, 0 kept, 0 left out" in capfd.readouterr().out
    before = {name: (out / name).stat().st_mtime_ns for name in videos[1:]}
    (out / videos[0]).unlink()
    assert batch(stock, out) == 0
    assert "1 made, 3 kept, 0 left out" in capfd.readouterr().out
    assert {name: (out / name).stat().st_mtime_ns for name in videos[1:]} == before


def test_a_bad_portrait_is_listed_and_the_rest_is_made(
    stock: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    faces = tmp_path / "faces"
    faces.mkdir()
    write_image(faces / "blank.png", np.full((200, 200, 3), 128, np.uint8))
    (faces / "letter\x1b.jpg").write_text("no picture")
    write_portrait(faces / "zoe.png")
    assert batch(stock, tmp_path / "out", portraits=faces) == 1
    shown = capfd.readouterr()
    assert "2 made, 0 kept, 4 left out" in shown.out
    assert (
        "Left out blank-nod.mp4: No face" in shown.err
        and "letter\\x1b-nod.mp4" in shown.err
        and "\x1b" not in shown.err
    )
    assert sorted(path.name for path in (tmp_path / "out").glob("*.mp4")) == ["zoe-nod.mp4", "zoe-talk.mp4"]


def test_what_was_made_otherwise_or_by_others_is_not_overwritten_unasked(
    stock: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    one = ("--seconds", "0.1")
    portrait = stock / "faces" / "anna.png"
    assert batch(stock, tmp_path, *one, portraits=portrait) == 0
    (tmp_path / "anna-nod.mp4").write_text("somebody's notes")
    made = (tmp_path / "anna-talk.mp4").read_bytes()
    capfd.readouterr()
    assert batch(stock, tmp_path, *one, "--strength", "0.5", "--json", portraits=portrait) == 1
    states = [json.loads(line)["state"] for line in capfd.readouterr().out.splitlines()]
    assert states == ["failed", "failed"]
    assert (tmp_path / "anna-nod.mp4").read_text() == "somebody's notes" and (
        tmp_path / "anna-talk.mp4"
    ).read_bytes() == made
    assert batch(stock, tmp_path, *one, "--strength", "0.5", "--overwrite", portraits=portrait) == 0
    assert verify(tmp_path / "anna-nod.mp4").facts["parameters"]["strength"] == 0.5


def test_a_person_is_learned_once_and_a_motion_read_once(
    stock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sfumato.app.animation import studio as module

    studio, read, shares = Studio(stock / "tiny.safetensors"), list[Driver](), list[float]()
    reader = module.read_driver
    monkeypatch.setattr(module, "read_driver", lambda driver, *rest: (read.append(driver), reader(driver, *rest))[1])
    learned = list[int]()
    setter = studio.animator.set_identity
    monkeypatch.setattr(studio.animator, "set_identity", lambda portraits: (learned.append(1), setter(portraits))[1])
    pairs = find_portraits([str(stock / "faces")]), find_motions([str(stock / "motions")])
    outcomes = list(animate_all(studio, *pairs, tmp_path, AnimateConfig(size=64), "they agreed", advance=shares.append))
    assert [outcome.state for outcome in outcomes] == ["made"] * 4
    assert len(learned) == 2 and len(read) == 2
    assert sum(shares) == pytest.approx(4) and len(shares) > 8  # progress goes on within a video


def test_requests_that_make_no_sense(stock: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="camera"):
        find_motions(["0"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="nothing of the kind"):
        find_portraits([str(tmp_path / "empty")])
    faces = stock / "faces"
    for arguments, word in (
        ((faces, "-m", "x.mp4", "-o", tmp_path / "x.mp4"), "--each"),
        ((faces / "anna.png", "-m", "a", "-m", "b", "-o", tmp_path / "x.mp4"), "--each"),
        ((faces / "anna.png", "-m", "a"), "--output"),
        ((faces / "anna.png", faces, "-m", stock / "motions", "--each", "-o", tmp_path / "twice"), "anna-nod.mp4"),
    ):
        assert (
            main(["animate", *map(str, arguments), "--checkpoint", str(stock / "tiny.safetensors"), "--device", "cpu"])
            == 2
        )
        assert word in capfd.readouterr().err
    assert not list(tmp_path.glob("*.mp4")) and not (tmp_path / "twice").exists()


def test_of_a_folder_every_kind_of_portrait_and_motion_counts_but_nothing_below_or_hidden(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    wanted = ["a.JPG", "b.person", "c.jp2", "d.motion", "e.ogv"]
    for name in (*wanted, ".f.png", "below/g.png", "below/h.mp4", "contact-sheet.png", "notes.txt"):
        (tmp_path / name).touch()
    passed_over = Counter[str]()
    portraits, motions = find_portraits([str(tmp_path)], passed_over), find_motions([str(tmp_path)])
    assert passed_over == {"hidden": 1, "in folders below": 1, ".motion": 1, ".mp4": 1, ".ogv": 1, ".txt": 1}
    assert [path.name for path in portraits] == wanted[:3]
    assert [driver.path.name for driver in motions if driver.path] == wanted[3:]
