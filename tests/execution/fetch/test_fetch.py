"""Fetching: whole or not at all, bounded in bytes and time, nothing of what a server says is believed."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest

from sfumato.errors import FetchError, OutputError
from sfumato.execution.fetch import fetch
from sfumato.execution.fetch.clock import FetchLimits
from tests.fetch_server import answering, loopback_is_public, names, said

QUICK = FetchLimits(size=100_000, seconds=1.0)
ENOUGH = FetchLimits(size=100_000, seconds=30.0)


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    loopback_is_public(monkeypatch)


def refusal(url: str, folder: Path, limits: FetchLimits = QUICK) -> str:
    """Why it was refused; nothing may be left of it."""
    with pytest.raises(FetchError) as caught:
        fetch(url, folder, limits)
    assert list(folder.iterdir()) == []
    return str(caught.value)


@pytest.mark.parametrize(
    ("resource", "suffix"), [("/a/film.MP4", ".mp4"), ("/a/film.mp4?x=.png", ".mp4"), ("/x.sh", ""), ("", "")]
)
def test_what_is_there_lies_in_a_file_of_our_name(tmp_path: Path, resource: str, suffix: str) -> None:
    with answering(lambda line: [said(b"content")]) as (address, seen):
        path = fetch(address + resource, tmp_path / "new", ENOUGH)
    assert path.read_bytes() == b"content"
    assert (path.parent, path.suffix) == (tmp_path / "new", suffix)
    assert path.name.startswith("fetched-")
    request = seen[0].split("\r\n")
    assert request[0] == f"GET {resource or '/'} HTTP/1.1"
    assert f"Host: {address.removeprefix('http://')}" in request
    assert "Accept-Encoding: identity" in request


def test_an_answer_in_chunks_is_put_together(tmp_path: Path) -> None:
    chunks = b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n"
    with answering(lambda line: [said(chunks, "Transfer-Encoding: chunked", length=-1)]) as (address, _):
        assert fetch(address, tmp_path, ENOUGH).read_bytes() == b"abcdefg"


def test_an_answer_without_a_length_ends_where_the_server_ends(tmp_path: Path) -> None:
    with answering(lambda line: [said(b"until", length=-1), b" the end"]) as (address, _):
        assert fetch(address, tmp_path, ENOUGH).read_bytes() == b"until the end"


def _slow_body() -> Iterator[bytes]:
    yield said(b"", length=1000)
    for _ in range(600):
        time.sleep(0.05)
        yield b"x"


def _slow_head() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nX: "
    for _ in range(600):
        time.sleep(0.05)
        yield b"x"


def _never() -> Iterator[bytes]:
    time.sleep(30)
    yield b""


def _continuing() -> Iterator[bytes]:
    return repeat(b"HTTP/1.1 100 Continue\r\n\r\n")


@pytest.mark.parametrize("pieces", [_slow_body, _slow_head, _never, _continuing])
def test_a_server_that_holds_the_line_is_left_in_time(tmp_path: Path, pieces: object) -> None:
    with answering(lambda line: pieces()) as (address, _):  # type: ignore[operator]
        began = time.monotonic()
        assert "takes longer than 1 seconds" in refusal(address, tmp_path)
        assert time.monotonic() - began < 15


def test_a_name_that_is_looked_up_for_ever_is_left_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *given, **more: time.sleep(30) or [])
    began = time.monotonic()
    assert "takes longer than 1 seconds" in refusal("http://films.example/a.mp4", tmp_path)
    assert time.monotonic() - began < 15


def _endless(*headers: str) -> Iterator[bytes]:
    yield said(b"", *headers, length=-1)
    while True:
        yield b"x" * 50_000


def _endless_chunks() -> Iterator[bytes]:
    yield said(b"", "Transfer-Encoding: chunked", length=-1)
    while True:
        yield b"1000\r\n" + b"x" * 4096 + b"\r\n"


HOSTILE = {
    "endless": (lambda: _endless(), "more than"),
    "endless chunks": (lambda: _endless_chunks(), "more than"),
    "too long, and says so": (lambda: [said(b"", length=10**12)], "the limit is"),
    "more than it says, in chunks": (lambda: [said(b"5\r\nabc", "Transfer-Encoding: chunked", length=-1)], "broke off"),
    "less than it says": (lambda: [said(b"abc", length=10)], "ended after 3 of 10"),
    "packed": (lambda: [said(gzip.compress(bytes(10**6)), "Content-Encoding: gzip")], "packed"),
    "packed twice": (lambda: [said(b"x", "Content-Encoding: br, gzip")], "packed"),
    "packed on the way": (lambda: [said(b"x", "Transfer-Encoding: gzip, chunked", length=-1)], "contradicts"),
    "two lengths": (lambda: [said(b"abc", "Content-Length: 2")], "no one length"),
    "length and chunks": (lambda: [said(b"0\r\n\r\n", "Transfer-Encoding: chunked")], "contradicts"),
    "no number": (lambda: [said(b"abc", "Content-Length: -3", length=-1)], "no one length"),
    "a piece": (lambda: [said(b"abc", status="206 Partial Content")], "status 206"),
    "nothing there": (lambda: [said(b"abc", status="404 Not Found")], "status 404"),
    "no HTTP": (lambda: [b"SSH-2.0-OpenSSH_9.9\r\n\r\n"], "no HTTP"),
    "a line without end": (lambda: [b"HTTP/1.1 200 " + b"x" * 200_000], "no HTTP"),
    "headers without end": (lambda: [said(b"", *[f"X-{i}: y" for i in range(500)])], "no HTTP"),
    "nothing": (lambda: [b""], "answer"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_an_answer_that_is_not_plainly_the_file_is_refused(tmp_path: Path, name: str) -> None:
    pieces, reason = HOSTILE[name]
    with answering(lambda line: pieces()) as (address, _):
        assert reason in refusal(f"{address}/film.mp4", tmp_path, ENOUGH)


def test_as_many_bytes_as_are_allowed_are_taken(tmp_path: Path) -> None:
    with answering(lambda line: [said(bytes(1000))]) as (address, _):
        assert fetch(address, tmp_path, FetchLimits(size=1000)).stat().st_size == 1000
        with pytest.raises(FetchError, match="the limit is 999 bytes"):
            fetch(address, tmp_path, FetchLimits(size=999))


def test_a_folder_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with answering(lambda line: [said(b"abc")]) as (address, _), pytest.raises(OutputError):
        fetch(address, tmp_path / "file", QUICK)


def test_a_proxy_of_the_environment_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with answering(lambda line: [said(b"abc")]) as (address, _):
        assert fetch(address, tmp_path, ENOUGH).read_bytes() == b"abc"


def test_other_schemes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for url in ("file:///etc/passwd", "ftp://example.com/x", "s3://bucket/key", "gopher://x/", "/etc/passwd", ""):
        assert "begin with http:// or https://" in refusal(url, tmp_path / "in")


@pytest.mark.parametrize("limits", [{"size": 0}, {"seconds": 0.0}, {"seconds": float("inf")}, {"redirects": -1}])
def test_limits_that_limit_nothing_are_refused(limits: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="not limits"):
        FetchLimits(**limits)  # type: ignore[arg-type]


def test_an_error_holds_no_secret_of_the_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, {"films.example": [["127.0.0.1"]]})
    for url in ("https://me:secret@films.example:1/x?token=secret", "http://films.example:1/x?token=secret#secret"):
        told = refusal(url, tmp_path, FetchLimits(seconds=20))
        assert "secret" not in told
        assert "films.example" in told
