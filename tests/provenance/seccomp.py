"""A program of its own that is killed by the kernel when anything in it, native code included, makes an internet socket
(Linux).

Run as `python seccomp.py verify|inspect|library FILE ROOT`: it forbids sockets first, then looks at FILE. `library` is
the control: the C2PA library left to its defaults, which must be killed for a file that names an address.
"""

from __future__ import annotations

import ctypes
import json
import platform
import struct
import sys
from pathlib import Path

SYSCALL_OF_SOCKET = {"x86_64": 41, "aarch64": 198}
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER = 38, 22, 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, KILL_PROCESS = 0x7FFF0000, 0x80000000
INTERNET = (2, 10)  # AF_INET, AF_INET6


def internet_sockets(answer: int) -> bytes:
    """A filter that gives `answer` to socket(AF_INET, ...) and socket(AF_INET6, ...), and lets all else pass."""
    number = SYSCALL_OF_SOCKET[platform.machine()]
    program = [
        (LOAD, 0, 0, 0),  # the number of the call
        (EQUAL, 0, 4, number),  # another one: allow
        (LOAD, 0, 0, 16),  # its first argument, the family
        (EQUAL, 1, 0, INTERNET[0]),
        (EQUAL, 0, 1, INTERNET[1]),
        (RETURN, 0, 0, answer),
        (RETURN, 0, 0, ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in program)


def forbid_internet_sockets() -> None:
    """From here on socket(AF_INET, ...) and socket(AF_INET6, ...) end the process with SIGSYS."""
    code = internet_sockets(KILL_PROCESS)
    buffer = ctypes.create_string_buffer(code)
    header = struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, FILTER, header, 0, 0):
        print("no seccomp here")
        sys.exit(77)


def main() -> None:
    what, file, root = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    if what == "library":
        from c2pa import C2paError, Reader

        forbid_internet_sockets()
        try:
            Reader(str(file))
        except C2paError as error:
            print(error)
    elif what == "inspect":
        from provenance.verifying.tree import read_tree
        from sfumato.errors import MediaError

        forbid_internet_sockets()
        try:
            print(read_tree(file).active.label)
        except MediaError as error:
            print(error)
    else:
        from provenance.verifying.verify import verify

        forbid_internet_sockets()
        found = verify(file, [root.read_bytes()], stamps=[root.read_bytes()])
        print(json.dumps({"outcome": found.outcome, "remote_manifest": found.remote_manifest}))


if __name__ == "__main__":
    main()
