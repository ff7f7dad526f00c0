"""Reading in several processes: the same shards as in one, a dead reader costs its file only, an interruption leaves
nothing behind.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from generator.data.footage import Source
from generator.data.prepare import prepare, read_journal
from generator.data.reading import NO_FACE, PrepareConfig
from generator.data.workers import CRASHED, UNREADABLE, ReadResult, Task, read, read_all
from sfumato.errors import OutputError, UsageError
from sfumato.media.images import write_image
from tests.generator_fixtures import close_up, moving, portrait
from tests.media_fixtures import make_video

SMALL = PrepareConfig(size=64, frames=4)
WAIT = 120.0  # seconds, for a machine that is busy


@dataclass(frozen=True)
class Deadly(Source):
    """A file whose reader dies: the process that unpickles it ends."""

    def __reduce__(self) -> Any:
        return os._exit, (9,)


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("footage")
    for name in ("mona-lisa", "la-velata", "lady-agnew"):
        write_image(folder / f"{name}.png", portrait(name))
    (folder / "text.mp4").write_text("no video")
    make_video(folder / "astronaut.mp4", frames=4, width=256, height=256, images=moving(close_up(), 4))
    return folder


def shards(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "shards").iterdir()}


def tasks(out: Path, *sources: Source) -> Iterator[Task]:
    return (Task(i, source, f"{i:064x}", out / f"{i}.parquet") for i, source in enumerate(sources))


def test_two_processes_make_what_one_makes(footage: Path, tmp_path: Path) -> None:
    one, two = (prepare([footage], tmp_path / str(n), SMALL, workers=n) for n in (1, 2))
    assert one == two
    assert shards(tmp_path / "1") == shards(tmp_path / "2")
    lines = [sorted(read_journal(tmp_path / n), key=lambda line: line["path"]) for n in "12"]
    assert lines[0] == lines[1]


def test_a_reader_that_dies_costs_its_file_only(tmp_path: Path) -> None:
    write_image(tmp_path / "grey.png", np.full((64, 64, 3), 128, np.uint8))
    both = tasks(tmp_path, Deadly(Path("bomb.mp4")), Source(tmp_path / "grey.png"))
    found = sorted(read_all(both, SMALL, 2), key=lambda outcome: outcome.task.number)
    assert [outcome.reason for outcome in found] == [CRASHED, NO_FACE]
    assert "bomb.mp4: its process ended with 9" in found[0].refused


def test_what_no_file_can_be_read_with_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="dots"):
        list(read_all(tasks(tmp_path, Source(tmp_path / "a.png")), PrepareConfig(landmarks="dots"), 2))


class Failing:
    """A reader to which something happens."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def prepare_file(self, *arguments: Any) -> Any:
        raise self.error


def outcome(error: Exception) -> ReadResult:
    return read(Failing(error), Task(0, Source(Path("a.mp4")), "0" * 64, Path("x.parquet")))  # type: ignore[arg-type]


def test_an_error_of_a_library_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    failing = Failing(ValueError("Expected 3 channels"))
    monkeypatch.setattr("generator.data.workers.Preparer", lambda config: failing)
    (found,) = read_all(tasks(Path(), Source(Path("a.mp4"))), SMALL, 1)
    assert (found.reason, found.refused) == (UNREADABLE, "a.mp4: ValueError: Expected 3 channels")


def test_a_full_disk_is_not_taken_for_a_bad_file() -> None:
    with pytest.raises(OutputError):
        outcome(OutputError("The disk is full"))


def test_one_process_leaves_the_number_of_threads_as_it_was(footage: Path, tmp_path: Path) -> None:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        outcomes = read_all(tasks(tmp_path, Source(footage / "mona-lisa.png")), SMALL, 1)
        next(outcomes)
        assert torch.get_num_threads() == 1
        outcomes.close()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def box(number: int) -> bytes:
    """Something at the end of an MP4 file that no reader looks at, so that a copy is another file (ISO 14496-12)."""
    return b"\0\0\0\x0cfree" + number.to_bytes(4, "big")


def group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
def test_an_interrupted_run_leaves_nothing_half_written_and_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "footage"
    folder.mkdir()
    make_video(folder / "0.mp4", frames=8, width=256, height=256, images=moving(close_up(), 8))
    for i in range(1, 60):  # so many that the run is not done when it is interrupted, on any machine
        (folder / f"{i}.mp4").write_bytes((folder / "0.mp4").read_bytes() + box(i))
    command = [
        sys.executable,
        "-m",
        "sfumato",
        "prepare",
        str(folder),
        "-o",
        str(tmp_path / "set"),
        "--workers",
        "2",
        "--no-report",
    ]
    process = subprocess.Popen(
        command, start_new_session=True, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    end = time.monotonic() + WAIT
    while (  # a file counts as read once the journal has it
        not read_journal(tmp_path / "set") and process.poll() is None and time.monotonic() < end
    ):
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: every process of the group gets it
    _, errors = process.communicate(timeout=WAIT)
    assert process.returncode == 130 and "interrupted" in errors and "Traceback" not in errors
    while group_lives(process.pid):
        assert time.monotonic() < end, "a process is left"
        time.sleep(0.05)
    left = list((tmp_path / "set" / "shards").iterdir())
    assert left and not [path for path in left if path.name.startswith(".")]
    done = {Path(line["path"]).name for line in read_journal(tmp_path / "set")}
    for path in sorted(folder.iterdir(), key=lambda path: path.name in done)[1 : -len(done)]:
        path.unlink()  # one that was not read is enough
    rest = prepare([folder], tmp_path / "set", PrepareConfig())
    assert rest.kept == len(done) and rest.made == 1
