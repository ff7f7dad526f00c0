"""Chains that should not count, each wrong in one way: for the signer of a whole file, for its time-stamp, for whoever
answers about revocation.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from provenance.manifests.claims import ManifestView
from provenance.pki.cose import EmbeddedSignature
from provenance.pki.revocation import look
from provenance.verifying.trust import TrustDecision, decide_trust
from provenance.verifying.verify import verify
from tests.provenance.stamping import Entity, answer, issue, sign_as, signer, stamper, token

NOW = datetime.now(UTC)
SERVERS, STAMPS, MAIL = (
    ExtendedKeyUsageOID.SERVER_AUTH,
    ExtendedKeyUsageOID.TIME_STAMPING,
    ExtendedKeyUsageOID.EMAIL_PROTECTION,
)


def _names(permitted: bool) -> x509.NameConstraints:
    place = [x509.DirectoryName(x509.Name.from_rfc4514_string(f"O={'Elsewhere' if permitted else 'Ada Works'}"))]
    return x509.NameConstraints(place, None) if permitted else x509.NameConstraints(None, place)


UNKNOWN = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00")
# of the root, and of the authority below it
FAULTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "the path length of the root": ({"length": 0}, {}),
    "names that are not permitted": ({}, {"extra": _names(True)}),
    "a name that is excluded": ({}, {"extra": _names(False)}),
    "names that the root does not permit": ({"extra": _names(True)}, {}),
    "an unknown critical extension": ({}, {"extra": UNKNOWN}),
    "an authority of servers": ({}, {"usages": [SERVERS]}),
}
GOOD: tuple[dict[str, Any], dict[str, Any]] = ({}, {})


def authorities(fault: tuple[dict[str, Any], dict[str, Any]]) -> tuple[Entity, Entity]:
    root = issue("Root", authority=True, **fault[0])
    return root, issue("Middle", root, authority=True, **fault[1])


@pytest.mark.parametrize("fault", [*FAULTS, "an authority of time-stamps", ""])
def test_a_file_signed_through_it_is_untrusted(
    fault: str, unsealed: Path, created: dict[str, Any], tmp_path: Path
) -> None:
    faults = FAULTS | {"an authority of time-stamps": ({}, {"usages": [STAMPS]}), "": GOOD}
    root, middle = authorities(faults[fault])
    film = sign_as(signer("Ada", middle), [middle], unsealed, tmp_path / "film.mp4", {"assertions": [created]})
    found = verify(film, [root.pem])
    if fault:
        assert (found.outcome, found.anchored, found.codes) == ("untrusted", False, ("signingCredential.untrusted",))
    else:
        assert found.outcome == "trusted"  # the control: without it the others could be untrusted for another reason


@pytest.mark.parametrize("fault", [*FAULTS, "an authority of mail", ""])
def test_a_time_stamp_through_it_stays_unverified(fault: str) -> None:
    faults = FAULTS | {"an authority of mail": ({}, {"usages": [MAIL]}), "": GOOD}
    root, middle = authorities(faults[fault])
    found = _stamped(token(stamper("Ada", middle), also=[middle]), root)
    assert found.time_source == ("unverified time-stamp" if fault else "time-stamp")


def _stamped(stamp: bytes, root: Entity) -> TrustDecision:
    codes, when = ("timeStamp.validated", "timeStamp.trusted"), (NOW - timedelta(hours=1)).isoformat()
    view = ManifestView("urn:1", (), codes, None, None, None, False, when, "time-stamp", (), None, None)
    own = issue("Own", authority=True)
    signature = EmbeddedSignature((signer("Bob", own).certificate,), (stamp,))
    return decide_trust("Trusted", view, signature, (), [own.certificate], [root.certificate], None, datetime.now(UTC))


@pytest.mark.parametrize("fault", [*(name for name in FAULTS if "root does not" in name or "excluded" in name), ""])
def test_an_answer_of_a_responder_outside_the_names_does_not_count(fault: str) -> None:
    root, middle = authorities(FAULTS[fault] if fault else GOOD)
    leaf, responder = signer("Bob", middle), issue("Ada", middle, usages=[ExtendedKeyUsageOID.OCSP_SIGNING])
    der = answer(leaf, middle, responder, embed=[responder])
    said = look(leaf.certificate, middle.certificate, [der], datetime.now(UTC), "in the file", [root.certificate])
    assert said.state == ("unknown" if fault else "not revoked")


@pytest.mark.parametrize("fault", [*FAULTS, "an authority of time-stamps"])
def test_nobody_answers_for_a_signer_whose_chain_does_not_count(fault: str) -> None:
    root, middle = authorities((FAULTS | {"an authority of time-stamps": ({}, {"usages": [STAMPS]})})[fault])
    leaf, responder = signer("Ada", middle), issue("Ada", middle, usages=[ExtendedKeyUsageOID.OCSP_SIGNING])
    signature = EmbeddedSignature(
        (leaf.certificate, middle.certificate), (), (answer(leaf, middle, responder, embed=[responder]),)
    )
    view = ManifestView("urn:1", (), (), None, None, None, False, None, "", (), None, None)
    found = decide_trust("Trusted", view, signature, (), [root.certificate], (), None, datetime.now(UTC))
    assert (found.outcome, found.revocation.state) == ("untrusted", "unknown")
