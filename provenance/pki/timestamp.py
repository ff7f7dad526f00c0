"""RFC 3161 time-stamps while signing: who may be asked, for how long, and what happens when nobody answers.

In: a `Stamping`. Out, for the length of one signing: an address on this machine for the C2PA library to ask, behind
which we ask the authority. The library's own request would follow redirects to any host and say little about a failure;
ours goes to the named host alone, by provenance.pki.remote, and keeps the real error. No connection is made unless a
Stamping is given.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sfumato.errors import UsageError

if TYPE_CHECKING:
    from provenance.pki.remote import Remote

LOOPBACK = "127.0.0.1"
POLICIES = ("fail", "unstamped")
LONGEST_QUERY = 64 * 1024  # bytes; one is about 60
LONGEST_REPLY = 1024 * 1024  # a token with its certificates is a few thousand
QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"


def without_proxy(environment: MutableMapping[str, str]) -> None:
    """Lets the library reach this machine where a proxy is set; for a program to call once, on os.environ, before it
    signs.
    """
    for name in ("NO_PROXY", "no_proxy"):
        listed = environment.get(name)
        if listed is None or LOOPBACK not in listed.split(","):
            environment[name] = f"{listed},{LOOPBACK}" if listed else LOOPBACK


@dataclass(frozen=True)
class Stamping:
    """Raises UsageError for an address that is not plain http(s), or of a host that is not among `hosts`.

    hosts: the only hosts that may be asked; empty: the one in `url`. on_failure: fail, or sign unstamped. timeout:
    seconds.
    """

    url: str
    hosts: tuple[str, ...] = ()
    on_failure: str = "fail"
    timeout: float = 20.0

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            raise UsageError(f"{self.url!r} is no address ({error})", "Give one as http://tsa.example.org/.") from error
        if parts.scheme not in ("http", "https") or not host:
            raise UsageError(
                f"{self.url!r} is no address of a time-stamp authority", "Give one as http://tsa.example.org/."
            )
        if (
            parts.username is not None
            or parts.password is not None
            or any(character.isspace() for character in self.url)
        ):
            raise UsageError(
                "The address of the time-stamp authority holds a name, a password or a space", "Give a plain address."
            )
        if self.hosts and host.lower() not in {allowed.lower() for allowed in self.hosts}:
            raise UsageError(
                f"The time-stamp authority {host} is not among the allowed hosts", f"Allowed: {', '.join(self.hosts)}."
            )
        if self.on_failure not in POLICIES:
            raise UsageError(f"Unknown policy {self.on_failure!r}", f"Choose one of: {', '.join(POLICIES)}.")
        if not 0 < self.timeout <= 600:
            raise UsageError(f"A time limit of {self.timeout} seconds makes no sense", "Give up to 600.")

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


class Relay:
    """What happened between the library and the authority: how often it was asked, and the first failure."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.asked = 0
        self.failure = ""


@contextmanager
def relay(stamping: Stamping) -> Iterator[Relay]:
    """Listens on this machine, at an address nobody can guess, until the block ends. Raises UsageError for a host that
    cannot be one.
    """
    from provenance.pki.remote import RefusedError, Remote

    parts = urlsplit(stamping.url)
    remote = Remote([f"{parts.scheme}://{parts.netloc}"], inside=True)  # the user wrote this address
    secret = f"/{secrets.token_urlsafe(16)}"
    state = Relay("")

    class Handler(BaseHTTPRequestHandler):
        timeout = stamping.timeout

        def do_POST(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            if self.path != secret or not 0 < size <= LONGEST_QUERY:
                self.send_error(404)
                return
            state.asked += 1
            try:
                reply = ask(remote, stamping, self.rfile.read(size))
            except (RefusedError, OSError) as error:  # OSError: the library went away
                state.failure = state.failure or (str(error) or type(error).__name__)
                self.send_error(502)
                return
            self.send_response(200)
            self.send_header("Content-Type", REPLY)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Silent: a library prints nothing."""

    with ThreadingHTTPServer((LOOPBACK, 0), Handler) as server:
        state.address = f"http://{LOOPBACK}:{server.server_address[1]}{secret}"
        worker = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        worker.start()
        try:
            yield state
        finally:
            server.shutdown()
            worker.join()


def ask(remote: Remote, stamping: Stamping, query: bytes) -> bytes:
    """One time-stamp query. Raises RefusedError: no answer, a redirect, no time-stamp, or too much of it."""
    return remote.fetch(
        stamping.url,
        body=query,
        media_type=QUERY,
        expected=REPLY,
        plain=True,
        largest=LONGEST_REPLY,
        patience=stamping.timeout,
    )
