"""Servers on loopback that answer as they are told, byte by byte, for tests of fetching: `with answering(pieces) as
(address, seen):`.

Loopback is refused by the program and there is no option against that; `loopback_is_public` changes the check itself,
for 127.0.0.1 alone.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import pytest

from sfumato.execution.fetch import addresses

Answer = Callable[[str], Iterable[bytes]]


def loopback_is_public(patch: pytest.MonkeyPatch) -> None:
    checked = addresses.is_public
    patch.setattr(addresses, "is_public", lambda address: address == "127.0.0.1" or checked(address))


def names(patch: pytest.MonkeyPatch, known: dict[str, list[list[str]]]) -> list[str]:
    """{name: what each look-up in turn answers}; the last answer stays. Returns the names as they are asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *more: object, **keywords: object) -> object:
        asked.append(host)
        if host not in known:
            return real(host, port, *more, **keywords)  # type: ignore[arg-type]
        found = known[host].pop(0) if len(known[host]) > 1 else known[host][0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    patch.setattr(socket, "getaddrinfo", look_up)
    return asked


def said(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """One whole answer. length: what it states, the true one unless given, none below 0."""
    stated = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", *headers, *([f"Content-Length: {stated}"] if stated >= 0 else [])]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


@contextmanager
def answering(answer: Answer, tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[str]]]:
    """answer: gets a request's first line, yields bytes to send until the other side hangs up. Yields the address, and
    the requests seen, headers included.
    """
    seen: list[str] = []
    ending = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.05)

    def talk(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            whole = tls.wrap_socket(connection, server_side=True) if tls is not None else connection
            with whole:
                request = b""
                while b"\r\n\r\n" not in request and (piece := whole.recv(65536)):
                    request += piece
                seen.append(request.decode("latin-1"))
                for piece in answer(seen[-1].split("\r\n", 1)[0]):
                    if ending.is_set():
                        return
                    whole.sendall(piece)

    def listen() -> None:
        while not ending.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = listening.accept()
                connection.settimeout(5)
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        scheme = "http" if tls is None else "https"
        yield f"{scheme}://127.0.0.1:{listening.getsockname()[1]}", seen
    finally:
        ending.set()
        thread.join()
        listening.close()
