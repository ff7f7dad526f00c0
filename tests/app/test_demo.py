"""The demo: each video is checked once, its stripped copy is judged beside it, and the report is written last."""

from pathlib import Path

import pytest

from detector.inference.video_detector import VideoDetector
from generator.rendering.animator import Animator
from sfumato.app.animation.gallery import shipped_portraits
from sfumato.app.animation.studio import Studio
from sfumato.app.demo import DemoResult, make_demo
from sfumato.app.scan import scanner as scanning
from sfumato.app.scan.scanner import Scanner
from sfumato.errors import MediaError


def make(stock: Path, folder: Path) -> DemoResult:
    scanner = Scanner(frames=4, detector=VideoDetector(stock / "detector"))
    portrait, motions = shipped_portraits()["mona-lisa"], [stock / "calm.motion"]
    return make_demo(folder, portrait, motions, Studio(stock / "tiny.safetensors"), scanner)


def test_a_video_and_its_copy_are_verified_once_each(demo_stock, tmp_path, monkeypatch) -> None:
    verify, seen = scanning.verify, []
    monkeypatch.setattr(
        scanning, "verify", lambda path, *more, **how: seen.append(path.name) or verify(path, *more, **how)
    )
    (clip,) = make(demo_stock, tmp_path).clips
    assert seen == ["mona-lisa-calm.mp4", "re-encoded.mp4"]
    assert clip.verification.outcome == clip.scan.credentials.outcome == "untrusted"
    assert clip.stripped.credentials.outcome == "none"
    assert clip.heat is not None


def test_report_is_last(demo_stock, tmp_path, monkeypatch) -> None:
    """A run that fails midway leaves no report that would describe other files."""
    assert make(demo_stock, tmp_path).report.exists()

    def fail(self, landmarks, size=None, gaze=None):
        raise MediaError("it broke")

    monkeypatch.setattr(Animator, "render", fail)
    with pytest.raises(MediaError):
        make(demo_stock, tmp_path)
    assert not (tmp_path / "report.html").exists()
    assert (tmp_path / "mona-lisa-calm.mp4").exists()  # the old one, whole
