"""The writer of generated video: what comes out plays, and nothing comes out unsealed, half-written or over a
source.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from provenance.manifests.soft_binding import SoftBinding
from provenance.signing.seal import development_signer
from provenance.signing.sign import sign_generated
from sfumato.errors import OutputError, SealError, UsageError
from sfumato.media.video import GeneratedFacts, GeneratedVideoWriter, VideoReader
from sfumato.media.video import private_folder as private_folder_module
from tests.media_fixtures import FRAMES, HEIGHT, KEYS, WIDTH, make_video, mark_seal, picture
from tests.writer_fixtures import FACTS, write, writer

pytestmark = pytest.mark.usefixtures("own_temporary_folder")


@pytest.mark.parametrize("rate", [10, 24, 25, 29.97, 60])
def test_what_is_written_is_read(tmp_path: Path, rate: float) -> None:
    with VideoReader(write(tmp_path / "a.mp4", rate=rate, crf=10)) as video:
        frames = list(video)
    assert [frame.time for frame in frames] == pytest.approx([i / rate for i in range(FRAMES)], abs=1e-4)
    assert video.info.duration == pytest.approx(FRAMES / rate, abs=1e-3)
    assert max(float(np.abs(frame.image.astype(int) - picture(frame.index)).mean()) for frame in frames) < 8
    assert not video.truncated


def test_frames_keep_the_times_they_are_given(tmp_path: Path) -> None:
    times = [2 + i * i * 0.01 for i in range(FRAMES)]
    with VideoReader(write(tmp_path / "a.mp4", times=times)) as video:
        assert [frame.time for frame in video] == pytest.approx([time - 2 for time in times], abs=1e-4)
    assert video.info.duration == pytest.approx(times[-1] - 2 + 1 / 25, abs=1e-3)


def test_the_file_plays_in_a_browser(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4")
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt, context.width, context.height) == ("h264", "yuv420p", WIDTH, HEIGHT)
        assert (int(context.colorspace), int(context.color_range)) == (1, 1)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_colours_survive(tmp_path: Path) -> None:
    flat = np.full((HEIGHT, WIDTH, 3), (200, 40, 90), np.uint8)
    with writer(tmp_path / "a.mp4", crf=5) as video:
        video.write(flat)
    with VideoReader(tmp_path / "a.mp4") as read:
        assert np.abs(next(iter(read)).image.astype(int) - flat).max() <= 3


def test_nothing_but_the_sealed_file_is_left(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
    assert b"c2pa.hash.bmff" in (tmp_path / "a.mp4").read_bytes()


def test_the_seal_gets_a_private_finished_file_and_the_facts(tmp_path: Path, own_temporary_folder: Path) -> None:
    seen: list[Any] = []

    def seal(unsealed: Path, destination: Path, facts: GeneratedFacts) -> None:
        with VideoReader(unsealed) as video:
            seen.extend([len(list(video)), facts, destination.parent.parent])
        assert unsealed.parent.parent == own_temporary_folder
        for file in (unsealed, destination):
            assert file.parent.stat().st_mode & 0o777 == 0o700
        assert not (tmp_path / "a.mp4").exists()
        mark_seal(unsealed, destination, facts)

    write(tmp_path / "a.mp4", seal=seal)
    assert seen == [FRAMES, FACTS, tmp_path]


def _raise(error: BaseException) -> Any:
    def seal(unsealed: Path, destination: Path, facts: Any) -> None:
        mark_seal(unsealed, destination, facts)
        raise error

    return seal


def _copy(unsealed: Path, destination: Path, facts: Any) -> None:
    shutil.copyfile(unsealed, destination)


FAILING = [
    _raise(SealError("no key")),
    _raise(RuntimeError("broken")),
    _raise(OSError(5, "I/O")),
    _copy,
    lambda *_: None,
]


@pytest.mark.parametrize("seal", FAILING)
def test_a_seal_that_fails_leaves_the_old_file(tmp_path: Path, seal: Any) -> None:
    (tmp_path / "a.mp4").write_bytes(b"old")
    with pytest.raises(SealError):
        write(tmp_path / "a.mp4", seal=seal)
    assert (tmp_path / "a.mp4").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_an_interrupted_seal_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "a.mp4", seal=_raise(KeyboardInterrupt()))
    assert list(tmp_path.iterdir()) == []


def test_there_is_no_writing_without_a_seal(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="seal"):
        GeneratedVideoWriter(tmp_path / "a.mp4", width=WIDTH, height=HEIGHT, rate=25, facts=FACTS)  # type: ignore[call-arg]
    with pytest.raises(SealError, match="needs a seal"):
        writer(tmp_path / "a.mp4", seal=None)


def test_an_error_while_generating_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="model"), writer(tmp_path / "a.mp4") as video:
        video.write(picture(0))
        raise RuntimeError("the model failed")
    assert list(tmp_path.iterdir()) == []


def test_a_video_of_no_frames_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No frame"):
        write(tmp_path / "a.mp4", frames=0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((HEIGHT, WIDTH, 3), np.float32),
        np.zeros((WIDTH, HEIGHT, 3), np.uint8),
        np.zeros((HEIGHT, WIDTH), np.uint8),
        [[0]],
        None,
    ],
)
def test_frames_of_another_shape_or_type_are_refused(tmp_path: Path, image: Any) -> None:
    with pytest.raises(ValueError, match=r"uint8 \(48, 64, 3\)"), writer(tmp_path / "a.mp4") as video:
        video.write(image)


@pytest.mark.parametrize("times", [[0.0, 0.0], [1.0, 0.5], [0.0, None], [None, 0.1], [0.0, float("nan")]])
def test_times_must_increase_and_be_given_for_all_or_none(tmp_path: Path, times: list[float | None]) -> None:
    with pytest.raises(ValueError), writer(tmp_path / "a.mp4") as video:
        for time_ in times:
            video.write(picture(0), time_)


def test_frames_are_written_inside_the_block_only(tmp_path: Path) -> None:
    video = writer(tmp_path / "a.mp4")
    with pytest.raises(ValueError, match="inside"):
        video.write(picture(0))


@pytest.mark.parametrize(
    "changes", [{"width": 63}, {"height": 0}, {"width": 9000}, {"rate": 0}, {"rate": float("nan")}, {"crf": 52}]
)
def test_impossible_settings_are_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        writer(tmp_path / "a.mp4", **changes)


@pytest.mark.parametrize("changes", [{"title": " "}, {"model_name": ""}, {"model_digest": "abc"}])
def test_facts_must_say_something(changes: dict[str, Any]) -> None:
    known = {"title": "t", "model_name": "m", "model_digest": "0" * 64, "seed": 0, "portraits": (), "motion_digest": ""}
    with pytest.raises(ValueError):
        GeneratedFacts(**{**known, **changes})


@pytest.mark.parametrize("name", ["a.avi", "a", "a.webm", "none/a.mp4"])
def test_impossible_destinations_are_refused_before_any_work(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError):
        writer(tmp_path / name)
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(OutputError, match="folder"):
        writer(tmp_path / "folder.mp4")


def test_a_source_is_never_overwritten(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mp4", sound="aac")
    (tmp_path / "link.mp4").symlink_to(source)
    (tmp_path / "hard.mp4").hardlink_to(source)
    for name in ("a.mp4", "link.mp4", "hard.mp4"):
        with pytest.raises(OutputError, match="source"):
            writer(tmp_path / name, audio_from=source)
        facts = GeneratedFacts("t", "m", "0" * 64, 0, (source,), "")
        with pytest.raises(OutputError, match="source"):
            writer(tmp_path / name, facts=facts)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="Cannot write"):
            writer(tmp_path / "a.mp4")
    finally:
        tmp_path.chmod(0o700)


def test_a_full_disk_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sfumato.media.video import writer as module

    full = shutil.disk_usage(tmp_path)._replace(free=100)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: full)
    with pytest.raises(OutputError, match="disk is full"):
        write(tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def _full_disk(unsealed: Path, destination: Path, facts: Any) -> None:
    try:
        raise OSError(errno.ENOSPC, "No space left on device", "inside")
    except OSError as error:
        raise SealError("could not write") from error


def test_a_disk_that_fills_up_while_sealing_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"a\.mp4: the disk is full"):
        write(tmp_path / "a.mp4", seal=_full_disk)
    assert list(tmp_path.iterdir()) == []


FILE_LIMIT = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from sfumato.errors import OutputError
from sfumato.media.video import GeneratedFacts, GeneratedVideoWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
noise = np.random.default_rng(0)
facts = GeneratedFacts("t", "m", "0" * 64, 0, (), "")
try:
    with GeneratedVideoWriter(Path(sys.argv[1]), width=256, height=256, rate=25, seal=print, facts=facts) as video:
        for _ in range(30):
            video.write(noise.integers(0, 256, (256, 256, 3), np.uint8))
except OutputError as error:
    print("OutputError:", error)
"""


def test_a_disk_that_fills_up_while_encoding_leaves_nothing(tmp_path: Path, own_temporary_folder: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(own_temporary_folder)}
    command = [sys.executable, "-c", FILE_LIMIT, str(tmp_path / "a.mp4")]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("OutputError: Cannot encode")
    assert list(tmp_path.iterdir()) == []


KILLED = """
import sys, time
from pathlib import Path
import numpy as np
from sfumato.media.video import GeneratedFacts, GeneratedVideoWriter
facts = GeneratedFacts("t", "m", "0" * 64, 0, (), "")
with GeneratedVideoWriter(Path(sys.argv[1]), width=64, height=48, rate=25, seal=print, facts=facts) as video:
    video.write(np.zeros((48, 64, 3), np.uint8))
    print("ready", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_process_left_is_removed_by_the_next(
    tmp_path: Path, own_temporary_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {**os.environ, "TMPDIR": str(own_temporary_folder)}
    command = [sys.executable, "-c", KILLED, str(tmp_path / "a.mp4")]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        monkeypatch.setattr(private_folder_module, "_GRACE", 0.0)
        time.sleep(0.01)
        private_folder_module.remove_abandoned()
        assert len(list(own_temporary_folder.iterdir())) == 1  # its owner runs: not ours to touch
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(list(own_temporary_folder.iterdir())) == 1
    write(tmp_path / "b.mp4")
    assert list(own_temporary_folder.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["b.mp4"]


class _Recorder:
    """A seal for any number of videos: its frames get a white corner."""

    def __init__(self) -> None:
        self.binding = SoftBinding("org.example.corner", b"whitened")
        self.calls: list[tuple[float, object]] = []
        self.begun: list[GeneratedFacts] = []

    def begin(self, facts: GeneratedFacts) -> _Recorder:
        self.begun.append(facts)
        return self

    def mark(self, image, time, faces=None):
        self.calls.append((time, faces))
        changed = image.copy()
        changed[:16, :16] = 255
        return changed

    def __call__(self, unsealed, destination, facts) -> None:
        sign_generated(unsealed, destination, facts, development_signer(KEYS), self.binding)


def test_a_seal_that_marks_gets_every_frame_before_it_is_encoded(tmp_path: Path) -> None:
    seal, image = _Recorder(), np.zeros((48, 64, 3), np.uint8)
    with GeneratedVideoWriter(tmp_path / "a.mp4", width=64, height=48, rate=10, seal=seal, facts=FACTS) as video:
        for index in range(3):
            video.write(image, index / 10, [(1.0, 2.0, 3.0, 4.0)] if index else None)
    assert [round(time, 3) for time, _ in seal.calls] == [0.0, 0.1, 0.2]
    assert [faces for _, faces in seal.calls] == [None, [(1.0, 2.0, 3.0, 4.0)], [(1.0, 2.0, 3.0, 4.0)]]
    assert seal.begun == [FACTS]
    assert not image.any()  # the caller's frame is left alone
    for frame in VideoReader(tmp_path / "a.mp4"):
        assert frame.image[2:14, 2:14].mean() > 230
        assert frame.image[24:, 32:].mean() < 20
