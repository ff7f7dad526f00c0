"""Addresses as text: which words are addresses, what one asks for, and how it is told without its secrets.

In: what a user, or a server's redirect, wrote. Out: a `Target`, or the address redacted: no user, no password, no
fragment, and of its query a short digest only, by which two addresses can be told apart. That digest is slow to compute
on purpose, so that a short secret cannot be guessed from it cheaply.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote, unquote, urljoin, urlsplit

from sfumato.execution.find_files import MEDIA

WEB = ("http", "https")
SCHEMES = (*WEB, "s3")
PORTS = {"http": 80, "https": 443}
LONGEST = 8192  # characters; servers take as many
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,252}[A-Za-z0-9])?\Z")
_KEPT = "%/:?#[]@!$&'()*+,;=~-._"  # what stands for itself in a path or query, escapes included


@dataclass(frozen=True)
class Target:
    """One request: where to, what for. authorization: the header that a user and password make, None without."""

    secure: bool
    host: str
    port: int
    resource: str
    authorization: str | None = None

    @property
    def origin(self) -> tuple[bool, str, int]:
        return self.secure, self.host, self.port


def scheme_of(word: str) -> str:
    """The scheme in front of ://, in lower case; "" where there is none."""
    scheme, found, _ = word.partition("://")
    return scheme.lower() if found and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme) else ""


def target_of(url: str) -> Target:
    """Of an http or https address. Raises ValueError, whose text holds nothing of the address, for one that is
    malformed, or sends a password over http.
    """
    if len(url) > LONGEST:
        raise ValueError(f"the address is longer than {LONGEST} characters")
    if "\\" in url or any(ord(character) < 33 or ord(character) == 127 for character in url):
        raise ValueError("the address has a space, a backslash or a control character in it")
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), (parts.hostname or "").rstrip("."), parts.port
        user, password = parts.username, parts.password
    except ValueError:
        raise ValueError("it is no address") from None
    if scheme not in WEB or not (_HOST.match(host) or ":" in host):
        raise ValueError("it is no http or https address with a plain host")
    if user is not None and scheme == "http":
        raise ValueError("a password would go over http for all to read")
    given = f"{unquote(user or '')}:{unquote(password or '')}".encode()
    authorization = None if user is None else f"Basic {base64.b64encode(given).decode()}"
    resource = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_KEPT)
    return Target(scheme == "https", host, port or PORTS[scheme], resource, authorization)


def joined(url: str, location: str) -> str:
    """Where a redirect leads: `location`, as it stands in the header, seen from `url`."""
    text = location.encode("latin-1", "replace").decode("utf-8", "replace")  # headers are bytes, by custom UTF-8
    return urljoin(url, text.strip())


def redacted(url: str) -> str:
    """The address as it may stand in records, logs and messages. Total: what is no address is not shown at all."""
    scheme = scheme_of(url)
    if scheme == "s3":
        rest = url.partition("://")[2]
        bucket, slash, key = rest.partition("/")
        return f"s3://{bucket.rpartition('@')[2]}{slash}{key}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return f"{scheme}://(malformed)" if scheme else "(no address)"
    if not scheme or not host:
        return f"{scheme}://(malformed)" if scheme else "(no address)"
    shown = f"[{host}]" if ":" in host else host
    query = f"?redacted={_digest(parts.query, host + parts.path)}" if parts.query else ""
    return f"{scheme}://{shown}{'' if port is None else f':{port}'}{parts.path}{query}"


def known_suffix(url: str) -> str:
    """The suffix of a picture or video that its path ends with, in lower case; "" for any other."""
    if scheme_of(url) == "s3":
        path = url.partition("://")[2].partition("/")[2]
    else:
        path = unquote(urlsplit(url).path) if _splits(url) else ""
    suffix = PurePosixPath(path).suffix.lower()
    return suffix if suffix in MEDIA else ""


def _splits(url: str) -> bool:
    try:
        urlsplit(url)
    except ValueError:
        return False
    return True


def _digest(query: str, salt: str) -> str:
    """Eight hex digits; 8 MB of memory each."""
    secret, mixed = query.encode("utf-8", "surrogatepass"), salt.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=mixed, n=2**13, r=8, p=1, dklen=4).hex()
