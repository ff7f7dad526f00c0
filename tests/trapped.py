"""Command lines of sfumato, one after the other, in a process that hears from the kernel of every internet socket that
it or a child of it asks for (Linux).

Run as `python -m tests.trapped LINES`, a JSON list of lists of words: ends with ASKED if a socket was asked for (and
not given), with NO_TRAP where the kernel tells nothing, else with the first exit code that is not 0. A line that begins
with "import" names modules instead.
"""

from __future__ import annotations

import atexit
import ctypes
import fcntl
import importlib
import json
import os
import platform
import struct
import sys
import threading
from errno import EACCES

from tests.provenance.seccomp import PR_SET_NO_NEW_PRIVS, internet_sockets

NO_TRAP, ASKED = 77, 78
SYSCALL_OF_SECCOMP = {"x86_64": 317, "aarch64": 277}
SET_MODE_FILTER, NEW_LISTENER, TELL = 1, 8, 0x7FC00000
RECEIVE, SEND = 0xC0502100, 0xC0182101  # of struct seccomp_notif (80 bytes), of struct seccomp_notif_resp (24)


def listen() -> list[int]:
    """From here on internet sockets are refused; returns the list that the processes which ask for one are put into."""
    code = internet_sockets(TELL)
    buffer = ctypes.create_string_buffer(code)
    header = struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    listener = -1
    if not libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        listener = libc.syscall(SYSCALL_OF_SECCOMP[platform.machine()], SET_MODE_FILTER, NEW_LISTENER, header)
    if listener < 0:
        sys.exit(NO_TRAP)
    asked: list[int] = []
    threading.Thread(target=_refuse, args=(listener, asked), daemon=True).start()
    return asked


def _refuse(listener: int, asked: list[int]) -> None:
    while True:
        told = bytearray(80)
        try:
            fcntl.ioctl(listener, RECEIVE, told)
            number, process = struct.unpack_from("QI", told)
            asked.append(process)
            fcntl.ioctl(listener, SEND, bytearray(struct.pack("QqiI", number, 0, -EACCES, 0)))
        except OSError:  # the one that asked has ended meanwhile
            continue


def main() -> int:
    asked = listen()
    atexit.register(lambda: os._exit(ASKED) if asked else None)  # after threads of libraries have sent what they send
    for words in json.loads(sys.argv[1]):
        if words[0] == "import":
            for name in words[1:]:
                importlib.import_module(name)
            continue
        from sfumato.app.cli.main import main as sfumato

        print(f"$ {' '.join(words)}", flush=True)
        if code := sfumato(words):
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
