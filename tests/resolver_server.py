"""A tiny resolver of the C2PA Soft Binding Resolution API on loopback, for tests: `with serve(repository_path) as
address:`.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from provenance.durable.fingerprint import FingerprintBuilder
from provenance.durable.repository import open_repository
from sfumato.media.video import VideoReader


@contextmanager
def serve(place: Path, upload: Path, answers: dict[str, bytes] | None = None) -> Iterator[tuple[str, list[str]]]:
    """Yields the address and the list of requests seen. `answers`: paths that get these bytes instead; `upload`: where
    a sent file lies.
    """
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(f"GET {self.path}")
            parts = urlsplit(self.path)
            if answers and parts.path in answers:
                return self._send(answers[parts.path])
            with open_repository(place) as repository:
                if parts.path == "/v1/matches/byBinding":
                    query = parse_qs(parts.query)
                    base64.b64decode(query["value"][0], validate=True)
                    return self._send(matches(repository.by_binding(query["alg"][0], query["value"][0])))
                if parts.path == "/v1/services/supportedAlgorithms":
                    known = repository.supported_algorithms()
                    return self._send(
                        json.dumps({kind: [{"alg": alg} for alg in algs] for kind, algs in known.items()}).encode()
                    )
                if parts.path.startswith("/v1/manifests/"):
                    store = repository.manifest(unquote(parts.path.removeprefix("/v1/manifests/")))
                    return self._send(store, "application/c2pa") if store is not None else self.send_error(404)
            return self.send_error(404)

        def do_POST(self) -> None:
            seen.append(f"POST {self.path}")
            upload.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            builder = FingerprintBuilder()
            with VideoReader(upload) as video:
                for frame in video:
                    builder.add(frame.image, frame.time)
            with open_repository(place) as repository:
                self._send(matches(repository.by_content(upload, builder.done())))

        def _send(self, body: bytes, kind: str = "application/json") -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def matches(found: list[Any]) -> bytes:
    """The body of an answer of `/matches/...`."""
    return json.dumps(
        {"matches": [{"manifestId": m.manifest_id, "similarityScore": m.similarity} for m in found]}
    ).encode()
