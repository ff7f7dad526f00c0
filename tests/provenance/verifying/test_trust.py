"""The library's "Trusted" is looked at again: each root for its own purpose, times only from authorities given here."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from provenance.library.settings import reading
from provenance.verifying import verify as module
from provenance.verifying.policy import make_policy
from provenance.verifying.trust import decide_trust
from provenance.verifying.verify import verify
from tests.provenance.stamping import Entity, issue, sign_as, signer, stamper, time_stamp_authority

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl for the time-stamp authority")


@dataclass(frozen=True)
class Signed:
    """One authority for signers, one for time-stamps, and what they signed."""

    root: Entity
    stamp_root: Entity
    stamp_leaf: Entity
    stamped: Path
    expired_stamped: Path
    expired: Path
    by_a_leaf: Path


@pytest.fixture(scope="module")
def signed(unsealed: Path, created: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signed]:
    folder = tmp_path_factory.mktemp("judge")
    root, stamp_root = issue("Root", authority=True), issue("Stamp Root", authority=True)
    middle, stamp_middle = issue("Middle", root, authority=True), issue("Stamp Middle", stamp_root, authority=True)
    leaf, stamp_leaf = signer("Ada", middle), stamper("Clock", stamp_middle)
    manifest = {"title": "a film", "assertions": [created]}
    stamped, expired, late, sub = (folder / name for name in ("stamped.mp4", "expired.mp4", "late.mp4", "sub.mp4"))
    with time_stamp_authority(folder / "tsa", stamp_leaf, [stamp_middle]) as address:
        sign_as(leaf, [middle], unsealed, stamped, manifest, address)
        ending = datetime.now(UTC) + timedelta(seconds=2)
        brief = signer("Brief", middle, end=ending)
        sign_as(brief, [middle], unsealed, late, manifest, address)
        sign_as(brief, [middle], unsealed, expired, manifest)
    sign_as(signer("Sub", leaf), [leaf, middle], unsealed, sub, manifest)
    time.sleep(max(0.0, (ending - datetime.now(UTC)).total_seconds()) + 1.2)
    yield Signed(root, stamp_root, stamp_leaf, stamped, late, expired, sub)


def test_a_time_stamp_of_a_given_authority_makes_the_time_known(signed: Signed) -> None:
    found = verify(signed.stamped, [signed.root.pem], stamps=[signed.stamp_root.pem])
    assert (found.outcome, found.time_source) == ("trusted", "time-stamp")
    assert [certificate.common_name for certificate in found.chain] == ["Ada", "Middle", "Root"]
    assert [certificate.common_name for certificate in found.stamp_chain] == ["Clock", "Stamp Middle", "Stamp Root"]
    assert [certificate.anchor for certificate in found.stamp_chain] == [False, False, True]
    assert "timeStamp.trusted" in found.successes


@pytest.mark.parametrize("given", ["nothing", "among the signers", "the signer's root for stamps"])
def test_without_its_root_given_for_stamps_the_time_stays_unverified(signed: Signed, given: str) -> None:
    trust = [signed.root.pem] + ([signed.stamp_root.pem] if given == "among the signers" else [])
    stamps = [signed.root.pem] if given == "the signer's root for stamps" else []
    found = verify(signed.stamped, trust, stamps=stamps)
    assert (found.outcome, found.time_source) == ("trusted", "unverified time-stamp")
    assert "timeStamp.trusted" not in found.successes
    assert not any(certificate.anchor for certificate in found.stamp_chain)
    assert not make_policy({"stamped-by": True}).evaluate(found).held


@pytest.mark.parametrize("code", ["timeStamp.validated", "timeStamp.trusted"])
def test_a_stamp_counts_only_with_both_codes_of_the_library(
    signed: Signed, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = module.read_views

    def without_the_code(reader: Any) -> Any:
        active, ingredients = read(reader)
        assert code in active.successes
        return replace(active, successes=tuple(other for other in active.successes if other != code)), ingredients

    monkeypatch.setattr(module, "read_views", without_the_code)
    found = verify(signed.stamped, [signed.root.pem], stamps=[signed.stamp_root.pem])
    assert (found.outcome, found.time_source) == ("trusted", "unverified time-stamp")


def test_an_expired_signer_with_a_known_time_is_trusted(signed: Signed) -> None:
    assert verify(signed.expired_stamped, [signed.root.pem], stamps=[signed.stamp_root.pem]).outcome == "trusted"


def test_an_expired_signer_without_a_known_time_is_not(signed: Signed) -> None:
    plain = verify(signed.expired, [signed.root.pem], stamps=[signed.stamp_root.pem])
    assert (plain.outcome, "signingCredential.expired" in plain.codes) == ("invalid", True)
    assert "expired" in plain.reason
    unknown = verify(signed.expired_stamped, [signed.root.pem])
    assert (unknown.outcome, "signingCredential.expired" in unknown.codes) == ("invalid", True)


def test_a_root_among_the_signers_does_not_rescue_an_expired_signer(signed: Signed) -> None:
    from c2pa import Context, Reader

    trust = [signed.root.pem, signed.stamp_root.pem]
    with Reader(str(signed.expired_stamped), context=Context.from_dict(reading(trust))) as library:
        assert library.get_validation_state() == "Trusted"  # the trap: any root is good for any purpose
    found = verify(signed.expired_stamped, trust)
    assert (found.outcome, found.codes) == ("untrusted", ("timeStamp.untrusted",))
    assert "no time-stamp by an authority given here" in found.reason


def test_a_leaf_that_issues_certificates_leads_nowhere(signed: Signed) -> None:
    found = verify(signed.by_a_leaf, [signed.root.pem])
    assert (found.outcome, found.anchored) == ("untrusted", False)


def test_a_policy_names_the_stamper_and_the_time(signed: Signed) -> None:
    found = verify(signed.stamped, [signed.root.pem], stamps=[signed.stamp_root.pem])
    digest = found.stamp_chain[0].fingerprint
    held = {
        "stamped-by": ["Clock", "Stamp Root Works", digest],
        "stamped-after": datetime.now(UTC) - timedelta(hours=1),
    }
    for name in held["stamped-by"]:  # type: ignore[union-attr]
        assert make_policy({"stamped-by": name}).evaluate(found).held, name
    assert make_policy({"stamped-after": held["stamped-after"]}).evaluate(found).held
    assert not make_policy({"stamped-before": held["stamped-after"]}).evaluate(found).held
    assert not make_policy({"stamped-by": "Somebody"}).evaluate(found).held


def test_a_state_that_the_library_does_not_have_is_an_error(signed: Signed) -> None:
    from provenance.manifests.claims import ManifestView
    from provenance.pki.cose import EmbeddedSignature

    view = ManifestView("urn:1", (), (), None, None, None, False, None, "", (), None, None)
    with pytest.raises(KeyError):
        decide_trust("Splendid", view, EmbeddedSignature(), (), (), (), None, datetime.now(UTC))
