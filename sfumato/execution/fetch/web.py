"""http and https: an address in, a file out. The standard library's client on a socket of ours.

Ours is only what the promise hangs on: the socket is connected to an address that was checked, certificate and Host
header are those of the name; every redirect is a new request through the same check; each read ends with the clock, so
that no server can hold the line by a byte a minute; nothing is unpacked.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from sfumato.atomic import atomic_path
from sfumato.errors import FetchError
from sfumato.execution.fetch.addresses import RefusedAddressError, resolve
from sfumato.execution.fetch.clock import Clock, FetchLimits
from sfumato.execution.fetch.urls import Target, joined, redacted, target_of
from sfumato.limits import shown
from sfumato.version import __version__

PIECE = 65536
_MOVED = (301, 302, 303, 307, 308)
_CONNECTING = 20.0  # seconds for one address of several
_HEADERS = {"User-Agent": f"sfumato/{__version__}", "Accept-Encoding": "identity", "Connection": "close"}


class _NotFetchedError(Exception):
    """The text says why; it holds nothing of a path or query."""


class _LateError(Exception):
    """The clock ran out while a file was written; no OSError, which would be taken for one of the file."""


def fetch_web(url: str, destination: Path, limits: FetchLimits, clock: Clock) -> None:
    """Writes what is at `url`. Raises FetchError, OutputError."""
    try:
        _follow(url, destination, limits, clock)
    except _NotFetchedError as error:
        raise _error(url, str(error)) from error
    except RefusedAddressError as error:
        raise _error(url, str(error), "Only public addresses are fetched from; download it yourself.") from error
    except (TimeoutError, _LateError) as error:
        advice = "Allow more time, or download it yourself."
        raise _error(url, f"it takes longer than {limits.seconds:g} seconds", advice) from error


def _error(url: str, reason: str, advice: str = "Check the address, or download it yourself.") -> FetchError:
    return FetchError(f"{redacted(url)} was not fetched: {reason}", advice)


def _follow(url: str, destination: Path, limits: FetchLimits, clock: Clock) -> None:
    """From request to request, until one has the file."""
    place, target, authorization = url, _target(url), None
    first = target.origin
    for _ in range(limits.redirects + 1):
        if limits.hosts is not None and target.host.lower() not in limits.hosts:
            raise _NotFetchedError(f"{target.host} is not among the hosts that may be fetched from")
        authorization = target.authorization or (authorization if target.origin == first else None)
        with closing(_Pinned(target, _addresses(target, clock), clock)) as connection:
            response = _ask(connection, target, authorization)
            if response.status not in _MOVED:
                _write(response, destination, limits)
                return
            if not (location := response.headers.get("Location")):
                raise _NotFetchedError("it is redirected to nowhere")
            place = joined(place, location)
        secure, target = target.secure, _target(place)
        if secure and not target.secure:
            raise _NotFetchedError("it is redirected from https to http")
    raise _NotFetchedError(f"it is redirected more than {limits.redirects} times")


def _target(url: str) -> Target:
    try:
        return target_of(url)
    except ValueError as error:
        raise _NotFetchedError(str(error)) from error


def _addresses(target: Target, clock: Clock) -> list[str]:
    """The checked addresses of a request's host."""
    try:
        return resolve(target.host, target.port, clock)
    except TimeoutError:
        raise
    except OSError as error:
        raise _NotFetchedError(f"{target.host} has no address that could be found") from error


def tls() -> ssl.SSLContext:
    """The system's roots, host names checked."""
    return ssl.create_default_context()


class _Pinned(http.client.HTTPConnection):
    """A connection to the first of these addresses that answers."""

    def __init__(self, target: Target, addresses: list[str], clock: Clock) -> None:
        super().__init__(target.host, target.port)
        self._secure, self._addresses, self._clock = target.secure, addresses, clock
        self.default_port = 443 if target.secure else 80

    def connect(self) -> None:
        plain = self._reach()
        try:
            plain.settimeout(self._clock.left())
            whole = tls().wrap_socket(plain, server_hostname=self.host) if self._secure else plain
        except BaseException:
            plain.close()
            raise
        self.sock: Any = _Timed(whole, self._clock)

    def _reach(self) -> socket.socket:
        for number, address in enumerate(self._addresses, 1):
            try:
                return socket.create_connection((address, self.port), min(self._clock.left(), _CONNECTING))
            except OSError:
                if number == len(self._addresses):
                    raise
        raise OSError("it has no address")


class _Timed:
    """A socket whose every read and write ends with the clock; what http.client needs of one."""

    def __init__(self, whole: socket.socket, clock: Clock) -> None:
        self._whole, self._clock = whole, clock

    def sendall(self, data: bytes) -> None:
        self._whole.settimeout(self._clock.left())
        self._whole.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._whole, self._clock))

    def close(self) -> None:
        self._whole.close()


class _TimedReader(io.RawIOBase):
    """The socket as a file; it stays open until this is closed too."""

    def __init__(self, whole: socket.socket, clock: Clock) -> None:
        self._whole, self._clock = whole, clock
        self._file = whole.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._whole.settimeout(self._clock.left())
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


def _ask(connection: _Pinned, target: Target, authorization: str | None) -> http.client.HTTPResponse:
    headers = _HEADERS | ({} if authorization is None else {"Authorization": authorization})
    try:
        connection.request("GET", target.resource, headers=headers)
        return connection.getresponse()
    except TimeoutError:
        connection._clock.left()  # raises, if it was the clock's
        raise _NotFetchedError(f"{target.host} did not answer") from None
    except ssl.SSLCertVerificationError as error:
        raise _NotFetchedError(f"the certificate of {target.host} does not hold: {error.verify_message}") from error
    except ssl.SSLError as error:
        raise _NotFetchedError(f"{target.host} speaks no TLS that holds") from error
    except OSError as error:
        raise _NotFetchedError(f"{target.host} did not answer: {error.strerror or 'no connection'}") from error
    except (http.client.HTTPException, ValueError) as error:
        raise _NotFetchedError(f"what {target.host} answers is no HTTP") from error


def _write(response: http.client.HTTPResponse, destination: Path, limits: FetchLimits) -> None:
    most = limits.size
    declared = _declared(response)
    if declared is not None and declared > most:
        raise _NotFetchedError(f"it has {shown(declared, 'bytes')}, the limit is {shown(most, 'bytes')}")
    received = 0
    with atomic_path(destination) as temporary, temporary.open("wb") as file:
        for piece in _pieces(response):
            received += len(piece)
            if received > most:
                raise _NotFetchedError(f"it has more than {shown(most, 'bytes')}, which is the limit")
            file.write(piece)
        if declared is not None and received != declared:
            raise _NotFetchedError(f"it ended after {received} of {declared} bytes")


def _declared(response: http.client.HTTPResponse) -> int | None:
    """The length that the answer states; None for none. Refuses an answer that is not plainly the file."""
    if response.status != 200:
        raise _NotFetchedError(f"the answer has status {response.status}")
    if (response.headers.get("Content-Encoding") or "identity").strip().lower() != "identity":
        raise _NotFetchedError("the answer is packed, which was not asked for")
    coding = response.headers.get_all("Transfer-Encoding", [])
    lengths = {length.strip() for length in response.headers.get_all("Content-Length", [])}
    if coding and (lengths or [each.strip().lower() for each in coding] != ["chunked"]):
        raise _NotFetchedError("the answer contradicts itself about how it is sent")
    if not lengths:
        return None
    length = lengths.pop()
    if lengths or not (length.isascii() and length.isdigit() and len(length) < 20):
        raise _NotFetchedError("the answer states no one length")
    return int(length)


def _pieces(response: http.client.HTTPResponse) -> Iterator[bytes]:
    try:
        while piece := response.read1(PIECE):
            yield piece
    except TimeoutError as error:
        raise _LateError from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _NotFetchedError("the connection broke off") from error
