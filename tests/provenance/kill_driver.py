"""Kills a process at moments of its work, again and again: `python -m tests.provenance.kill_driver WORK FOLDER KILLS`.

In: the work ("seal": a video through the writer and the real seal; "animate": the command), a folder, a number. Out:
one JSON line: how often it was killed at work, what lay about after a kill that a player plays and that is not sealed,
outside of private folders; and what was left after the next run. Everything is loaded once; each process is a fork.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np

from provenance.library import settings
from provenance.signing.seal import C2paSeal
from provenance.verifying.verify import verify
from sfumato.app.cli.main import main
from sfumato.media.video import GeneratedFacts, GeneratedVideoWriter

FACTS = GeneratedFacts("t", "m", "0" * 64, 0, (), "1" * 64)
SIDES = int(os.environ.get("SFUMATO_KILLS_WIDTH", "320")), int(os.environ.get("SFUMATO_KILLS_HEIGHT", "240"))
FRAMES = int(os.environ.get("SFUMATO_KILLS_FRAMES", "16"))


def seal(output: Path) -> int:
    """Noise, which does not get smaller by encoding, past the size from which videos are sealed in pieces."""
    if SIDES == (320, 240):
        settings.LARGE = 1 << 18
    noise = np.random.default_rng(0).integers(0, 256, (4, SIDES[1], SIDES[0], 3), np.uint8)
    maker = C2paSeal(output.parent.parent / "keys", mark=False)
    with GeneratedVideoWriter(
        output, width=SIDES[0], height=SIDES[1], rate=25, seal=maker, facts=FACTS, crf=1
    ) as video:
        for index in range(FRAMES):
            video.write(np.roll(noise[index % 4], 13 * index, axis=0))
    return 0


def animate(output: Path) -> int:
    """The shipped painting and motion, a second of it."""
    return main(["animate", "mona-lisa", "-m", "serene", "--seconds", "1", "-o", str(output), "--overwrite"])


def spawn(work: Callable[[Path], int], output: Path) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        with contextlib.suppress(BaseException):
            code = work(output)
        os._exit(code)
    return child


def exposed(roots: list[Path]) -> Iterator[str]:
    """Files that are not inside a folder of mode 0700, that play, and whose credential does not hold."""
    for root in roots:
        for path in root.rglob("*"):
            inside = [parent for parent in path.parents if parent != root and parent.is_relative_to(root)]
            private = any(parent.stat().st_mode & 0o777 == 0o700 for parent in inside)
            if not private and path.is_file() and plays(path) and verify(path).outcome not in ("trusted", "untrusted"):
                yield path.name


def plays(path: Path) -> bool:
    with contextlib.suppress(av.FFmpegError, ValueError, StopIteration, IndexError), av.open(str(path)) as container:
        next(container.decode(video=0))
        return True
    return False


def run(work: Callable[[Path], int], folder: Path, kills: int) -> dict[str, object]:
    out, temporary = folder / "out", folder / "tmp"
    for each in (out, temporary):
        each.mkdir(mode=0o755, exist_ok=True)
    tempfile.tempdir = str(temporary)
    os.environ["TMPDIR"] = str(temporary)
    output, found = out / "gen.mp4", []
    began = time.monotonic()
    _, status = os.waitpid(spawn(work, output), 0)  # makes the keys, and says how long it takes
    length = time.monotonic() - began
    size = output.stat().st_size
    moments = random.Random(0)
    killed = 0
    for index in range(kills):
        output.unlink(missing_ok=True)
        child = spawn(work, output)
        time.sleep(length * (moments.random() if index % 4 == 0 else 0.5 + 0.6 * moments.random()))
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        _, ended = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(ended)
        found += list(exposed([out, temporary]))
    _, last = os.waitpid(spawn(work, output), 0)
    there = [path for root in (out, temporary) for path in root.iterdir()]
    # a folder that nobody had put anything into yet is left alone for a minute: another machine may be about to
    left = sorted(str(path.relative_to(folder)) for path in there if not (path.is_dir() and not list(path.iterdir())))
    return {
        "first": status,
        "last": last,
        "killed": killed,
        "exposed": found,
        "left": left,
        "outcome": verify(output).outcome,
        "megabytes": round(size / 1e6, 1),
        "seconds": round(length, 2),
    }


if __name__ == "__main__":
    works = {"seal": seal, "animate": animate}
    print(json.dumps(run(works[sys.argv[1]], Path(sys.argv[2]), int(sys.argv[3]))))
