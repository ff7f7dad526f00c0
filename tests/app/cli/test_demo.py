"""`sfumato demo`: end to end with a tiny generator and a tiny detector; nothing is made when a part is missing."""

from pathlib import Path

import pytest

from provenance.verifying.verify import verify
from sfumato.app.cli.main import main
from sfumato.media.video import VideoReader
from tests.review_fixtures import data_of


def demo(demo_stock: Path, out: Path, *more: object) -> int:
    motions = ["--motion", demo_stock / "calm.motion", "--motion", demo_stock / "lively.motion"]
    usual = {"--checkpoint": demo_stock / "tiny.safetensors", "--model": demo_stock / "detector", "--device": "cpu"}
    parts = [each for option, value in usual.items() if option not in more for each in (option, value)]
    return main(["demo", *map(str, ("--output", out, *motions, *parts, *more))])


def test_demo_end_to_end_and_again(demo_stock, tmp_path, capfd) -> None:
    out = tmp_path / "a" / "demo"
    expected = {"mona-lisa-calm.mp4", "mona-lisa-lively.mp4", "contact-sheet.png", "report.html"}
    for _ in range(2):
        assert demo(demo_stock, out) == 0
        assert {path.name for path in out.iterdir()} == expected
    said = capfd.readouterr().out
    assert "synthetic-claimed" in said
    assert said.count("without its credential: synthetic-recovered") == 4
    assert "its watermark leads back to urn:" in said
    assert f"Look at it in a browser: {out / 'report.html'}" in said
    for name, frames in (("mona-lisa-calm.mp4", 4), ("mona-lisa-lively.mp4", 6)):
        found = verify(out / name)
        assert (found.outcome, found.declares) == ("untrusted", ("trainedAlgorithmicMedia",))
        with VideoReader(out / name) as video:
            assert sum(1 for _ in video) == frames
    page = (out / "report.html").read_text(encoding="utf-8")
    assert 'src="mona-lisa-calm.mp4"' in page
    assert "Leonardo da Vinci" in page
    shown = data_of(out / "report.html")["entries"]
    assert [len(entry["heat"]) for entry in shown] == [3, 3]
    assert all(entry["record"]["explain"]["words"].startswith("Evidence of ") for entry in shown)
    assert all(entry["stripped"]["verdict"] == "synthetic-recovered" for entry in shown)
    assert all(entry["stripped"]["watermark"]["manifest"]["id"].startswith("urn:") for entry in shown)


@pytest.mark.parametrize(
    ("options", "word", "code"),
    [
        (("--checkpoint", "none-such"), "none-such", 3),
        (("--motion", "none-such"), "none-such", 3),
        (("--portrait", "nobody"), "nobody", 2),
    ],
)
def test_missing_part_makes_nothing(demo_stock, tmp_path, capfd, options, word, code) -> None:
    assert demo(demo_stock, tmp_path / "demo", *options) == code
    err = capfd.readouterr().err
    assert word in err
    assert not (tmp_path / "demo").exists()


def test_no_demo_without_a_judge(demo_stock, tmp_path, capfd) -> None:
    (tmp_path / "empty").mkdir()
    assert demo(demo_stock, tmp_path / "demo", "--model", tmp_path / "empty") == 2
    assert "detector" in capfd.readouterr().err
    assert not (tmp_path / "demo").exists()


def test_two_motions_of_one_name(demo_stock, tmp_path, capfd) -> None:
    assert demo(demo_stock, tmp_path / "demo", "--motion", demo_stock / "calm.motion") == 2
    assert "same name" in capfd.readouterr().err


def test_folder_that_cannot_be_made(demo_stock, tmp_path, capfd) -> None:
    (tmp_path / "file").write_text("")
    assert demo(demo_stock, tmp_path / "file" / "demo") == 2
    assert "--output" in capfd.readouterr().err
