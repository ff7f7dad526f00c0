"""OCSP answers signed with RSASSA-PSS count where their parameters are those that the certificate profile allows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from asn1crypto import algos
from asn1crypto import ocsp as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from provenance.pki.revocation import Revocation, look
from tests.provenance.stamping import DAY

NOW = datetime.now(UTC).replace(microsecond=0)
KEY, OTHER = (rsa.generate_private_key(65537, 2048) for _ in range(2))
DIGESTS = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}


def certificate(name: str, serial: int) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority")])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(KEY.public_key())
    builder = builder.serial_number(serial).not_valid_before(NOW - DAY).not_valid_after(NOW + DAY)
    return builder.sign(KEY, hashes.SHA256())


AUTHORITY, LEAF = certificate("Authority", 1), certificate("Ada", 2)


def parameters(digest: str, mask: str, salt: int, trailer: int = 1) -> algos.RSASSAPSSParams:
    return algos.RSASSAPSSParams(
        {
            "hash_algorithm": {"algorithm": digest},
            "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": mask}},
            "salt_length": salt,
            "trailer_field": trailer,
        }
    )


def answer(
    stated: algos.RSASSAPSSParams | None,
    *,
    digest: str = "sha256",
    mask: str = "",
    salt: int = 32,
    key: rsa.RSAPrivateKey = KEY,
    revoked: bool = False,
) -> bytes:
    """About Ada's certificate, signed with `digest`, `mask` and `salt`; `stated` is what it says of that."""
    status = ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD
    when = NOW if revoked else None
    plain = (
        ocsp.OCSPResponseBuilder()
        .add_response(LEAF, AUTHORITY, hashes.SHA1(), status, NOW, None, when, None)
        .responder_id(ocsp.OCSPResponderEncoding.NAME, AUTHORITY)
        .sign(KEY, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )
    basic: Any = asn1.OCSPResponse.load(plain)["response_bytes"]["response"].parsed
    scheme = padding.PSS(padding.MGF1(DIGESTS[mask or digest]), salt)
    basic["signature"] = key.sign(basic["tbs_response_data"].dump(), scheme, DIGESTS[digest])
    named: dict[str, Any] = {"algorithm": "rsassa_pss"} | ({} if stated is None else {"parameters": stated})
    basic["signature_algorithm"] = algos.SignedDigestAlgorithm(named)
    held = {"response_type": "basic_ocsp_response", "response": basic}
    der: bytes = asn1.OCSPResponse({"response_status": "successful", "response_bytes": held}).dump()
    return der


def said(der: bytes) -> Revocation:
    return look(LEAF, AUTHORITY, [der], NOW, "in the file")


@pytest.mark.parametrize(("digest", "salt"), [("sha256", 32), ("sha384", 48), ("sha512", 64), ("sha256", 0)])
def test_an_answer_with_allowed_parameters_counts(digest: str, salt: int) -> None:
    assert said(answer(parameters(digest, digest, salt), digest=digest, salt=salt)).state == "not revoked"


def test_it_may_say_revoked() -> None:
    assert said(answer(parameters("sha256", "sha256", 32), revoked=True)).state == "revoked"


@pytest.mark.parametrize(
    "der",
    [
        answer(parameters("sha256", "sha256", 32), key=OTHER),
        answer(parameters("sha256", "sha256", 20)),
        answer(parameters("sha256", "sha256", -1)),
        answer(parameters("sha256", "sha256", 2**40)),
        answer(parameters("sha256", "sha256", 32, trailer=2)),
        answer(parameters("sha512", "sha512", 32)),
        answer(parameters("sha256", "sha1", 32), mask="sha1"),
        answer(parameters("sha1", "sha1", 20), digest="sha1", salt=20),
        answer(algos.RSASSAPSSParams.load(b"\x30\0"), digest="sha1", salt=20),
        answer(None),
    ],
    ids=["another key", "another salt", "salt below zero", "endless salt", "another trailer", "another digest",
         "mask of another digest", "sha1", "left out", "no parameters"],
)  # fmt: skip
def test_other_parameters_leave_it_unknown(der: bytes) -> None:
    assert said(der).state == "unknown"
