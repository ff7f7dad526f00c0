"""A signed head: who vouches that a log had so many lines, and which digest the last of them.

In: a statement about a log and a signer, or a line of kind "head". Out: the body of such a line, or a `SignedHead`. The
signature is a JSON Web Signature (RFC 7515) with its certificates in `x5c` and its content, the canonical JSON of the
statement, beside it (appendix F): any library for JWS can check it. What is signed begins with a header of JSON, that
of a C2PA claim with one of CBOR: neither can be taken for the other.
"""

from __future__ import annotations

import base64
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from provenance.audit.line import Line, canonical, is_digest
from provenance.pki.paths import LONGEST_CHAIN, UNREADABLE_CERTIFICATE
from provenance.signers import Signer
from provenance.signers.algorithms import algorithm_of, checked_signature
from sfumato.errors import SealError, SfumatoError
from sfumato.structure.json_text import parse_json

TYPE = "sfumato-audit-head"
JWS_NAMES = {
    **{name: name.upper() for name in ("es256", "es384", "es512", "ps256", "ps384", "ps512")},
    "ed25519": "EdDSA",
}


@dataclass(frozen=True)
class Statement:
    """log: 32 hex digits, drawn when the log began; lines: how many it has; sha256: of the last of them; time: ISO
    8601, UTC, by the signer's clock.
    """

    log: str
    lines: int
    sha256: str
    time: str

    def as_json(self) -> dict[str, Any]:
        return {"type": TYPE, "log": self.log, "lines": self.lines, "sha256": self.sha256, "time": self.time}


@dataclass(frozen=True)
class SignedHead:
    """A statement whose signature fits `chain`, leaf first; who that is to be believed is another question."""

    statement: Statement
    chain: tuple[x509.Certificate, ...]
    signature: bytes


def signed_body(statement: Statement, signer: Signer) -> dict[str, Any]:
    """The body of the line that says `statement`. Raises SealError, and what the signer raises."""
    certificates = x509.load_pem_x509_certificates(signer.chain_pem.encode("ascii"))
    header = {
        "alg": JWS_NAMES[signer.alg],
        "typ": TYPE,
        "x5c": [base64.b64encode(each.public_bytes(Encoding.DER)).decode("ascii") for each in certificates],
    }
    protected = _encoded(canonical(header))
    signature = signer.sign(_signed_bytes(protected, statement))
    body = {"statement": statement.as_json(), "protected": protected, "signature": _encoded(signature)}
    try:
        read_head(body)
    except ValueError as error:
        raise SealError(f"The signed head does not read back: {error}", "Is the chain that of the key?") from error
    return body


def read_head(body: Mapping[str, Any]) -> SignedHead:
    """The head that the body of a line holds. Raises ValueError, with a sentence for people, unless its signature
    fits.
    """
    try:
        if body.keys() != {"statement", "protected", "signature"}:
            raise ValueError("its keys are others")
        statement = _statement(body["statement"])
        header, signature = parse_json(_decoded(body["protected"])), _decoded(body["signature"])
        if header.keys() != {"alg", "typ", "x5c"} or header["typ"] != TYPE or len(header["x5c"]) > LONGEST_CHAIN:
            raise ValueError("its header is another")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some certificates have odd serial numbers
            chain = tuple(
                x509.load_der_x509_certificate(base64.b64decode(each, validate=True)) for each in header["x5c"]
            )
        key: Any = chain[0].public_key()
        alg = next(name for name, jws in JWS_NAMES.items() if jws == header["alg"])
        algorithm = algorithm_of(key, alg)
        signed = _signed_bytes(body["protected"], statement)
        if checked_signature(signature, signed, algorithm, key) != signature:
            raise ValueError("it is not in the form of RFC 7518, section 3.4")
    except SfumatoError as error:
        raise ValueError(f"its signature does not fit ({error.message})") from error
    except (*UNREADABLE_CERTIFICATE, TypeError, KeyError, IndexError, AttributeError, StopIteration) as error:
        raise ValueError(f"its signature cannot be read ({error})") from error
    return SignedHead(statement, chain, signature)


def head_of(line: Line, log: str) -> SignedHead:
    """The head in a line of the log `log`; it must speak of all lines before it. Raises ValueError as `read_head`."""
    found = read_head(line.body)
    said = found.statement
    if (said.log, said.lines, said.sha256, said.time) != (log, line.number - 1, line.previous, line.time):
        raise ValueError("its signature is of another place, or of another log")
    return found


def _statement(value: Any) -> Statement:
    if not isinstance(value, dict) or value.keys() != {"type", "log", "lines", "sha256", "time"}:
        raise ValueError("its statement is none")
    texts = isinstance(value["log"], str) and isinstance(value["time"], str) and is_digest(value["sha256"])
    if value["type"] != TYPE or type(value["lines"]) is not int or not texts:
        raise ValueError("its statement is none")
    return Statement(value["log"], value["lines"], value["sha256"], value["time"])


def _signed_bytes(protected: str, statement: Statement) -> bytes:
    """RFC 7515, section 5.1."""
    return f"{protected}.{_encoded(canonical(statement.as_json()))}".encode("ascii")


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decoded(text: str) -> bytes:
    """Only what `_encoded` writes: one content has one spelling."""
    data = base64.urlsafe_b64decode(text + "==")  # more than enough is no fault
    if _encoded(data) != text:
        raise ValueError("base64url in another spelling")
    return data
