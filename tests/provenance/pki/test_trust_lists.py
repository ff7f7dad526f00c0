"""Trust lists: PEM and ETSI JSON, always dated, each for its own purpose; an old one is said to be old, a wrong one is
refused.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from provenance.pki.certificates import load_anchors
from provenance.pki.trust_lists import TRUSTED_STATUS, load_trust_list
from sfumato.errors import UsageError
from tests.provenance.stamping import CLAIM_SIGNING, Entity, issue

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ROOT = issue("Root", authority=True)
SIGNERS = issue("Signers", ROOT, authority=True, usages=[CLAIM_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION])
STAMPS = issue("Stamps", ROOT, authority=True, usages=[ExtendedKeyUsageOID.TIME_STAMPING])


def _service(entity: Entity, status: str = TRUSTED_STATUS, since: str = "2025-01-01T00:00:00Z") -> dict[str, Any]:
    encoded = base64.b64encode(entity.certificate.public_bytes(Encoding.DER)).decode()
    identity = {"X509Certificates": [{"val": encoded}]}
    return {
        "ServiceInformation": {"ServiceDigitalIdentity": identity, "ServiceStatus": status, "StatusStartingTime": since}
    }


def _document(
    *services: dict[str, Any], name: str = "C2PA Trust List", issued: str | None = "2026-05-20T00:00:00Z", **more: str
) -> bytes:
    scheme: dict[str, Any] = {"LoTEVersionIdentifier": 1, "SchemeName": [{"lang": "en", "value": name}], **more}
    if issued:
        scheme["ListIssueDateTime"] = issued
    entities = [{"TrustedEntityInformation": {}, "TrustedEntityServices": list(services)}]
    return json.dumps({"LoTE": {"ListAndSchemeInformation": scheme, "TrustedEntitiesList": entities}}).encode()


def _write(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).write_bytes(data)
    return folder / name


def test_a_json_list_says_its_own_date(tmp_path: Path) -> None:
    path = _write(
        tmp_path, "list.json", _document(_service(ROOT), _service(SIGNERS), NextUpdate="2027-05-20T00:00:00Z")
    )
    found = load_trust_list(path, "signers", NOW)
    assert (found.issued.date().isoformat(), found.size, found.warning) == ("2026-05-20", 2, "")
    assert load_anchors([found.pem]) == [ROOT.certificate, SIGNERS.certificate]
    assert len(found.sha256) == 64


def test_only_what_is_trusted_by_now_is_taken(tmp_path: Path) -> None:
    out = TRUSTED_STATUS.replace("/trusted", "/untrusted")
    document = _document(
        _service(ROOT), _service(SIGNERS, out), _service(issue("Later", authority=True), since="2026-12-01T00:00:00Z")
    )
    assert load_anchors([load_trust_list(_write(tmp_path, "list.json", document), "signers", NOW).pem]) == [
        ROOT.certificate
    ]


def test_a_pem_bundle_has_its_date_in_its_name(tmp_path: Path) -> None:
    pem = b"Subject\tCN=Root\n" + ROOT.pem + b"Subject\tCN=Signers\n" + SIGNERS.pem
    for name in ("C2PA-TRUST-LIST-2026-05-20.pem", "20260520_list.pem"):
        found = load_trust_list(_write(tmp_path, name, pem), "signers", NOW)
        assert (found.issued.date().isoformat(), found.size) == ("2026-05-20", 2)


@pytest.mark.parametrize("name", ["list.pem", "list-2026-13-40.pem", "list-120260520.pem"])
def test_a_list_without_a_date_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="has no date"):
        load_trust_list(_write(tmp_path, name, ROOT.pem), "signers", NOW)
    with pytest.raises(UsageError, match="has no date"):
        load_trust_list(_write(tmp_path, "list.json", _document(_service(ROOT), issued=None)), "signers", NOW)


@pytest.mark.parametrize(
    ("issued", "next_update", "warning"),
    [
        ("2026-05-20", "2027-01-01", ""),
        ("2026-01-01", "2027-01-01", "151 days old"),
        ("2026-05-20", "2026-05-30", "should have been replaced by 2026-05-30"),
        ("2026-07-01", "2027-01-01", "dated in the future"),
    ],
)
def test_an_old_list_is_called_old(tmp_path: Path, issued: str, next_update: str, warning: str) -> None:
    document = _document(_service(ROOT), issued=f"{issued}T00:00:00Z", NextUpdate=f"{next_update}T00:00:00Z")
    found = load_trust_list(_write(tmp_path, "list.json", document), "signers", NOW).warning
    assert warning in found
    assert bool(warning) is bool(found)


def test_each_list_is_for_its_own_purpose(tmp_path: Path) -> None:
    signers, stamps = _write(tmp_path, "s-20260520.pem", SIGNERS.pem), _write(tmp_path, "t-20260520.pem", STAMPS.pem)
    titled = _write(tmp_path, "titled.json", _document(_service(ROOT), name="C2PA TSA Trust List"))
    cases = (
        (stamps, "signers", "--tsa-trust-list"),
        (signers, "stamps", "--trust-list"),
        (titled, "signers", "--tsa-trust-list"),
    )
    for path, purpose, option in cases:
        with pytest.raises(UsageError) as refused:
            load_trust_list(path, purpose, NOW)  # type: ignore[arg-type]
        assert option in refused.value.advice
    assert load_trust_list(titled, "stamps", NOW).size == 1
    assert load_trust_list(stamps, "stamps", NOW).size == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no list",
        b"{}",
        b"[]",
        b'{"LoTE": []}',
        b'{"LoTE": {"ListAndSchemeInformation": {}, "TrustedEntitiesList": []}}',
        _document(),
        _document(_service(ROOT)).replace(b"MII", b"!!!"),
        _document(_service(ROOT), issued="yesterday"),
        b"[" * 100_000,
    ],
)
def test_what_is_no_list_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UsageError) as refused:
        load_trust_list(_write(tmp_path, "list-2026-05-20.json", data), "signers", NOW)
    assert refused.value.exit_code == 2


@pytest.mark.footage
def test_the_published_lists_are_read(footage: Path, tmp_path: Path) -> None:
    folder = next(
        (
            place / "trust"
            for place in (footage / "c2pa", footage.parent / "c2pa", footage)
            if (place / "certs").is_dir()
        ),
        None,
    )
    if folder is None:
        pytest.skip("the footage comes without a folder c2pa")
    for name, purpose, size in (("C2PA-TRUST-LIST", "signers", 30), ("C2PA-TSA-TRUST-LIST", "stamps", 22)):
        data = (folder / f"conformance-public__{name}.pem").read_bytes()
        path = _write(tmp_path, f"{name}-2026-05-20.pem", data)
        assert load_trust_list(path, purpose, NOW).size == size  # type: ignore[arg-type]
        with pytest.raises(UsageError):
            load_trust_list(path, "stamps" if purpose == "signers" else "signers", NOW)
