"""Somebody else's manifest repository, asked over HTTP: the C2PA Soft Binding Resolution API 2.4, as a client.

In: the address of a resolver that the user named. Out: the same answers as a repository here gives. Only that host is
spoken to, https unless it was named with http://, no redirect is followed, and answers are bounded: see
provenance.pki.remote. What is sent is the watermark's payload; the file itself goes only where the caller says so.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from provenance.durable.fingerprint import ALG, Fingerprint
from provenance.durable.repository import Match
from provenance.pki.remote import RefusedError, Remote
from sfumato.errors import MediaError, OutputError, UsageError

MOST = 20  # matches that are looked at
LARGEST_STORE = 64 << 20
LARGEST_UPLOAD = 200 << 20


class HttpResolver:
    """`address`: of the API, such as https://resolver.example.org/v1. `send_content`: byContent may send the whole file
    there.
    """

    def __init__(self, address: str, *, send_content: bool = False) -> None:
        """Raises UsageError for something that is no http or https address."""
        try:
            parts = urlsplit(address)
            port = f":{parts.port}" if parts.port else ""
        except ValueError as error:
            raise UsageError(f"{address!r} is not an address", "Write it as https://HOST/PATH.") from error
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise UsageError(f"{address!r} is not the address of a resolver", "Write it as https://HOST/PATH.")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        self.place = address.rstrip("/")
        self._send = send_content
        self._remote = Remote([f"{parts.scheme}://{host}{port}" if parts.scheme == "http" else f"{host}{port}"])

    def by_binding(self, alg: str, value: str) -> list[Match]:
        """`GET /matches/byBinding`. Raises OutputError when the resolver does not answer as it should."""
        return self._matches(
            f"/matches/byBinding?{urlencode({'alg': alg, 'value': value, 'maxResults': MOST})}", None, ""
        )

    def by_content(self, path: Path, fingerprint: Fingerprint) -> list[Match]:
        """`POST /matches/byContent`: sends the file. Nothing is sent, and nothing found, unless that was allowed."""
        if not self._send:
            return []
        try:
            if path.stat().st_size > LARGEST_UPLOAD:
                raise MediaError(f"{path} is too large to send", f"At most {LARGEST_UPLOAD >> 20} MB.")
            content = path.read_bytes()
        except OSError as error:
            raise MediaError(f"Cannot read {path}: {error.strerror}") from error
        return self._matches(f"/matches/byContent?{urlencode({'alg': ALG, 'maxResults': MOST})}", content, "video/mp4")

    def manifest(self, manifest_id: str) -> bytes | None:
        """`GET /manifests/{id}`."""
        try:
            return self._remote.fetch(f"{self.place}/manifests/{quote(manifest_id, safe='')}", largest=LARGEST_STORE)
        except RefusedError as error:
            if "status 404" in str(error):
                return None
            raise self._failed(error) from error

    def supported_algorithms(self) -> dict[str, list[str]]:
        """`GET /services/supportedAlgorithms`."""
        answer = self._json("/services/supportedAlgorithms", None, "")
        return {kind: _names(answer.get(kind)) for kind in ("watermarks", "fingerprints")}

    def _matches(self, path: str, body: bytes | None, media_type: str) -> list[Match]:
        entries = self._json(path, body, media_type).get("matches")
        found = []
        for entry in entries[:MOST] if isinstance(entries, list) else []:
            if isinstance(entry, dict) and isinstance(entry.get("manifestId"), str):
                score = entry.get("similarityScore", 100)
                found.append(Match(entry["manifestId"], score if isinstance(score, int) and 0 <= score <= 100 else 0))
        return found

    def _json(self, path: str, body: bytes | None, media_type: str) -> dict[str, Any]:
        try:
            answer = json.loads(self._remote.fetch(self.place + path, body=body, media_type=media_type))
        except (RefusedError, ValueError, RecursionError) as error:
            raise self._failed(error) from error
        return answer if isinstance(answer, dict) else {}

    def _failed(self, error: Exception) -> OutputError:
        return OutputError(f"The resolver {self.place} fails: {error}", "Try again later, or leave --resolver out.")


def _names(entries: Any) -> list[str]:
    return (
        [str(entry["alg"]) for entry in entries if isinstance(entry, dict) and "alg" in entry]
        if isinstance(entries, list)
        else []
    )
