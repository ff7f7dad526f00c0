"""`sfumato animate`: a sealed video that plays, consent, and one clear line for each fault with nothing left behind."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from provenance.verifying.verify import verify
from sfumato.app.cli.main import main
from sfumato.media.images import write_image
from sfumato.media.video import VideoReader
from tests.media_fixtures import cut_off, make_sound, make_video
from tests.portrait_fixtures import make_checkpoint, make_motion, portrait_picture, write_portrait


@pytest.fixture(scope="module")
def stock(tmp_path_factory) -> Path:
    """tiny.safetensors, nod.motion and me.png, a picture that is no shipped painting."""
    folder = tmp_path_factory.mktemp("stock")
    make_checkpoint(folder / "tiny.safetensors")
    make_checkpoint(folder / "other.safetensors", landmarks="face-alignment")
    make_motion(folder / "nod.motion", frames=4)
    write_portrait(folder / "me.png")
    return folder


def animate(stock: Path, *arguments: object, motion: object = None, checkpoint: object = None) -> int:
    options = [
        "--motion",
        motion or stock / "nod.motion",
        "--checkpoint",
        checkpoint or stock / "tiny.safetensors",
        "--size",
        64,
        "--device",
        "cpu",
    ]
    return main(["animate", *map(str, (*arguments, *options))])


def refused(capfd, code: int, expected: int, *words: str) -> None:
    """One error line that says the words, the exit code, nothing on stdout."""
    out, err = capfd.readouterr()
    lines = [line for line in err.splitlines() if line.startswith("Error: ")]
    assert code == expected, err
    assert len(lines) == 1
    assert "Traceback" not in err
    assert not out
    for word in words:
        assert word in lines[0]


def test_painting_moves_sealed(stock, tmp_path, capfd) -> None:
    output = tmp_path / "out.mp4"
    assert animate(stock, "mona-lisa", "-o", output, "--json") == 0
    record = json.loads(capfd.readouterr().out)
    with VideoReader(output) as video:
        frames = list(video)
        assert (video.info.width, video.info.height, video.info.codec) == (64, 64, "h264")
    assert len(frames) == record["frames"] == 4
    found = verify(output)
    assert found.outcome == record["outcome"] == "untrusted"
    assert found.declares == ("trainedAlgorithmicMedia",)
    assert found.development
    assert record["parameters"]["consent"].endswith("public domain")
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_the_warp_alone_is_sealed_too_and_cannot_be_tuned(stock, tmp_path, capfd) -> None:
    output = tmp_path / "out.mp4"
    assert animate(stock, "mona-lisa", "-o", output, "--json", checkpoint="landmark-warp") == 0
    assert json.loads(capfd.readouterr().out)["parameters"]["family"] == "landmark-warp"
    assert verify(output).declares == ("trainedAlgorithmicMedia",)
    tuned = animate(stock, "mona-lisa", "-o", tmp_path / "x.mp4", "--tune-seconds", 1, checkpoint="landmark-warp")
    refused(capfd, tuned, 2, "nothing to train")


def test_says_where_it_is_and_what_was_sealed(stock, tmp_path, capfd) -> None:
    assert animate(stock, "mona-lisa", "-o", tmp_path / "out.mp4", "--fps", 20, "--seconds", 0.2) == 0
    out = capfd.readouterr().out
    assert "out.mp4: 4 frames" in out
    assert "trainedAlgorithmicMedia" in out
    assert "development key" in out


def test_consent_is_required_and_sealed(stock, tmp_path, capfd) -> None:
    output = tmp_path / "out.mp4"
    refused(capfd, animate(stock, stock / "me.png", "-o", output), 2, "me.png", "--consent")
    assert not output.exists()
    assert animate(stock, stock / "me.png", "-o", output, "--consent", "my own picture") == 0
    assert verify(output).facts["parameters"]["consent"] == "my own picture"


def test_consent_is_asked_for_on_a_terminal(stock, tmp_path, capfd, monkeypatch) -> None:
    import sys

    import click

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(click, "prompt", lambda *_, **__: "it is me")
    assert animate(stock, stock / "me.png", "-o", tmp_path / "out.mp4") == 0
    assert verify(tmp_path / "out.mp4").facts["parameters"]["consent"] == "it is me"


def test_two_faces_takes_the_largest_and_says_so(stock, tmp_path, capfd) -> None:
    large, small = portrait_picture(400), portrait_picture(300)
    both = np.full((400, large.shape[1] + small.shape[1], 3), 60, np.uint8)
    both[:, : large.shape[1]], both[100:, large.shape[1] :] = large, small
    write_image(tmp_path / "both.png", both)
    assert animate(stock, tmp_path / "both.png", "-o", tmp_path / "a.mp4", "--consent", "test") == 0
    assert "2 faces; the largest was taken. --face N" in capfd.readouterr().err
    assert animate(stock, tmp_path / "both.png", "-o", tmp_path / "b.mp4", "--consent", "test", "--face", 2) == 0
    assert "largest" not in capfd.readouterr().err
    refused(
        capfd,
        animate(stock, tmp_path / "both.png", "-o", tmp_path / "c.mp4", "--consent", "test", "--face", 3),
        3,
        "2 face(s)",
        "--face 1 to 2",
    )


def _blank(folder: Path) -> Path:
    write_image(folder / "blank.png", np.full((200, 200, 3), 128, np.uint8))
    return folder / "blank.png"


def _tiny_face(folder: Path) -> Path:
    canvas = np.full((300, 300, 3), 90, np.uint8)
    small = portrait_picture(62)  # a face of about 20 px
    canvas[100 : 100 + small.shape[0], 100 : 100 + small.shape[1]] = small
    write_image(folder / "far.png", canvas)
    return folder / "far.png"


def _text(folder: Path) -> Path:
    (folder / "letter.jpg").write_text("no picture")
    return folder / "letter.jpg"


@pytest.mark.parametrize(
    ("make", "words"), [(_blank, ("blank.png", "face")), (_tiny_face, ("far.png",)), (_text, ("letter.jpg", "picture"))]
)
def test_portrait_faults(stock, tmp_path, capfd, make, words) -> None:
    portrait, output = make(tmp_path), tmp_path / "out" / "x.mp4"
    output.parent.mkdir()
    refused(capfd, animate(stock, portrait, "-o", output, "--consent", "test"), 3, *words)
    assert not list(output.parent.iterdir())


def _motion_faults(folder: Path) -> dict[str, Path]:
    (folder / "text.mp4").write_text("no video")
    (folder / "empty.mp4").write_bytes(b"")
    cut_off(make_video(folder / "whole.mp4"), folder / "cut.mp4")
    return {name: folder / f"{name}.mp4" for name in ("text", "empty", "cut", "whole", "sound")} | {
        "sound": make_sound(folder / "sound.mp4")
    }


@pytest.mark.parametrize(
    ("name", "word"),
    [("text", "not a video"), ("empty", "empty"), ("cut", "cut off"), ("whole", "No face"), ("sound", "no video")],
)
def test_motion_faults(stock, tmp_path, capfd, name, word) -> None:
    motion, output = _motion_faults(tmp_path)[name], tmp_path / "out" / "x.mp4"
    output.parent.mkdir()
    refused(capfd, animate(stock, "mona-lisa", "-o", output, motion=motion), 3, motion.name, word)
    assert not list(output.parent.iterdir())


def test_unknown_names(stock, tmp_path, capfd) -> None:
    refused(capfd, animate(stock, "nobody", "-o", tmp_path / "x.mp4"), 3, "nobody", "mona-lisa")
    refused(capfd, animate(stock, "mona-lisa", "-o", tmp_path / "x.mp4", checkpoint="none-such"), 3, "none-such")
    refused(
        capfd,
        animate(stock, "mona-lisa", "-o", tmp_path / "x.mp4", checkpoint=tmp_path / "gone.safetensors"),
        3,
        "gone.safetensors",
    )
    assert not list(tmp_path.iterdir())


def test_checkpoint_faults(stock, tmp_path, capfd) -> None:
    good = (stock / "tiny.safetensors").read_bytes()
    (tmp_path / "corrupt.safetensors").write_bytes(good[: len(good) // 2])
    output = tmp_path / "x.mp4"
    refused(capfd, animate(stock, "mona-lisa", "-o", output, checkpoint=tmp_path / "corrupt.safetensors"), 2, "damaged")
    refused(capfd, animate(stock, "mona-lisa", "-o", output, "--landmarks", "face-alignment"), 2, "--landmarks mesh")
    refused(
        capfd,
        animate(stock, "mona-lisa", "-o", output, "--landmarks", "mesh", checkpoint=stock / "other.safetensors"),
        2,
        "face-alignment",
    )
    assert not output.exists()


def test_output_faults(stock, tmp_path, capfd) -> None:
    refused(capfd, animate(stock, "mona-lisa", "-o", tmp_path / "x.gif"), 2, "mp4")
    refused(capfd, animate(stock, "mona-lisa", "-o", tmp_path / "gone" / "x.mp4"), 2, "Cannot write")
    refused(capfd, animate(stock, "mona-lisa", "-o", tmp_path), 2, str(tmp_path))
    video = make_video(tmp_path / "drive.mp4")
    before = video.read_bytes()
    refused(capfd, animate(stock, "mona-lisa", "-o", video, motion=video), 2, "also a source")
    assert video.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["drive.mp4"]


def test_read_only_folder(stock, tmp_path, capfd) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    if os.access(folder, os.W_OK):  # root may write everywhere, but not here
        folder = Path("/proc/self")
    refused(capfd, animate(stock, "mona-lisa", "-o", folder / "x.mp4"), 2, "Cannot write")


def test_fault_while_painting_leaves_nothing(stock, tmp_path, capfd, monkeypatch) -> None:
    from generator.rendering.animator import Animator
    from sfumato.errors import MediaError

    def fail(self, landmarks, size=None, gaze=None):
        raise MediaError("it broke", "Try again.")

    monkeypatch.setattr(Animator, "render", fail)
    (tmp_path / "x.mp4").write_bytes(b"an older file")
    refused(capfd, animate(stock, "mona-lisa", "-o", tmp_path / "x.mp4", "--overwrite"), 3, "it broke")
    assert (tmp_path / "x.mp4").read_bytes() == b"an older file"
    assert [path.name for path in tmp_path.iterdir()] == ["x.mp4"]
