"""A certificate authority of our making for the tests of verification: signers, a time-stamp authority on loopback,
OCSP answers.

The time-stamp authority is `openssl ts -reply` behind a small HTTP server; tests that need it are skipped without
openssl.
"""

from __future__ import annotations

import io
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID, ObjectIdentifier

DAY = timedelta(days=1)
# Of answers. A suite may take longer than an answer may lie ahead of what a test took for now when it was loaded.
BEGUN = datetime.now(UTC)
CLAIM_SIGNING = ObjectIdentifier("1.3.6.1.4.1.62558.2.1")


@dataclass(frozen=True)
class Entity:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def issue(
    name: str,
    issuer: Entity | None = None,
    *,
    authority: bool = False,
    usages: Sequence[ObjectIdentifier] = (),
    start: datetime | None = None,
    end: datetime | None = None,
    responder: str | None = None,
    usage_critical: bool = False,
    length: int | None = None,
    extra: x509.ExtensionType | None = None,
) -> Entity:
    """A certificate for `name` with a key of its own; without an issuer it signs itself. `responder`: an OCSP
    address; `length`: how many authorities may stand below; `extra`: one more extension, critical.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, f"{name} Works"), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
    now = datetime.now(UTC)
    signing = issuer or Entity(None, key)  # type: ignore[arg-type]
    usage = {
        "digital_signature": not authority,
        "content_commitment": not authority,
        "key_cert_sign": authority,
        "crl_sign": authority,
        "key_encipherment": False,
        "data_encipherment": False,
        "key_agreement": False,
        "encipher_only": False,
        "decipher_only": False,
    }
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signing.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start or now - DAY)
        .not_valid_after(end or now + 100 * DAY)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=length), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.key.public_key()), critical=False)
    )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=usage_critical)
    if responder:
        place = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(responder))
        builder = builder.add_extension(x509.AuthorityInformationAccess([place]), critical=False)
    if extra is not None:
        builder = builder.add_extension(extra, critical=True)
    return Entity(builder.sign(signing.key, hashes.SHA256()), key)


def signer(name: str, issuer: Entity, **more: Any) -> Entity:
    """A leaf that may sign claims."""
    return issue(name, issuer, usages=[CLAIM_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION], **more)


def stamper(name: str, issuer: Entity, **more: Any) -> Entity:
    """A leaf that may stamp times."""
    return issue(name, issuer, usages=[ExtendedKeyUsageOID.TIME_STAMPING], usage_critical=True, **more)


def sign_as(
    leaf: Entity, chain: Sequence[Entity], source: Path, to: Path, manifest: dict[str, Any], tsa: str | None = None
) -> Path:
    """Signs `source` with the library itself. `chain`: the certificates between the leaf and its root."""
    from c2pa import Builder, C2paSigningAlg, Context, Signer
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    from provenance.library.settings import signing

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(leaf.key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    pem = b"".join(entity.pem for entity in (leaf, *chain)).decode()
    library = Signer.from_callback(sign, C2paSigningAlg.ES256, pem, tsa)
    settings = signing(0)
    settings["core"].pop("allowed_network_hosts", None)
    builder = Builder({"claim_version": 2, **manifest}, Context.from_dict(settings, signer=library))
    with source.open("rb") as media, to.open("w+b") as output:
        builder.sign("video/mp4", io.BytesIO(media.read()), output)
    return to


def answer(
    leaf: Entity,
    issuer: Entity,
    responder: Entity,
    *,
    revoked: bool = False,
    now: datetime | None = None,
    embed: Sequence[Entity] = (),
    algorithm: hashes.HashAlgorithm | None = None,
) -> bytes:
    """An OCSP answer about `leaf`, signed by `responder`, in DER; good for a week."""
    now = now or BEGUN
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            cert=leaf.certificate,
            issuer=issuer.certificate,
            algorithm=algorithm or hashes.SHA1(),
            cert_status=ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD,
            this_update=now,
            next_update=now + 7 * DAY,
            revocation_time=now if revoked else None,
            revocation_reason=x509.ReasonFlags.key_compromise if revoked else None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.NAME, responder.certificate)
    )
    if embed:
        builder = builder.certificates([entity.certificate for entity in embed])
    return builder.sign(responder.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def token(*signers: Entity, also: Sequence[Entity] = ()) -> bytes:
    """A CMS message as in a time-stamp token, with the certificates of its signers and others."""
    from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder

    builder = PKCS7SignatureBuilder().set_data(b"a time")
    for entity in signers:
        builder = builder.add_signer(entity.certificate, entity.key, hashes.SHA256())
    for entity in also:
        builder = builder.add_certificate(entity.certificate)
    return builder.sign(serialization.Encoding.DER, [PKCS7Options.Binary])


@contextmanager
def serve(reply: Any) -> Iterator[tuple[str, list[str]]]:
    """An HTTP server on loopback: `reply(path, body)` gives (status, headers, content). Yields its address and the
    requests so far.
    """
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            seen.append(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, content = reply(self.path, body)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _answer

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def time_stamp_authority(folder: Path, leaf: Entity, chain: Sequence[Entity]) -> Iterator[str]:
    """A time-stamp authority on loopback that signs with `leaf` (RFC 3161). Yields its address."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "leaf.pem").write_bytes(leaf.pem)
    (folder / "leaf.key").write_bytes(leaf.key_pem())
    (folder / "chain.pem").write_bytes(b"".join(entity.pem for entity in chain) or leaf.pem)
    (folder / "serial").write_text("01\n")
    (folder / "tsa.conf").write_text(
        "[tsa]\ndefault_tsa = us\n[us]\n"
        f"serial = {folder}/serial\nsigner_cert = {folder}/leaf.pem\nsigner_key = "
        f"{folder}/leaf.key\ncerts = {folder}/chain.pem\n"
        "signer_digest = sha256\ndefault_policy = 1.2.3.4.1\ndigests = sha256, sha384, sha512\naccuracy = secs:1\n"
        "ordering = no\ntsa_name = no\ness_cert_id_chain = no\ness_cert_id_alg = sha256\n"
    )

    def reply(path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        (folder / "query").write_bytes(body)
        command = ["openssl", "ts", "-reply", "-config", "tsa.conf", "-queryfile", "query", "-out", "reply"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        return 200, {"Content-Type": "application/timestamp-reply"}, (folder / "reply").read_bytes()

    with serve(reply) as (address, _):
        yield address
