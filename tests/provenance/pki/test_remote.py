"""Fetching: only from named hosts, never into a private network unless its address was named, no redirects, bounded."""

from __future__ import annotations

import http.client
import socket
import time
from typing import Any

import pytest

import provenance.pki.remote
from provenance.pki.remote import Place, RefusedError, Remote
from sfumato.errors import UsageError
from tests.provenance.stamping import serve


def _says(status: int = 200, content: bytes = b"content", **headers: str) -> Any:
    return lambda path, body: (status, headers, content)


def test_a_named_address_is_fetched_from() -> None:
    with serve(lambda path, body: (200, {}, path.encode() + body)) as (address, seen):
        remote = Remote([f"http://{address.removeprefix('http://')}"])
        assert remote.fetch(f"{address}/a?b=c") == b"/a?b=c"
        assert remote.fetch(f"{address}/ask", body=b"+question") == b"/ask+question"
        assert seen == ["/a?b=c", "/ask"]


@pytest.mark.parametrize(
    "scheme", ["file:///etc/passwd", "ftp://{}/x", "gopher://{}/", "javascript:alert(1)", "//{}/x", "", "http://"]
)
def test_other_schemes_are_refused(scheme: str) -> None:
    with serve(_says()) as (address, seen):
        host = address.removeprefix("http://")
        with pytest.raises(RefusedError):
            Remote([f"http://{host}"]).fetch(scheme.format(host))
        assert seen == []


@pytest.mark.parametrize(
    "allowed", [[], ["example.com"], ["127.0.0.2"], ["http://127.0.0.1"], ["http://127.0.0.1:1"], ["127.0.0.1:{port}"]]
)
def test_a_host_that_was_not_named_so_is_refused(allowed: list[str]) -> None:
    with serve(_says()) as (address, seen):
        port = address.rpartition(":")[2]
        with pytest.raises(RefusedError):  # another host, another port, or named without http://
            Remote([text.format(port=port) for text in allowed]).fetch(f"{address}/x")
        assert seen == []


def test_a_signed_answer_may_come_over_http() -> None:
    with serve(_says()) as (address, _):
        remote = Remote([address.removeprefix("http://")])
        assert remote.fetch(f"{address}/x", plain=True) == b"content"


@pytest.mark.parametrize(
    "place",
    [
        *("http://user:secret@{}/x", "http://user@{}/x", "http://:secret@{}/x", "http://{}@example.com/x"),
        *("http://{}/\nx", "http://{}/\u202ex", "http://{}:99999/"),
    ],
)
def test_addresses_with_a_trick_are_refused(place: str) -> None:
    with serve(_says()) as (address, seen):
        host = address.removeprefix("http://")
        with pytest.raises(RefusedError):
            Remote([f"http://{host}", "http://example.com"]).fetch(place.format(host))
        assert seen == []


@pytest.mark.parametrize(
    "inside",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.9",
        "169.254.169.254",
        "::1",
        "fd00::1",
        "::ffff:127.0.0.1",
        "0.0.0.0",
        "224.0.0.1",
    ],
)
def test_a_name_inside_a_private_network_is_refused(monkeypatch: pytest.MonkeyPatch, inside: str) -> None:
    family = socket.AF_INET6 if ":" in inside else socket.AF_INET
    places = [
        (family, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 80)),
        (family, socket.SOCK_STREAM, 6, "", (inside, 80)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **keywords: places)
    monkeypatch.setattr(socket, "create_connection", lambda *arguments: pytest.fail("a connection was tried"))
    with pytest.raises(RefusedError, match="private network"):
        Remote(["http://rebinding.example"]).fetch("http://rebinding.example/x")


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int, **keywords: Any) -> Any:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", port))]

    def connect(address: tuple[str, int], timeout: float) -> Any:
        assert address == ("93.184.215.14", 80)
        raise OSError("far enough")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(RefusedError, match="far enough"):
        Remote(["http://rebinding.example"]).fetch("http://rebinding.example/x")
    assert asked == ["rebinding.example"]


def test_a_name_inside_is_asked_where_the_user_wrote_the_address() -> None:
    with serve(_says()) as (address, seen):
        place = address.replace("127.0.0.1", "localhost")
        with pytest.raises(RefusedError, match="private network"):
            Remote([place]).fetch(f"{place}/x")
        assert Remote([place], inside=True).fetch(f"{place}/x") == b"content"
        assert seen == ["/x"]


def test_an_answer_of_another_type_is_refused() -> None:
    with serve(_says(**{"Content-Type": "text/html"})) as (address, _):
        with pytest.raises(RefusedError, match="of type text/html, not application/x"):
            Remote([address]).fetch(f"{address}/x", expected="application/x")
        assert Remote([address]).fetch(f"{address}/x", expected="text/html") == b"content"


@pytest.mark.parametrize("numbers", [("127.0.0.99", "127.0.0.1"), ("127.0.0.1", "127.0.0.99")])
def test_the_address_that_answers_is_asked_wherever_it_stands(
    monkeypatch: pytest.MonkeyPatch, numbers: tuple[str, str]
) -> None:
    with serve(_says()) as (address, _):
        port = int(address.rpartition(":")[2])
        places = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, port)) for number in numbers]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **keywords: places)

        def reach(place: tuple[str, int], timeout: float) -> socket.socket:
            if place[0] == "127.0.0.99":
                raise ConnectionRefusedError
            return _connected(place, timeout)

        monkeypatch.setattr(socket, "create_connection", reach)
        assert Remote([f"http://two.example:{port}"], inside=True).fetch(f"http://two.example:{port}/") == b"content"


def _connected(place: tuple[str, int], timeout: float) -> socket.socket:
    made = socket.socket(socket.AF_INET)
    made.settimeout(timeout)
    made.connect(place)
    return made


def test_redirects_are_not_followed() -> None:
    with serve(_says()) as (goal, reached), serve(_says(302, Location=f"{goal}/x")) as (address, _):
        with pytest.raises(RefusedError, match="redirect"):
            Remote([address, goal]).fetch(f"{address}/x")
        assert reached == []


def test_answers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(_says(content=b"x" * 5000)) as (address, _), pytest.raises(RefusedError, match="larger"):
        Remote([address]).fetch(f"{address}/x", largest=1000)
    with serve(_says(404)) as (address, _), pytest.raises(RefusedError, match="404"):
        Remote([address]).fetch(f"{address}/x")
    monkeypatch.setattr(provenance.pki.remote, "PATIENCE", 0.2)
    with (
        serve(lambda path, body: (time.sleep(1), (200, {}, b""))[1]) as (address, _),
        pytest.raises(RefusedError, match="did not answer"),
    ):
        Remote([address]).fetch(f"{address}/x")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://",
        "a b",
        "ftp://example.com",
        "example.com/path",
        "-x",
        "user@example.com",
        "example.com:x",
        "example.com?x",
    ],
)
def test_what_is_no_host_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError):
        Remote([text])


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("example.com", Place("example.com", None, False)),
        ("Example.COM.:8443", Place("example.com", 8443, False)),
        ("https://example.com/", Place("example.com", None, False)),
        ("HTTP://example.com:80", Place("example.com", 80, True)),
        ("[::1]:80", Place("::1", 80, False)),
    ],
)
def test_a_host_may_be_named_with_its_port_and_its_scheme(text: str, place: Place) -> None:
    assert Remote([text]).places == (place,)


@pytest.mark.parametrize(
    ("named", "url", "port"),
    [
        ("a.example", "https://a.example/x", 443),
        ("a.example:443", "https://a.example./x", 443),
        ("a.example:8443", "https://a.example:8443/x", 8443),
        ("http://a.example", "http://a.example/x", 80),
        ("http://a.example", "https://a.example/x", 443),
    ],
)
def test_the_port_is_the_named_one_or_that_of_the_scheme(
    monkeypatch: pytest.MonkeyPatch, named: str, url: str, port: int
) -> None:
    def connect(address: tuple[str, int], timeout: float) -> Any:
        raise OSError(f"port {address[1]}")

    places = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **keywords: places)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(RefusedError, match=f"did not answer: port {port}$"):
        Remote([named]).fetch(url)


@pytest.mark.parametrize(
    ("status", "said"), [(201, "status 201"), (300, "redirect"), (399, "redirect"), (400, "status 400")]
)
def test_only_a_plain_answer_is_taken(status: int, said: str) -> None:
    with serve(_says(status)) as (address, _), pytest.raises(RefusedError, match=said):
        Remote([address]).fetch(f"{address}/x")


def test_an_answer_may_be_as_large_as_is_allowed() -> None:
    with serve(_says(content=b"x" * 1000)) as (address, _):
        assert len(Remote([address]).fetch(f"{address}/x", largest=1000)) == 1000
        with pytest.raises(RefusedError, match="larger than 999 bytes"):
            Remote([address]).fetch(f"{address}/x", largest=999)


def test_a_question_is_posted_and_all_else_only_read(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str, str | None]] = []

    def request(self: Any, method: str, target: str, body: bytes | None, headers: dict[str, str]) -> None:
        asked.append((method, target, headers.get("Content-Type")))
        raise OSError("far enough")

    monkeypatch.setattr(http.client.HTTPConnection, "request", request)
    for body in (None, b"a question"):
        with pytest.raises(RefusedError, match="far enough"):
            Remote(["http://127.0.0.1"]).fetch("http://127.0.0.1", body=body, media_type="a/b")
    assert asked == [("GET", "/", None), ("POST", "/", "a/b")]


@pytest.mark.parametrize("error", [socket.gaierror("no such name"), UnicodeError("label too long")])
def test_a_name_without_an_address_is_refused(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def resolve(*arguments: Any, **keywords: Any) -> Any:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(RefusedError, match=r"no address for a\.example"):
        Remote(["a.example"]).fetch("https://a.example/x")


def test_a_manifest_of_usual_size_is_taken_where_no_size_is_given() -> None:
    with serve(_says(content=bytes(100_000))) as (address, _):
        assert len(Remote([address]).fetch(f"{address}/x")) == 100_000
