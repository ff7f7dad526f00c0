"""A job: everything is found and hashed once before the work, and what cannot be is refused without a writer."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provenance.verifying.verify import verify
from sfumato.app.animation.config import AnimateConfig
from sfumato.app.animation.driver import find_driver
from sfumato.app.animation.gallery import PortraitFile
from sfumato.app.animation.job import AnimationJob
from sfumato.app.animation.studio import Studio
from sfumato.app.cli.main import main
from sfumato.errors import MediaError, OutputError, SealError, UsageError
from sfumato.media.clips import file_digest
from sfumato.media.video import GeneratedVideoWriter
from tests.portrait_fixtures import make_checkpoint, make_motion, write_portrait


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """Beside its checkpoint: me.png and nod.motion."""
    folder = tmp_path_factory.mktemp("job")
    write_portrait(folder / "me.png")
    make_motion(folder / "nod.motion", frames=3)
    return Studio(make_checkpoint(folder / "tiny.safetensors"))


def resolve(studio: Studio, output: Path, config: AnimateConfig | None = None, **asked: Any) -> AnimationJob:
    folder = studio.path.parent
    asked = {"consent": "it is me", **asked}
    driver = find_driver(asked.pop("motion", folder / "nod.motion"))
    return studio.job([PortraitFile(folder / "me.png")], driver, output, config, **asked)


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """How often the files of each name were hashed."""
    count, real = Counter[str](), hashlib.file_digest

    def digest(file: Any, *how: Any) -> Any:
        count[Path(file.name).name] += 1
        return real(file, *how)

    monkeypatch.setattr(hashlib, "file_digest", digest)
    yield count


@pytest.mark.parametrize("consent", [("--consent", "it is me"), ()])
def test_a_portrait_and_a_motion_are_hashed_once(
    studio: Studio, tmp_path: Path, hashed: Counter[str], monkeypatch: pytest.MonkeyPatch, consent: tuple[str, ...]
) -> None:
    import click

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr(click, "prompt", lambda *_, **__: "it is me")
    folder = studio.path.parent
    files = [folder / "me.png", "-m", folder / "nod.motion", "-o", tmp_path / "a.mp4", "--checkpoint", studio.path]
    assert main(["animate", *map(str, files), "--size", "64", "--device", "cpu", *consent]) == 0
    assert (hashed["me.png"], hashed["nod.motion"], hashed["tiny.safetensors"]) == (1, 1, 1)
    found = verify(tmp_path / "a.mp4").facts
    assert found is not None and found["portrait_digests"] == [file_digest(folder / "me.png")]
    assert found["motion_digest"] == file_digest(folder / "nod.motion")


def test_the_job_says_what_its_seal_will_say(studio: Studio, tmp_path: Path) -> None:
    job = resolve(studio, tmp_path / "a.mp4", AnimateConfig(size=64, seed=5))
    studio.run(job)
    assert verify(job.output).facts == job.assertion()


def test_a_wrong_output_is_refused_without_a_writer(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GeneratedVideoWriter, "__init__", lambda *_, **__: pytest.fail("a writer was built"))
    (tmp_path / "there.mp4").touch()
    (tmp_path / "folder.mp4").mkdir()
    for name, word in {
        "a.webm": "written as mp4",
        "gone/a.mp4": "Cannot write",
        "folder.mp4": "is a folder",
        "there.mp4": "exists already",
    }.items():
        with pytest.raises(OutputError, match=word):
            resolve(studio, tmp_path / name)
    with pytest.raises(OutputError, match="also a source"):
        resolve(studio, studio.path, overwrite=True)
    resolve(studio, tmp_path / "there.mp4", overwrite=True)


def test_what_is_missing_is_told_before_the_work(studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--consent"):
        resolve(studio, tmp_path / "a.mp4", consent=None)
    with pytest.raises(UsageError, match="without sound"):
        resolve(studio, tmp_path / "a.mp4", AnimateConfig(sound=True))
    with pytest.raises(MediaError, match=r"gone\.m4a does not exist"):
        resolve(studio, tmp_path / "a.mp4", AnimateConfig(sound_from=tmp_path / "gone.m4a"))
    with pytest.raises(UsageError, match="2 faces for 1"):
        resolve(studio, tmp_path / "a.mp4", AnimateConfig(faces=(1, 1)))


def test_keys_that_cannot_be_read_are_told_before_the_work(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "keys").write_text("no folder")
    monkeypatch.setenv("SFUMATO_KEYS", str(tmp_path / "keys"))
    with pytest.raises((SealError, OutputError)):
        resolve(Studio(studio.path), tmp_path / "a.mp4")
