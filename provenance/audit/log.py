"""An audit log, written: what is said in, a line of the file out, on disk before `append` returns.

One line is one write to a file that only grows, followed by fsync, under a lock on the file: several programs may write
into one log, a line at a time, and each goes on from the other's. What stands in the file since its last signed head is
checked when it is opened; a writer refuses a log that is broken. A head is signed after so many lines or minutes, and
when the log is closed.

The first line of a program is one of kind "open". It says how many unsigned lines that program found: after a regular
end there are none, so what somebody added by hand is there to be asked about.
"""

from __future__ import annotations

import os
import secrets
import stat
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from cryptography import x509

from provenance.audit.chain import BrokenError
from provenance.audit.head import Statement, signed_body
from provenance.audit.line import Line, next_line, time_text
from provenance.audit.settings import AuditSettings, load_settings, signer_of
from provenance.audit.tail import Tail
from provenance.pki.certificates import view
from provenance.signers import Signer
from sfumato.atomic import output_error
from sfumato.errors import OutputError, SfumatoError, SfumatoWarning, UsageError
from sfumato.regular_file import IRREGULAR
from sfumato.version import __version__

PATIENCE = 60.0  # seconds for another program that writes or signs
PROGRAM = f"sfumato {__version__}"
SAID = ("verdict", "decision")  # kinds of lines that are for others to write


def _now() -> datetime:
    return datetime.now(UTC)


class AuditLog:
    """`with AuditLog(path, about) as log`. about: what the program does, plain values, which stand in the line that
    says that the log was opened. A log that is not there is begun. Without `settings`, those of the file beside the
    log; `signer`: of the heads, the one that they name unless given.

    Raises UsageError for a file that is no audit log or a broken one, OutputError for one that cannot be written or is
    held by another program, ConfigError for the settings, SealError for the key.
    """

    def __init__(
        self,
        path: Path,
        about: Mapping[str, Any],
        settings: AuditSettings | None = None,
        signer: Signer | None = None,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self.path, self._now = path, now
        self.settings = settings or load_settings(path)
        self.signer = signer or signer_of(self.settings)
        self._file = _opened(path)
        self._tail: Tail | None = None
        self._turn = threading.Lock()  # the lock on the file is between programs, not between the threads of one
        try:
            with self._locked():
                tail = self._read_on()
                unsigned = tail.unsigned
                new = tail.chain.last is None
                if new:
                    self._begin()
                self._write("open", {"program": PROGRAM, "unsigned": unsigned, "about": dict(about)})
                if new:  # a key that does not sign is found out before the work, not after it
                    self._sign()
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if error is None:
            self.close()
            return
        try:
            self.close()
        except SfumatoError as failure:  # what ended the block is the news
            warnings.warn(SfumatoWarning(f"The audit log was left without a signed head: {failure}"), stacklevel=2)

    def append(self, kind: str, body: Mapping[str, Any]) -> Line:
        """Writes one line, and a signed head where one is due. kind: one of SAID. Raises UsageError for a body that
        JSON cannot say or a log that somebody broke, OutputError, and what the signer raises.
        """
        if kind not in SAID:
            raise UsageError(
                f"A line of kind {kind!r} is not for others to write", f"Choose one of: {', '.join(SAID)}."
            )
        with self._locked():
            line = self._write(kind, body)
            if self._is_due():
                self._sign()
        return line

    def sign(self) -> Line:
        """Signs a head, unless the last line is one; returns it. Raises as `append`."""
        with self._locked():
            if self._read_on().unsigned:
                self._sign()
            return self._last()

    def close(self) -> None:
        """Signs what is not signed yet. The file is closed, whatever that raises."""
        try:
            self.sign()
        finally:
            os.close(self._file)

    def _begin(self) -> None:
        leaf = view(x509.load_pem_x509_certificates(self.signer.chain_pem.encode("ascii"))[0])
        who = {"name": leaf.common_name or leaf.subject, "sha256": leaf.fingerprint}
        schedule = {"lines": self.settings.every_lines, "minutes": self.settings.every_minutes}
        self._write("begin", {"log": secrets.token_hex(16), "program": PROGRAM, "schedule": schedule, "signer": who})
        with _folder(self.path) as folder:
            os.fsync(folder)

    def _is_due(self) -> bool:
        tail = self._read_on()
        if not tail.since:
            return False
        age = self._now() - datetime.fromisoformat(tail.since)
        return tail.unsigned >= self.settings.every_lines or age >= timedelta(minutes=self.settings.every_minutes)

    def _sign(self) -> None:
        self._speak_of_piece()  # a head speaks of whole lines
        tail, last, now = self._read_on(), self._last(), self._now()
        self._put("head", signed_body(Statement(tail.log, last.number, last.sha256, time_text(now)), self.signer), now)

    def _write(self, kind: str, body: Mapping[str, Any]) -> Line:
        self._speak_of_piece()
        return self._put(kind, body, self._now())

    def _speak_of_piece(self) -> None:
        chain = self._read_on().chain
        if chain.piece_at:
            self._put("torn", chain.piece(), self._now())

    def _put(self, kind: str, body: Mapping[str, Any], now: datetime) -> Line:
        chain = self._read_on().chain
        line = next_line(chain.last, kind, body, now)
        data = chain.missing_end + line.as_bytes()
        try:
            written = os.write(self._file, data)
            os.fsync(self._file)
        except OSError as error:
            raise self._unwritable(error.strerror or str(error)) from error
        if written != len(data):  # what is there stays; whoever writes next speaks of it
            raise self._unwritable("there was room for a part of a line only")
        self._read_on()
        return line

    def _last(self) -> Line:
        last = self._read_on().chain.last
        if last is None:
            raise self._unwritable("it is empty")
        return last

    def _read_on(self) -> Tail:
        """The end of the file as it is now: others may have written since the last look."""
        try:
            found = os.fstat(self._file)
            if not os.path.samestat(found, self.path.stat()):
                raise self._unwritable("another file has its name now")
            if self._tail is None:
                self._tail = Tail.found(self._file, found.st_size)
            if found.st_size < self._tail.end:
                raise self._unwritable("it became shorter meanwhile")
            self._tail.read_on(self._file, found.st_size)
        except OSError as error:
            raise self._unwritable(error.strerror or str(error)) from error
        except BrokenError as error:
            raise UsageError(
                f"{self.path} is no audit log, or a broken one: {error.reason}",
                f"Look at it: sfumato audit verify {self.path}. Begin another log under another name.",
            ) from error
        return self._tail

    @contextmanager
    def _locked(self) -> Iterator[None]:
        import fcntl

        until = time.monotonic() + PATIENCE
        with self._turn:
            while True:
                try:
                    fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() > until:
                        raise self._unwritable("another program holds it") from error
                    time.sleep(0.01)
                except OSError as error:
                    raise self._unwritable(f"it cannot be locked ({error.strerror})") from error
            try:
                yield
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def _unwritable(self, why: str) -> OutputError:
        return OutputError(f"Cannot write the audit log {self.path}: {why}", "What was not written was not recorded.")


def _opened(path: Path) -> int:
    try:
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o666)
    except OSError as error:
        raise output_error(path, error) from error
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OutputError(f"Cannot write the audit log {path}: {IRREGULAR}", "Name a file of its own for the log.")
    return file


@contextmanager
def _folder(path: Path) -> Iterator[int]:
    """The folder of `path`, open: its entry for a new file is on disk only after an fsync of its own."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        yield folder
    finally:
        os.close(folder)
