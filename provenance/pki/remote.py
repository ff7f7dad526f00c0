"""The only way out: fetching from hosts that the user named, and from nowhere else.

In: an address that a stranger's file names, and the hosts that are allowed. Out: bytes, or RefusedError with the
reason. The C2PA library never opens a connection for us; what is to be fetched comes through here: http or https, a
host that was named, an address that is not inside somebody's network unless it was named itself, no redirect, no proxy,
bounded in size and time.
"""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from sfumato import __version__
from sfumato.errors import UsageError

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

    def __init__(self, allowed: Sequence[str]) -> None:
        """Raises UsageError for something that is no host."""
        self.places = tuple(_place(text) for text in allowed)

    def fetch(
        self, url: str, *, body: bytes | None = None, media_type: str = "", plain: bool = False, largest: int = LARGEST
    ) -> bytes:
        """The content at `url`; with a body, by POST. `plain`: http will do, because the answer is signed. Raises
        RefusedError.
        """
        parts, host, port = self._accept(url, plain)
        address = self._address(host, port)
        connection = _Pinned(host, port, address, secure=parts.scheme == "https")
        headers = {"User-Agent": f"sfumato/{__version__}", "Accept-Encoding": "identity"} | (
            {"Content-Type": media_type} if body else {}
        )
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request("POST" if body else "GET", target, body=body, headers=headers)
            return _read(connection, largest)
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

    def _address(self, host: str, port: int) -> str:
        """One address of the host, checked; the connection then goes to this one, whatever the name says a moment
        later.
        """
        try:
            found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError) as error:
            raise RefusedError(f"no address for {host}") from error
        named = {place.host for place in self.places}
        for address in found:
            number = ipaddress.ip_address(address.partition("%")[0])
            mapped = getattr(number, "ipv4_mapped", None) or number
            if not (mapped.is_global and not mapped.is_multicast) and address not in named:
                raise RefusedError(f"{host} is at {address}, inside a private network; name that address to allow it")
        return found[0]


class _Pinned(http.client.HTTPConnection):
    """A connection to one address under the host's name: certificate and Host header are the name's."""

    def __init__(self, host: str, port: int, address: str, secure: bool) -> None:
        super().__init__(host, port, timeout=PATIENCE)
        self._address, self._secure = address, secure
        self.default_port = PORTS["https" if secure else "http"]

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = (
            ssl.create_default_context().wrap_socket(plain, server_hostname=self.host) if self._secure else plain
        )


def _read(connection: http.client.HTTPConnection, largest: int) -> bytes:
    response = connection.getresponse()
    if 300 <= response.status < 400:
        raise RefusedError("it answers with a redirect, which is not followed")
    if response.status != 200:
        raise RefusedError(f"it answers with status {response.status}")
    content, end = bytearray(), time.monotonic() + PATIENCE
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
