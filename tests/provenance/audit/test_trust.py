"""Who is believed when a head is signed: a given root or an allowed certificate, valid now, for signing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provenance.audit.check import check_log
from provenance.audit.log import AuditLog
from provenance.audit.settings import AuditSettings
from provenance.audit.trust import LISTED, ROOTED, Trust
from provenance.pki.certificates import fingerprint
from provenance.pki.keys import development_keys
from sfumato.errors import UsageError
from tests.audit_fixtures import Newsroom, lines_of, write_log
from tests.provenance.stamping import DAY, issue, stamper

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Newsroom:
    return Newsroom(tmp_path_factory.mktemp("newsroom"))


def test_a_given_root_vouches(newsroom: Newsroom) -> None:
    found = newsroom.trust().signatory((newsroom.leaf.certificate,))
    assert (found.trusted, found.reason, found.name, found.development) == (True, ROOTED, "Newsroom", False)


def test_nobody_is_trusted_without_a_root(newsroom: Newsroom) -> None:
    found = Trust([], (), NOW).signatory((newsroom.leaf.certificate,))
    assert (found.trusted, found.reason) == (False, "no root is given")


def test_another_root_does_not_vouch(newsroom: Newsroom) -> None:
    other = issue("Newsroom Root", authority=True)
    assert not Trust([other.pem], (), NOW).signatory((newsroom.leaf.certificate,)).trusted


def test_an_allowed_certificate_counts_by_itself(newsroom: Newsroom) -> None:
    found = Trust([], [fingerprint(newsroom.leaf.certificate)], NOW).signatory((newsroom.leaf.certificate,))
    assert (found.trusted, found.reason) == (True, LISTED)


@pytest.mark.parametrize("days", [-2, 200])
def test_a_certificate_must_be_valid_now(newsroom: Newsroom, days: int) -> None:
    when = NOW + timedelta(days=days)
    for trust in (newsroom.trust(when), Trust([], [fingerprint(newsroom.leaf.certificate)], when)):
        found = trust.signatory((newsroom.leaf.certificate,))
        assert (found.trusted, "not valid now" in found.reason) == (False, True)


def test_a_certificate_for_another_purpose_does_not_count(newsroom: Newsroom) -> None:
    leaf = stamper("Clock", newsroom.root).certificate
    assert not newsroom.trust().signatory((leaf,)).trusted
    assert not Trust([], [fingerprint(leaf)], NOW).signatory((leaf,)).trusted


def test_a_trust_list_without_certificates_is_refused() -> None:
    with pytest.raises(UsageError):
        Trust([b"none"], (), NOW)


def test_a_head_by_a_stranger_covers_nothing(newsroom: Newsroom, tmp_path: Path) -> None:
    path = write_log(tmp_path / "a", newsroom.signer(), 1)
    stranger = Newsroom(tmp_path, "Stranger")
    with AuditLog(path, {}, AuditSettings(), stranger.signer()) as log:
        log.append("verdict", {})
    found = check_log(path, newsroom.trust())
    assert (found.outcome, found.covered, found.lines) == ("uncovered", 5, 8)
    assert [each.signatory.trusted for each in found.signatories] == [True, False]


def test_a_new_certificate_covers_what_an_old_one_signed(tmp_path: Path) -> None:
    old = Newsroom(tmp_path / "old", end=NOW + DAY)
    new = Newsroom(tmp_path / "new")
    path = write_log(tmp_path / "a", old.signer(), 1)
    later = NOW + 2 * DAY
    both = Trust([old.root.pem, new.root.pem], (), later)
    assert check_log(path, both).covered == 0
    with AuditLog(path, {}, AuditSettings(), new.signer()):
        pass
    found = check_log(path, both)
    assert (found.outcome, found.covered) == ("whole", len(lines_of(path)))


def test_a_development_key_says_so(tmp_path: Path) -> None:
    with AuditLog(tmp_path / "a", {}):
        pass
    found = check_log(tmp_path / "a", Trust([development_keys().root_pem()], (), datetime.now(UTC)))
    assert found.coverage is not None
    assert found.coverage.signatory.development
