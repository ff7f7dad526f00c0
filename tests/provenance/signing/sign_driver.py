"""Runs `sfumato sign`, and kills it: `python -m tests.provenance.signing.sign_driver`.

In: a line of JSON for each run, its words and how many seconds after its first line it is killed (null: it may end).
Out: a line of JSON for each, what it printed and how it ended. Everything is loaded once; each run is a fork.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import time

from sfumato.app.cli.main import main

# What the command would import each time.
PARTS = (
    "provenance.commands.sign",
    "provenance.pki.timestamp",
    "provenance.signing.batch",
    "provenance.signing.seal",
    "provenance.signing.sign",
    "provenance.verifying.verify",
)


def run(words: list[str], seconds: float | None) -> tuple[str, int]:
    """What the command printed, and its exit code, below 0 for the signal that ended it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(writing, 1)
        code = 70
        try:
            code = main(words)
        finally:
            sys.stdout.flush()
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        printed = pipe.readline()  # the work has begun
        if seconds is not None:
            time.sleep(seconds)
            os.kill(child, signal.SIGKILL)
        printed += pipe.read()
    _, status = os.waitpid(child, 0)
    return printed.decode(), os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    for part in PARTS:
        importlib.import_module(part)
    for line in sys.stdin:
        order = json.loads(line)
        said, code = run(order["words"], order["seconds"])
        print(json.dumps({"printed": said, "code": code}), flush=True)
