"""SIGTERM and SIGHUP end a command as Ctrl-C does: what was half made is removed, and the code says why."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sfumato.execution.stopping import STOPPING, Stopped, signal_of, stopped_by_signals

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")

WAITING = """
import os, sys, time, click
from pathlib import Path
from sfumato.app.cli import main as program
from sfumato.media.video.private_folder import private_folder

@click.command()
def wait():
    with private_folder(Path(sys.argv[1])) as folder:
        (folder / "frames").write_bytes(b"frames")
        print("ready", flush=True)
        time.sleep(60)

program.COMMANDS["wait"] = program.LazyCommand("__main__:wait", "")
sys.exit(program.main(["wait"]))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=str)
def test_a_command_that_is_stopped_leaves_nothing_and_says_so(tmp_path: Path, number: signal.Signals) -> None:
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("whoever runs the tests ignores this signal")
    command = [sys.executable, "-c", WAITING, str(tmp_path / "a.mp4")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == "ready\n"
        assert len(list(tmp_path.iterdir())) == 1
        process.send_signal(number)
        said = process.stderr.read()
        assert process.wait(timeout=60) == 128 + number, said
    assert "nothing half-written is left behind" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", STOPPING, ids=str)
def test_a_signal_becomes_an_exception_and_a_second_one_does_not_disturb(number: int) -> None:
    if signal.getsignal(number) is not signal.SIG_DFL:
        pytest.skip("whoever runs the tests ignores this signal")
    seen = []
    with pytest.raises(Stopped) as caught, stopped_by_signals():
        try:
            os.kill(os.getpid(), number)
            time.sleep(5)
        finally:
            os.kill(os.getpid(), number)
            seen.append("tidied")
    assert (seen, caught.value.number) == (["tidied"], number)
    assert signal.getsignal(number) is signal.SIG_DFL


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with stopped_by_signals():
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_signal_is_found_behind_other_errors() -> None:
    try:
        try:
            raise Stopped(signal.SIGTERM)
        except Stopped as error:
            raise RuntimeError("wrapped") from error
    except RuntimeError as error:
        assert signal_of(error) == signal.SIGTERM
    assert signal_of(KeyboardInterrupt()) is None
