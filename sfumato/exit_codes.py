"""What the program ends with: one table for every command. docs/exit-codes.md is this table, held by a test."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Codes of the process. A command with several files ends with the one that its help calls the worst."""

    DONE = 0
    NOT_GOOD = 1
    REQUEST = 2
    INPUT = 3
    NO_CREDENTIAL = 4
    INVALID_CREDENTIAL = 5
    DECLARED = 6
    UNDECIDED = 7
    FAULT = 70  # EX_SOFTWARE of sysexits.h
    HUNG_UP = 129  # 128 + SIGHUP, as shells report it
    INTERRUPTED = 130  # 128 + SIGINT
    TERMINATED = 143  # 128 + SIGTERM


MEANINGS = {
    ExitCode.DONE: "done, and the answer, if there is one, is good",
    ExitCode.NOT_GOOD: "done, and the answer is not good: nobody given vouches for a signer, some of many files "
    "failed, a set leaks or is not whole",
    ExitCode.REQUEST: "the request cannot be served as asked: wrong usage, a part that is not installed, an output "
    "that cannot be written",
    ExitCode.INPUT: "an input file is missing, or cannot be read as what it should be",
    ExitCode.NO_CREDENTIAL: "there is no credential, or nothing by which one could be found again",
    ExitCode.INVALID_CREDENTIAL: "there is a credential or an audit log, and it does not hold",
    ExitCode.DECLARED: "AI is declared, or was by the manifest that a watermark leads to",
    ExitCode.UNDECIDED: "no answer: the score is raised, or there is none",
    ExitCode.FAULT: "a fault of the program; --traceback shows where",
    ExitCode.HUNG_UP: "its terminal was closed; nothing half-written is left behind",
    ExitCode.INTERRUPTED: "interrupted; nothing half-written is left behind",
    ExitCode.TERMINATED: "asked to end (SIGTERM); nothing half-written is left behind",
}
