"""Time-stamps: a real authority on this machine (openssl), one that fails in every way, and hosts that may not be
asked.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener, urlopen

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provenance.manifests.declaration import Declaration
from provenance.pki.keys import DevelopmentKeys
from provenance.pki.timestamp import Stamping, relay, without_proxy
from provenance.signers import Signer
from provenance.signing.seal import development_signer
from provenance.signing.sign import sign_file
from provenance.verifying.verify import verify
from sfumato.app.cli.main import main
from sfumato.errors import SealError, UsageError

CONFIG = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
certs = {folder}/root.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


def _authority_keys(folder: Path, proper: bool) -> None:
    """A root, and a certificate for time-stamps below it; an improper one does not say which key issued it."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name, name = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"sfumato test {part}")]) for part in ("root", "authority")
    )
    for public, subject, authority, file in ((root_key, root_name, True, "root"), (key, name, False, "tsa")):
        builder = (
            x509.CertificateBuilder(root_name, subject, public.public_key(), x509.random_serial_number())
            .not_valid_before(datetime.now(UTC) - timedelta(hours=1))
            .not_valid_after(datetime.now(UTC) + timedelta(days=30))
            .add_extension(x509.BasicConstraints(authority, None), critical=True)
            .add_extension(
                x509.KeyUsage(not authority, False, False, False, False, authority, authority, False, False),
                critical=True,
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public.public_key()), critical=False)
        )
        if proper:
            identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
            builder = builder.add_extension(identifier, critical=False)
        if not authority:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        pem = builder.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        (folder / f"{file}.pem").write_bytes(pem)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "tsa.key").write_bytes(secret)


class Authority(ThreadingHTTPServer):
    """Answers with what `answer` makes of a query: (status, headers, body). Counts the queries."""

    def __init__(self, answer: Callable[[bytes], tuple[int, dict[str, str], bytes]]) -> None:
        self.answer = answer
        self.asked = 0
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/tsa"


class _Handler(BaseHTTPRequestHandler):
    server: Authority

    def do_POST(self) -> None:
        self.server.asked += 1
        status, headers, body = self.server.answer(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture
def serve() -> Iterator[Callable[..., Authority]]:
    running: list[Authority] = []

    def start(answer: Callable[[bytes], tuple[int, dict[str, str], bytes]]) -> Authority:
        running.append(Authority(answer))
        threading.Thread(target=running[-1].serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return running[-1]

    yield start
    for authority in running:
        authority.shutdown()
        authority.server_close()


@pytest.fixture(scope="module")
def stamp(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bytes], tuple[int, dict[str, str], bytes]]:
    """Answers a query as `openssl ts` does, with a certificate of its own."""
    return _answering(tmp_path_factory.mktemp("tsa"), proper=True)


def _answering(folder: Path, *, proper: bool) -> Callable[[bytes], tuple[int, dict[str, str], bytes]]:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to answer time-stamp queries (Debian: apt install openssl)")
    (folder / "tsa.conf").write_text(CONFIG.format(folder=folder))
    (folder / "serial").write_text("01\n")
    _authority_keys(folder, proper)

    def answer(query: bytes) -> tuple[int, dict[str, str], bytes]:
        (folder / "query").write_bytes(query)
        reply = [
            "openssl",
            "ts",
            "-reply",
            "-config",
            folder / "tsa.conf",
            "-queryfile",
            folder / "query",
            "-out",
            folder / "reply",
        ]
        subprocess.run(reply, check=True, capture_output=True)
        return 200, {"Content-Type": "application/timestamp-reply"}, (folder / "reply").read_bytes()

    return answer


@pytest.fixture(scope="module")
def signer(keys: DevelopmentKeys) -> Signer:
    return development_signer(keys.folder.parent)


@pytest.mark.parametrize("large", [False, True])
def test_a_signature_is_stamped(
    stamp: Any,
    serve: Any,
    signer: Signer,
    unsealed: Path,
    root: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    large: bool,
) -> None:
    if large:
        monkeypatch.setattr("provenance.library.settings.LARGE", 1000)
    authority = serve(stamp)
    made = sign_file(unsealed, tmp_path / "out.mp4", Declaration(), signer, Stamping(authority.url))
    assert (made.stamped, made.unstamped, authority.asked) == (True, "", 1)
    found = verify(tmp_path / "out.mp4", [root])
    assert (found.outcome, found.time_source) == ("trusted", "unverified time-stamp")


PROGRAM = """
import os, sys
from pathlib import Path
from provenance.manifests.declaration import Declaration
from provenance.signing.seal import development_signer
from provenance.signing.sign import sign_file
from provenance.pki.timestamp import Stamping, without_proxy
source, out, url, careful = sys.argv[1:]
if careful == "yes":
    without_proxy(os.environ)
print(sign_file(Path(source), Path(out), Declaration(), development_signer(), Stamping(url)).stamped)
"""


@pytest.mark.parametrize(("careful", "said"), [("yes", "True"), ("no", "Set NO_PROXY=127.0.0.1")])
def test_a_proxy_does_not_stand_between(
    stamp: Any, serve: Any, keys: DevelopmentKeys, unsealed: Path, tmp_path: Path, careful: str, said: str
) -> None:
    """In a process of its own: the library reads these variables once."""
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    environment |= {"http_proxy": "http://127.0.0.1:1", "SFUMATO_KEYS": str(keys.folder.parent)}
    arguments = [sys.executable, "-c", PROGRAM, str(unsealed), str(tmp_path / "out.mp4"), serve(stamp).url, careful]
    done = subprocess.run(arguments, capture_output=True, text=True, env=environment, check=False)
    assert said in done.stdout + done.stderr


def test_loopback_is_added_to_what_is_there() -> None:
    environment = {"no_proxy": "example.org"}
    without_proxy(environment)
    without_proxy(environment)
    assert environment == {"no_proxy": "example.org,127.0.0.1", "NO_PROXY": "127.0.0.1"}


def test_the_command_stamps(
    stamp: Any,
    serve: Any,
    keys: DevelopmentKeys,
    unsealed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
) -> None:
    monkeypatch.setenv("SFUMATO_KEYS", str(keys.folder.parent))
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, os.environ.get(name, ""))  # put back afterwards
    command = ["sign", str(unsealed), "-o", str(tmp_path / "out.mp4"), "--kind", "generated", "--tsa"]
    assert main([*command, serve(stamp).url, "--tsa-host", "127.0.0.1"]) == 0
    assert "; time-stamp 2" in capsys.readouterr().out
    assert main([*command, "http://127.0.0.1:1/", "--tsa-failure", "unstamped", "--overwrite"]) == 0
    assert "; no time-stamp: " in capsys.readouterr().out
    assert main([*command, "http://127.0.0.1:1/", "--overwrite"]) == 2
    assert verify(tmp_path / "out.mp4").outcome == "untrusted"


def _failing(status: int, headers: dict[str, str], body: bytes) -> Callable[[bytes], tuple[int, dict[str, str], bytes]]:
    return lambda query: (status, headers, body)


def test_an_answer_that_spoils_the_file_counts_as_a_failure(
    serve: Any, signer: Signer, unsealed: Path, root: bytes, tmp_path: Path
) -> None:
    (tmp_path / "tsa").mkdir()
    authority = serve(_answering(tmp_path / "tsa", proper=False))  # the library then calls our own certificate invalid
    with pytest.raises(SealError, match=r"authority 127\.0\.0\.1 failed: the file does not hold with its answer"):
        sign_file(unsealed, tmp_path / "out.mp4", Declaration(), signer, Stamping(authority.url))
    assert not (tmp_path / "out.mp4").exists()
    made = sign_file(
        unsealed, tmp_path / "out.mp4", Declaration(), signer, Stamping(authority.url, on_failure="unstamped")
    )
    assert not made.stamped
    assert verify(tmp_path / "out.mp4", [root]).outcome == "trusted"


FAILURES = {
    "an error": (_failing(500, {}, b"no"), "500"),
    "a redirect": (_failing(302, {"Location": "http://127.0.0.1:1/elsewhere"}, b""), "302"),
    "a page": (_failing(200, {"Content-Type": "text/html"}, b"<html>"), "text/html"),
    "nonsense": (_failing(200, {"Content-Type": "application/timestamp-reply"}, b"nonsense"), "not accepted"),
    "an endless answer": (
        _failing(200, {"Content-Type": "application/timestamp-reply"}, b"0" * (1024 * 1024 + 1)),
        "larger than",
    ),
}


@pytest.mark.parametrize("kind", list(FAILURES))
def test_a_failing_authority_fails_the_signing(
    serve: Any, signer: Signer, unsealed: Path, tmp_path: Path, kind: str
) -> None:
    answer, why = FAILURES[kind]
    (tmp_path / "out.mp4").write_bytes(b"an older video")
    with pytest.raises(SealError, match=rf"time-stamp authority 127\.0\.0\.1 failed: .*{why}"):
        sign_file(unsealed, tmp_path / "out.mp4", Declaration(), signer, Stamping(serve(answer).url))
    assert (tmp_path / "out.mp4").read_bytes() == b"an older video"
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize("large", [False, True])
def test_an_authority_that_is_down_can_be_done_without(
    signer: Signer, unsealed: Path, root: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    if large:
        monkeypatch.setattr("provenance.library.settings.LARGE", 1000)
    made = sign_file(
        unsealed, tmp_path / "out.mp4", Declaration(), signer, Stamping("http://127.0.0.1:1/", on_failure="unstamped")
    )
    assert not made.stamped
    assert "refused" in made.unstamped
    found = verify(tmp_path / "out.mp4", [root])
    assert (found.outcome, found.time_source) == ("trusted", "claimed")


def test_a_failing_signer_is_not_blamed_on_the_authority(
    stamp: Any, serve: Any, signer: Signer, unsealed: Path, tmp_path: Path
) -> None:
    class Broken:
        alg, chain_pem = signer.alg, signer.chain_pem

        def sign(self, data: bytes) -> bytes:
            raise ConnectionError("the token was pulled out")

    with pytest.raises(SealError, match="The signer failed: ConnectionError: the token was pulled out"):
        sign_file(
            unsealed, tmp_path / "out.mp4", Declaration(), Broken(), Stamping(serve(stamp).url, on_failure="unstamped")
        )


@pytest.mark.parametrize(
    ("url", "hosts", "message"),
    [
        ("ftp://tsa.example/", (), "no address"),
        ("file:///etc/passwd", (), "no address"),
        ("tsa.example", (), "no address"),
        ("http://", (), "no address"),
        ("http://[::1", (), "no address"),
        ("http://tsa.example:port/", (), "no address"),
        ("http://name:word@tsa.example/", (), "a name, a password"),
        ("http://tsa.example/ /", (), "a space"),
        ("http://evil.example/", ("tsa.example",), "not among the allowed hosts"),
        ("http://tsa.example.evil.example/", ("tsa.example",), "not among the allowed hosts"),
        ("http://tsa.example@evil.example/", ("tsa.example",), "a name, a password"),
    ],
)
def test_an_address_that_may_not_be_asked_is_refused(url: str, hosts: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Stamping(url, hosts)


def test_hosts_are_compared_without_case() -> None:
    assert Stamping("https://TSA.example:8080/x", ("tsa.Example",)).host == "tsa.example"


def test_only_who_knows_the_secret_address_reaches_the_authority(stamp: Any, serve: Any) -> None:
    authority = serve(stamp)
    with relay(Stamping(authority.url)) as between:
        assert between.address.startswith("http://127.0.0.1:")
        with pytest.raises(HTTPError, match="404"):
            urlopen(Request(between.address.rpartition("/")[0] + "/guess", b"query"), timeout=5)
    assert authority.asked == 0


def test_a_name_that_leads_to_this_machine_may_be_asked(serve: Any) -> None:
    """The user wrote it; a stranger's file could not."""
    authority = serve(_failing(200, {"Content-Type": "application/timestamp-reply"}, b"a token"))
    with relay(Stamping(authority.url.replace("127.0.0.1", "localhost"))) as between:
        assert urlopen(Request(between.address, b"query"), timeout=5).read() == b"a token"


def test_no_proxy_is_asked_for_a_time_stamp(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, proxy = serve(lambda query: (500, {}, b"no")), serve(lambda query: (500, {}, b"no"))
    with relay(Stamping(authority.url.replace("127.0.0.1", "localhost"))) as between:
        opener = build_opener(ProxyHandler({}))
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "")
        with pytest.raises(HTTPError):
            opener.open(Request(between.address, b"query"), timeout=5)
    assert (authority.asked, proxy.asked) == (1, 0)


def test_a_host_that_cannot_be_one_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="not a host"), relay(Stamping("http://tsa_of-/x")):
        pass


def test_nothing_listens_and_nobody_is_asked_without_an_authority(
    signer: Signer, unsealed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    def refuse(*arguments: Any) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    sign_file(unsealed, tmp_path / "out.mp4", Declaration(), signer)
