"""The only way out: fetching from hosts that the user named, and from nowhere else.

In: an address, in most cases out of a stranger's file, and the hosts that are allowed. Out: bytes, or RefusedError
with the reason. The C2PA library never opens a connection for us; what is to be fetched comes through here: http or
https, a host that was named, an address that is not inside somebody's network unless it was named itself, no redirect,
no proxy, bounded in size and time.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from sfumato.errors import UsageError
from sfumato.execution.fetch.addresses import is_public
from sfumato.version import __version__

LARGEST = 32 * 1024 * 1024  # bytes of one answer; manifests with thumbnails are a few MB
PATIENCE = 15.0  # seconds for one answer as a whole
PIECE = 65536
PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?\Z")


class RefusedError(Exception):
    """Nothing was fetched; the text says why. Foreign text in it is not escaped."""


@dataclass(frozen=True)
class Place:
    """A host as the user named it: lower case, with a port if one was given, `plain` if it was named with http://."""

    host: str
    port: int | None
    plain: bool


class Remote:
    """Fetches from the named hosts: HOST, HOST:PORT, or http://HOST[:PORT] for a host that has no https."""

    def __init__(self, allowed: Sequence[str], *, inside: bool = False) -> None:
        """`inside`: these names may lead into a private network; for addresses that the user wrote, and no stranger.
        Raises UsageError for something that is no host.
        """
        self.places = tuple(_place(text) for text in allowed)
        self.inside = inside

    def fetch(
        self,
        url: str,
        *,
        body: bytes | None = None,
        media_type: str = "",
        expected: str = "",
        plain: bool = False,
        largest: int = LARGEST,
        patience: float | None = None,
    ) -> bytes:
        """The content at `url`; with a body, by POST. `expected`: the media type that the answer must have. `plain`:
        http will do, because the answer is signed. `largest`: bytes. `patience`: seconds, for connecting, for each
        answer of the connection, and for the content as a whole. Raises RefusedError.
        """
        patience = PATIENCE if patience is None else patience
        parts, host, port = self._accept(url, plain)
        addresses = self._addresses(host, port)
        connection = _Pinned(host, port, addresses, secure=parts.scheme == "https", patience=patience)
        headers = {"User-Agent": f"sfumato/{__version__}", "Accept-Encoding": "identity"} | (
            {"Content-Type": media_type} if body else {}
        )
        if expected:
            headers["Accept"] = expected
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request("POST" if body else "GET", target, body=body, headers=headers)
            return _read(connection, largest, expected, patience)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise RefusedError(f"{host} did not answer: {error}") from error
        finally:
            connection.close()

    def _accept(self, url: str, plain: bool) -> tuple[SplitResult, str, int]:
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").rstrip("."), parts.port
        except ValueError as error:
            raise RefusedError(f"not an address: {error}") from error
        if (
            parts.scheme not in PORTS
            or not host
            or parts.username
            or parts.password
            or not url.isascii()
            or not url.isprintable()
        ):
            raise RefusedError("not a plain http or https address")
        asked = port or PORTS[parts.scheme]
        for place in self.places:
            if place.host == host and asked == (place.port or PORTS[parts.scheme]):
                if parts.scheme == "https" or plain or place.plain:
                    return parts, host, asked
                raise RefusedError(f"{host} is named without https; allow it as http://{host} if that is meant")
        raise RefusedError(f"the host {host}:{asked} is not allowed; --allow-remote {host} would")

    def _addresses(self, host: str, port: int) -> list[str]:
        """The addresses of the host, checked; the connection then goes to one of these, whatever the name says a moment
        later.
        """
        try:
            found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError) as error:
            raise RefusedError(f"no address for {host}") from error
        if self.inside:
            return found
        named = {place.host for place in self.places}
        for address in found:
            if address not in named and not is_public(address):
                raise RefusedError(f"{host} is at {address}, inside a private network; name that address to allow it")
        return found


class _Pinned(http.client.HTTPConnection):
    """A connection to the first of these addresses that answers: certificate and Host header are the host's name's."""

    def __init__(self, host: str, port: int, addresses: list[str], secure: bool, patience: float) -> None:
        super().__init__(host, port, timeout=patience)
        self._addresses, self._secure = addresses, secure
        self.default_port = PORTS["https" if secure else "http"]

    def connect(self) -> None:
        plain = self._reach()
        self.sock = (
            ssl.create_default_context().wrap_socket(plain, server_hostname=self.host) if self._secure else plain
        )

    def _reach(self) -> socket.socket:
        *others, last = dict.fromkeys(self._addresses)
        for address in others:
            try:
                return socket.create_connection((address, self.port), self.timeout)
            except OSError:
                continue
        return socket.create_connection((last, self.port), self.timeout)


def _read(connection: http.client.HTTPConnection, largest: int, expected: str, patience: float) -> bytes:
    response = connection.getresponse()
    if 300 <= response.status < 400:
        raise RefusedError(f"it answers with a redirect ({response.status}), which is not followed")
    if response.status != 200:
        raise RefusedError(f"it answers with status {response.status}")
    kind = response.headers.get_content_type()
    if expected and kind != expected:
        raise RefusedError(f"the answer is of type {kind}, not {expected}")
    content, end = bytearray(), time.monotonic() + patience
    while piece := response.read1(PIECE):
        content += piece
        if len(content) > largest:
            raise RefusedError(f"the answer is larger than {largest} bytes")
        if time.monotonic() > end:
            raise RefusedError("the answer takes too long")
    return bytes(content)


def _place(text: str) -> Place:
    advice = "Write it as HOST, HOST:PORT, or http://HOST."
    plain = text.lower().startswith("http://")
    try:
        parts = urlsplit(f"//{text.partition('://')[2] if '://' in text else text}")
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as error:
        raise UsageError(f"{text!r} is not a host", advice) from error
    known_scheme = "://" not in text or text.lower().startswith(("http://", "https://"))
    named = bool(_HOST.match(host)) or ":" in host
    if not named or not known_scheme or parts.path not in ("", "/") or parts.username or parts.query:
        raise UsageError(f"{text!r} is not a host", advice)
    return Place(host, port, plain)
