"""Trust lists as they are published: PEM bundles, and JSON by ETSI TS 119 602 (the form of the C2PA lists). Never
fetched.

In: a file that somebody took from the publisher on a day, and what it is for: signers, or time-stamps. Out: a
`TrustList` with its certificates, its date and its digest. The date is the list's own, or stands in the file's name; a
list without a date is refused, because nobody could say how old the answer is. A list of time-stamp authorities is
refused where signers are asked for, and the reverse.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from provenance.pki.certificates import load_anchors
from provenance.pki.paths import UNREADABLE_CERTIFICATE
from sfumato.errors import UsageError
from sfumato.limits import TRUST
from sfumato.regular_file import read_regular

Purpose = Literal["signers", "stamps"]
OLD = timedelta(days=90)  # the C2PA lists change every few weeks
TRUSTED_STATUS = "http://c2pa.org/conformance/trust-list/trusted"
_DAY = re.compile(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?!\d)")


@dataclass(frozen=True)
class TrustList:
    """pem: its certificates. `issued`, `next_update`: when the list was made and when it should be replaced. `warning`:
    why it is old.
    """

    path: Path
    purpose: Purpose
    pem: bytes
    size: int
    issued: datetime
    next_update: datetime | None
    sha256: str
    warning: str = ""


def load_trust_list(path: Path, purpose: Purpose = "signers", now: datetime | None = None) -> TrustList:
    """Reads a list. `now` is for tests. Raises UsageError for a file without certificates, without a date, or for
    another purpose.
    """
    now = now or datetime.now(UTC)
    try:
        data = read_regular(path, TRUST)
    except OSError as error:
        raise UsageError(f"Cannot read the trust list {path}: {error.strerror}") from error
    next_update = None
    if data.lstrip()[:1] in (b"{", b"["):
        certificates, issued, next_update = _from_json(path, data, purpose, now)
    else:
        certificates, issued = _from_pem(path, data), _day_in(path.name)
    if issued is None:
        advice = f"Put the day it was issued into its name, as {path.stem}-2026-01-31{path.suffix}."
        raise UsageError(f"The trust list {path} has no date", advice)
    _check_purpose(path, certificates, purpose)
    pem = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)
    digest = hashlib.sha256(data).hexdigest()
    return TrustList(
        path, purpose, pem, len(certificates), issued, next_update, digest, _warning(issued, next_update, now)
    )


def _warning(issued: datetime, next_update: datetime | None, now: datetime) -> str:
    if issued > now + timedelta(days=1):
        return f"dated in the future, {issued.date()}"
    if next_update is not None and next_update < now:
        return f"should have been replaced by {next_update.date()}"
    if now - issued > OLD:
        return f"{(now - issued).days} days old"
    return ""


def _from_pem(path: Path, data: bytes) -> list[x509.Certificate]:
    try:
        return load_anchors([data])
    except UsageError as error:
        raise UsageError(f"{path} holds no readable certificate", error.advice) from error


def _from_json(
    path: Path, data: bytes, purpose: Purpose, now: datetime
) -> tuple[list[x509.Certificate], datetime | None, datetime | None]:
    """ETSI TS 119 602: LoTE / TrustedEntitiesList / TrustedEntityServices / ServiceInformation, with the status of the
    C2PA's extension.
    """
    advice = "Give a list in the form of ETSI TS 119 602, or a PEM bundle."
    try:
        document = json.loads(data)["LoTE"]
        scheme = document["ListAndSchemeInformation"]
        certificates = list(_trusted(document, now))
        issued, next_update = _time(scheme.get("ListIssueDateTime")), _time(scheme.get("NextUpdate"))
        title = " ".join(str(name.get("value")) for name in scheme.get("SchemeName", []))
    except (*UNREADABLE_CERTIFICATE, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"Cannot read the trust list {path}: {type(error).__name__}: {error}", advice) from error
    if not certificates:
        raise UsageError(f"{path} holds no trusted certificate", advice)
    if title and ("TSA" in title) != (purpose == "stamps"):
        raise UsageError(f"{path} is called {title!r}, which is not a list of {purpose}", _other_option(purpose))
    return certificates, issued, next_update


def _trusted(document: Any, now: datetime) -> Iterator[x509.Certificate]:
    for entity in document["TrustedEntitiesList"]:
        for service in entity["TrustedEntityServices"]:
            information = service["ServiceInformation"]
            since = _time(information.get("StatusStartingTime"))
            if information.get("ServiceStatus") != TRUSTED_STATUS or (since is not None and since > now):
                continue
            for entry in information["ServiceDigitalIdentity"]["X509Certificates"]:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    try:
                        yield x509.load_der_x509_certificate(base64.b64decode(entry["val"], validate=True))
                    except binascii.Error as error:
                        raise ValueError(f"a certificate is not base64 ({error})") from error


def _check_purpose(path: Path, certificates: list[x509.Certificate], purpose: Purpose) -> None:
    """An authority whose certificate is for time-stamps alone does not belong among signers, nor one that may not stamp
    among stampers.
    """
    for certificate in certificates:
        try:
            usages = set(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
        except (x509.ExtensionNotFound, *UNREADABLE_CERTIFICATE):
            continue  # a root: good for whatever it is given for
        stamping = ExtendedKeyUsageOID.TIME_STAMPING
        if (purpose == "signers" and usages == {stamping}) or (purpose == "stamps" and stamping not in usages):
            name = certificate.subject.rfc4514_string()[:100]
            raise UsageError(f"{path} holds {name!r}, which is not for {purpose}", _other_option(purpose))


def _other_option(purpose: Purpose) -> str:
    return "Give it with --tsa-trust-list." if purpose == "signers" else "Give it with --trust-list."


def _time(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _day_in(name: str) -> datetime | None:
    for year, month, day in _DAY.findall(name):
        try:
            return datetime(int(year), int(month), int(day), tzinfo=UTC)
        except ValueError:
            continue
    return None
