"""Where a connection may go: never inside, whichever way a name, a redirect or a second look-up leads there."""

from __future__ import annotations

import datetime
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sfumato.errors import FetchError
from sfumato.execution.fetch import fetch, web
from sfumato.execution.fetch.clock import FetchLimits
from tests.fetch_server import answering, loopback_is_public, names, said

QUICK = FetchLimits(seconds=30.0, redirects=2)


def refusal(url: str, folder: Path) -> str:
    with pytest.raises(FetchError) as caught:
        fetch(url, folder, QUICK)
    return str(caught.value)


@pytest.fixture
def nothing_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *given, **more: pytest.fail("a connection was tried"))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1",
             "169.254.169.254", "[64:ff9b::7f00:1]"]
)  # fmt: skip
def test_an_address_inside_is_refused(tmp_path: Path, nothing_opened: None, host: str) -> None:
    assert "not public" in refusal(f"http://{host}/film.mp4", tmp_path)


@pytest.mark.parametrize("found", [["127.0.0.1"], ["93.184.215.14", "127.0.0.1"], ["192.168.1.1", "93.184.215.14"]])
def test_a_name_that_leads_inside_is_refused(
    tmp_path: Path, nothing_opened: None, monkeypatch: pytest.MonkeyPatch, found: list[str]
) -> None:
    names(monkeypatch, {"films.example": [found]})
    told = refusal("http://films.example/a.mp4", tmp_path)
    assert "not public" in told
    assert "Only public addresses" in told


def test_a_name_is_looked_up_once_and_the_checked_address_is_connected_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second look-up, which would lead elsewhere, is never made."""
    asked = names(monkeypatch, {"films.example": [["93.184.215.14"], ["127.0.0.1"]]})
    reached: list[Any] = []

    def connect(address: Any, *given: Any) -> socket.socket:
        reached.append(address)
        raise ConnectionRefusedError(111, "refused")

    monkeypatch.setattr(socket, "create_connection", connect)
    assert "did not answer" in refusal("http://films.example/a.mp4", tmp_path)
    assert (asked, reached) == (["films.example"], [("93.184.215.14", 80)])


@pytest.mark.parametrize(
    "location", ["http://127.0.0.2/x", "http://[::1]/x", "//127.0.0.2/x", "http://inside.example/x", "http://0/"]
)
def test_a_redirect_that_leads_inside_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str
) -> None:
    loopback_is_public(monkeypatch)
    names(monkeypatch, {"inside.example": [["10.0.0.1"]]})
    with answering(lambda line: [said(b"", f"Location: {location}", status="302 Found")]) as (address, seen):
        assert "not public" in refusal(f"{address}/a.mp4", tmp_path)
    assert len(seen) == 1


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    loopback_is_public(monkeypatch)

    def answer(line: str) -> list[bytes]:
        return [said(b"film")] if "/there" in line else [said(b"", "Location: ../there%20is?a=Ã¼", status=status)]

    with answering(answer) as (address, seen):
        assert fetch(f"{address}/a/b.mp4", tmp_path, QUICK).read_bytes() == b"film"
    assert seen[1].startswith("GET /there%20is?a=%C3%BC HTTP/1.1")


@pytest.mark.parametrize("location", ["file:///etc/passwd", "s3://bucket/key", "ftp://example.com/", "data:,x"])
def test_a_redirect_to_what_is_no_web_address_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str
) -> None:
    loopback_is_public(monkeypatch)
    with answering(lambda line: [said(b"", f"Location: {location}", status="302 Found")]) as (address, _):
        assert "no http or https address" in refusal(address, tmp_path)


def test_a_redirect_to_nowhere_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loopback_is_public(monkeypatch)
    with answering(lambda line: [said(b"film", status="302 Found")]) as (address, seen):
        assert "to nowhere" in refusal(address, tmp_path)
    assert len(seen) == 1


def test_a_circle_of_redirects_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loopback_is_public(monkeypatch)
    with answering(lambda line: [said(b"", "Location: /again", status="302 Found")]) as (address, seen):
        assert "redirected more than 2 times" in refusal(address, tmp_path)
    assert len(seen) == 3


def certified(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """A server's context with a certificate of `name`, and the file of the root that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
        .add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256())
    )  # fmt: skip
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    root, private = folder / "root.pem", folder / "key.pem"
    root.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, *plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(root, private)
    return context, root


def _secure(tmp_path: Path, patch: pytest.MonkeyPatch, name: str) -> ssl.SSLContext:
    loopback_is_public(patch)
    names(patch, {"films.example": [["127.0.0.1"]], "other.example": [["127.0.0.1"]]})
    server, root = certified(tmp_path, name)
    patch.setattr(web, "tls", lambda: ssl.create_default_context(cafile=str(root)))
    return server


def test_the_certificate_is_held_to_the_name_though_the_address_is_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = _secure(tmp_path, monkeypatch, "films.example")
    asked: list[str | None] = []
    server.sni_callback = lambda sock, name, context: asked.append(name)  # type: ignore[assignment]
    with answering(lambda line: [said(b"film")], server) as (address, seen):
        port = address.rpartition(":")[2]
        url = f"https://me:pass%20word@films.example:{port}/a.mp4"
        assert fetch(url, tmp_path / "in", QUICK).read_bytes() == b"film"
        assert "Authorization: Basic bWU6cGFzcyB3b3Jk\r\n" in seen[0]
        assert f"Host: films.example:{port}\r\n" in seen[0]
        assert "does not hold" in refusal(f"https://other.example:{port}/a.mp4", tmp_path / "in")
    assert asked == ["films.example", "other.example"]
    assert len(seen) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = _secure(tmp_path, monkeypatch, "films.example")
    monkeypatch.setattr(web, "tls", ssl.create_default_context)
    with answering(lambda line: [said(b"film")], server) as (address, _):
        assert "does not hold" in refusal(address.replace("127.0.0.1", "films.example"), tmp_path / "in")


@pytest.mark.parametrize("there", ["other.example", "films.example"])
def test_a_password_goes_to_the_place_that_it_was_written_for_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: str
) -> None:
    server = _secure(tmp_path, monkeypatch, "films.example")
    plain = ssl.create_default_context
    monkeypatch.setattr(web, "tls", lambda: _unchecked(plain()))

    def answer(line: str) -> list[bytes]:
        if "/there" in line:
            return [said(b"film")]
        return [said(b"", f"Location: https://{there}:{port}/there", status="302 Found")]

    with answering(answer, server) as (address, seen):
        port = address.rpartition(":")[2]
        fetch(f"https://me:secret@films.example:{port}/a", tmp_path / "in", QUICK)
    assert ["Authorization" in request for request in seen] == [True, there == "films.example"]


def _unchecked(context: ssl.SSLContext) -> ssl.SSLContext:
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def test_https_is_not_left_for_http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = _secure(tmp_path, monkeypatch, "films.example")
    with answering(lambda line: [said(b"", "Location: http://films.example/x", status="302 Found")], server) as (at, _):
        told = refusal(at.replace("127.0.0.1", "films.example"), tmp_path / "in")
    assert "from https to http" in told


def test_no_password_goes_over_http(tmp_path: Path, nothing_opened: None) -> None:
    assert "for all to read" in refusal("http://me:secret@example.com/a", tmp_path)


def test_the_second_address_is_tried_where_the_first_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tried = socket.create_connection, []

    def connect(address: Any, *given: Any) -> socket.socket:
        tried.append(address[0])
        if address[0] != "127.0.0.1":
            raise ConnectionRefusedError(111, "refused")
        return real(address, *given)

    loopback_is_public(monkeypatch)
    names(monkeypatch, {"films.example": [["93.184.215.14", "127.0.0.1"]]})
    monkeypatch.setattr(socket, "create_connection", connect)
    with answering(lambda line: [said(b"film")]) as (address, _):
        url = address.replace("127.0.0.1", "films.example")
        assert fetch(url, tmp_path, QUICK).read_bytes() == b"film"
    assert tried == ["93.184.215.14", "127.0.0.1"]
