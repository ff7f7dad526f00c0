"""Hostile files given to `verify` and to a scanner, each in a process of its own, and what that took (Unix).

Run as `python -m tests.hostile_run DETECTOR FILE...`: a line of JSON for each file and each of the two: what was said,
CPU seconds, the most memory held. Everything is loaded once, by two harmless files; then a copy of the process (a fork)
takes one file.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

SECONDS = 30  # of CPU, after which a process is ended


def measured(work: Callable[[], str]) -> dict[str, Any]:
    """Runs `work` in a copy of this process. said: what it returned, or the error it raised; signal: what ended it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        try:
            said = work()
        except BaseException as error:
            said = f"raised {type(error).__name__}: {error}"
        os.write(writing, said.encode(errors="replace")[:4000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode(errors="replace")
    _, status, usage = os.wait4(child, 0)
    return {
        "said": said,
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
        "seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "megabytes": usage.ru_maxrss // (1024 if sys.platform == "linux" else 2**20),
    }


def main() -> None:
    import cv2

    from detector.inference.video_detector import VideoDetector
    from provenance.verifying.verify import verify
    from sfumato.app.scan.scanner import Scanner
    from tests.hostile_files import png

    cv2.setNumThreads(1)
    scanner = Scanner(detector=VideoDetector(Path(sys.argv[1])), fpr=0.1)

    def checked(path: Path) -> str:
        found = verify(path)
        return f"{found.outcome}: {found.reason}"

    def scanned(path: Path) -> str:
        record = scanner.scan_file(path).record.as_json()
        return f"{record['status']}: {record['reasons'][0]['detail']}"

    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("a.png", png()), ("a.mp4", b"no video")):  # what only the first file would load
            (Path(folder) / name).write_bytes(content)
            checked(Path(folder) / name)
            scanned(Path(folder) / name)
    for name in sys.argv[2:]:
        for command, work in (("verify", checked), ("scan", scanned)):
            found = measured(lambda work=work, name=name: work(Path(name)))  # type: ignore[misc]
            print(json.dumps({"file": Path(name).name, "command": command, **found}), flush=True)


if __name__ == "__main__":
    main()
