"""Trust lists: PEM and ETSI JSON, always dated, each for its own purpose; an old one is said to be old, a wrong one is
refused.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
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


@pytest.mark.parametrize(
    ("issued", "next_update", "warned"),
    [
        ("2026-03-03T00:00:00Z", "2027-01-01T00:00:00Z", False),  # ninety days
        ("2026-03-02T23:59:59Z", "2027-01-01T00:00:00Z", True),
        ("2026-05-20T00:00:00Z", "2026-06-01T00:00:00Z", False),
        ("2026-05-20T00:00:00Z", "2026-05-31T23:59:59Z", True),
        ("2026-06-02T00:00:00Z", "2027-01-01T00:00:00Z", False),  # a day ahead is a zone, not a fault
        ("2026-06-02T00:00:01Z", "2027-01-01T00:00:00Z", True),
        ("2026-05-20T00:00:00", "2026-06-01T00:00:00", False),  # without a zone: UTC
    ],
)
def test_a_list_is_old_to_the_second(tmp_path: Path, issued: str, next_update: str, warned: bool) -> None:
    document = _document(_service(ROOT), issued=issued, NextUpdate=next_update)
    assert bool(load_trust_list(_write(tmp_path, "list.json", document), "signers", NOW).warning) is warned


def test_the_record_of_a_list_names_its_file_its_digest_and_its_next_date(tmp_path: Path) -> None:
    document = _document(_service(ROOT), NextUpdate="2027-05-20T00:00:00Z")
    path = _write(tmp_path, "list.json", b"\n " + document)
    found = load_trust_list(path, "signers", NOW)
    assert (found.path, found.purpose, found.size) == (path, "signers", 1)
    assert found.next_update == datetime(2027, 5, 20, tzinfo=UTC)
    assert found.sha256 == hashlib.sha256(b"\n " + document).hexdigest()


def test_a_bundle_is_never_due_and_its_day_may_stand_after_a_number_that_is_none(tmp_path: Path) -> None:
    found = load_trust_list(_write(tmp_path, "v-2026-13-40-of-2026-05-20.pem", ROOT.pem), "signers", NOW)
    assert (found.next_update, found.issued) == (None, datetime(2026, 5, 20, tzinfo=UTC))


def test_a_service_counts_from_the_second_it_is_trusted(tmp_path: Path) -> None:
    document = _document(_service(ROOT, since="2026-06-01T00:00:00Z"), _service(SIGNERS, since="2026-06-01T00:00:01Z"))
    found = load_trust_list(_write(tmp_path, "list.json", document), "signers", NOW)
    assert load_anchors([found.pem]) == [ROOT.certificate]


def test_a_service_that_does_not_count_does_not_end_the_list(tmp_path: Path) -> None:
    withdrawn = _service(SIGNERS, status=TRUSTED_STATUS.replace("/trusted", "/untrusted"))
    path = _write(tmp_path, "list.json", _document(withdrawn, _service(ROOT)))
    assert load_anchors([load_trust_list(path, "signers", NOW).pem]) == [ROOT.certificate]


def test_a_service_without_a_date_counts(tmp_path: Path) -> None:
    service = _service(ROOT)
    del service["ServiceInformation"]["StatusStartingTime"]
    assert load_trust_list(_write(tmp_path, "list.json", _document(service)), "signers", NOW).size == 1


def test_a_list_without_a_name_is_taken_for_what_it_is_given_for(tmp_path: Path) -> None:
    document = json.loads(_document(_service(ROOT)))
    del document["LoTE"]["ListAndSchemeInformation"]["SchemeName"]
    path = _write(tmp_path, "list.json", json.dumps(document).encode())
    assert load_trust_list(path, "signers", NOW).size == load_trust_list(path, "stamps", NOW).size == 1


def test_a_file_too_large_for_a_list_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "list-2026-05-20.pem"
    with path.open("wb") as file:
        file.truncate(32 * 1024 * 1024 + 1)
    with pytest.raises(UsageError, match="more than 32 MB"):
        load_trust_list(path, "signers", NOW)
    with path.open("wb") as file:
        file.write(ROOT.pem)
        file.truncate(32 * 1024 * 1024)
    assert load_trust_list(path, "signers", NOW).size == 1


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Cannot read"):
        load_trust_list(tmp_path / "list-2026-05-20.pem", "signers", NOW)


def test_a_certificate_for_signing_and_stamping_may_stand_in_both_lists(tmp_path: Path) -> None:
    both = issue("Both", ROOT, authority=True, usages=[CLAIM_SIGNING, ExtendedKeyUsageOID.TIME_STAMPING])
    path = _write(tmp_path, "list-20260520.pem", both.pem + ROOT.pem)
    assert load_trust_list(path, "signers", NOW).size == load_trust_list(path, "stamps", NOW).size == 2


def test_the_purpose_of_every_certificate_is_looked_at(tmp_path: Path) -> None:
    """A root, which has no purpose of its own, does not end the look."""
    path = _write(tmp_path, "list-20260520.pem", ROOT.pem + STAMPS.pem)
    with pytest.raises(UsageError, match="Stamps"):
        load_trust_list(path, "signers", NOW)


def test_a_foreign_name_is_cut_where_it_is_refused(tmp_path: Path) -> None:
    stranger = issue("n" * 50, ROOT, authority=True, usages=[ExtendedKeyUsageOID.TIME_STAMPING])
    name = stranger.certificate.subject.rfc4514_string()
    assert len(name) > 101
    with pytest.raises(UsageError, match=re.escape(f"holds {name[:100]!r}, which is not for signers")):
        load_trust_list(_write(tmp_path, "list.json", _document(_service(stranger))), "signers", NOW)


def test_a_certificate_that_is_no_base64_to_the_letter_is_refused(tmp_path: Path) -> None:
    service = _service(ROOT)
    (identity,) = service["ServiceInformation"]["ServiceDigitalIdentity"]["X509Certificates"]
    identity["val"] = f"!{identity['val']}"
    with pytest.raises(UsageError):
        load_trust_list(_write(tmp_path, "list.json", _document(service)), "signers", NOW)
