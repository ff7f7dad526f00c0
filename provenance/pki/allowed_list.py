"""An allowed list: single certificates of signers that count by themselves, without a chain (C2PA specification 2.4,
section 14.4.3: private credential storage).

In: a file in the form that c2pa-rs takes: certificates in PEM, or a line for each with the SHA-256 of its DER, in
base64; hex is taken, too, as `sfumato keys show` writes it. Other lines are comments. Out: an `AllowedList`. An entry
vouches for that one certificate as a signer: it issues no other, and says nothing of time-stamps.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from provenance.pki.certificates import fingerprint
from provenance.pki.paths import UNREADABLE_CERTIFICATE
from sfumato.errors import UsageError
from sfumato.limits import TRUST
from sfumato.regular_file import read_regular

_BLOCK = re.compile(rb"-----BEGIN [^-\n]*-----.*?-----END [^-\n]*-----", re.DOTALL)
_HEX = re.compile(rb"(?:sha256:\s*)?([0-9a-f]{64})", re.IGNORECASE)


@dataclass(frozen=True)
class AllowedList:
    """fingerprints: SHA-256 of each certificate's DER, hex. `sha256`: of the file."""

    path: Path
    fingerprints: frozenset[str]
    sha256: str


def load_allowed_list(path: Path) -> AllowedList:
    """Raises UsageError for a file that cannot be read, holds a damaged certificate, or names none."""
    try:
        data = read_regular(path, TRUST)
    except OSError as error:
        raise UsageError(f"Cannot read the allowed list {path}: {error.strerror}") from error
    found = frozenset((*_certificates(path, data), *_digests(_BLOCK.sub(b"", data))))
    if not found:
        raise UsageError(
            f"The allowed list {path} names no certificate", "Give PEM, or a line with the SHA-256 of each, in base64."
        )
    return AllowedList(path, found, hashlib.sha256(data).hexdigest())


def _certificates(path: Path, data: bytes) -> Iterator[str]:
    if b"-----BEGIN CERTIFICATE" not in data:
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some have odd serial numbers
            yield from (fingerprint(each) for each in x509.load_pem_x509_certificates(data))
    except UNREADABLE_CERTIFICATE as error:
        raise UsageError(f"The allowed list {path} holds a damaged certificate", "Give PEM.") from error


def _digests(text: bytes) -> Iterator[str]:
    for line in map(bytes.strip, text.splitlines()):
        hexadecimal = _HEX.fullmatch(line.replace(b":", b"") if line.count(b":") == 31 else line)
        if hexadecimal:
            yield hexadecimal[1].decode().lower()
        elif len(line) == 44:
            try:
                digest = base64.b64decode(line, validate=True)
            except binascii.Error:
                continue
            if len(digest) == 32:
                yield digest.hex()
