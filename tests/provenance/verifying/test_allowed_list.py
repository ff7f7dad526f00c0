"""A signer on an allowed list counts without a chain, for itself and for nothing else."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from provenance.commands.verify import verify as command
from provenance.manifests.claims import ManifestView
from provenance.pki.cose import EmbeddedSignature
from provenance.verifying.policy import make_policy
from provenance.verifying.trust import TrustDecision, decide_trust
from provenance.verifying.verify import verify
from tests.provenance.stamping import DAY, Entity, answer, issue, sign_as, signer

NOW = datetime.now(UTC)
ROOT = issue("Root", authority=True)
MIDDLE = issue("Middle", ROOT, authority=True)
LEAF = signer("Ada", MIDDLE)
VIEW = ManifestView("urn:1", (), (), None, None, None, False, None, "", (), None, None)


def digest(entity: Entity) -> str:
    return entity.certificate.fingerprint(hashes.SHA256()).hex()


@pytest.fixture(scope="module")
def film(unsealed: Path, created: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sign_as(LEAF, [MIDDLE], unsealed, tmp_path_factory.mktemp("film") / "film.mp4", {"assertions": [created]})


def test_a_listed_signer_is_trusted_and_the_evidence_says_why(film: Path) -> None:
    found = verify(film, allowed={digest(LEAF)})
    assert (found.outcome, found.anchored, found.listed, found.codes) == ("trusted", False, True, ())
    assert found.reason == "valid, and the signer's certificate is on the allowed list"


@pytest.mark.parametrize("other", [MIDDLE, ROOT, signer("Bob", MIDDLE)], ids=["issuer", "root", "another signer"])
def test_an_entry_vouches_for_nobody_else(film: Path, other: Entity) -> None:
    found = verify(film, allowed={digest(other)})
    assert (found.outcome, found.listed, found.codes) == ("untrusted", False, ("signingCredential.untrusted",))


def test_a_chain_to_a_root_goes_before_the_list(film: Path) -> None:
    found = verify(film, [ROOT.pem], allowed={digest(LEAF)})
    assert (found.outcome, found.anchored, found.listed) == ("trusted", True, False)


@pytest.mark.parametrize("form", ["PEM", "base64"])
def test_the_command_takes_a_list_and_says_so(film: Path, tmp_path: Path, form: str) -> None:
    path = tmp_path / "friends"
    path.write_bytes(LEAF.pem if form == "PEM" else base64.b64encode(LEAF.certificate.fingerprint(hashes.SHA256())))
    said = CliRunner().invoke(command, [str(film), "--allowed-list", str(path), "--json"])
    record = json.loads(said.stdout)
    assert (said.exit_code, record["outcome"], record["signer"]["allowed_list"]) == (0, "trusted", True)
    assert record["allowed_lists"][0]["certificates"] == 1
    assert "is on the allowed list" in CliRunner().invoke(command, [str(film), "--allowed-list", str(path)]).output


def test_a_policy_knows_the_signer_of_a_list_and_nobody_above(film: Path) -> None:
    found = verify(film, allowed={digest(LEAF)})
    assert make_policy({"signer": "Ada"}).evaluate(found).held
    assert not make_policy({"issuer": "Middle"}).evaluate(found).held


def decide(leaf: Entity, state: str = "Trusted", answers: tuple[bytes, ...] = ()) -> TrustDecision:
    signature = EmbeddedSignature((leaf.certificate, MIDDLE.certificate), (), answers)
    return decide_trust(state, VIEW, signature, (), (), (), None, datetime.now(UTC), allowed={digest(leaf)})


def test_a_listed_signer_must_be_valid_now() -> None:
    for leaf in (signer("Old", MIDDLE, start=NOW - 9 * DAY, end=NOW - DAY), signer("Early", MIDDLE, start=NOW + DAY)):
        found = decide(leaf)
        assert (found.outcome, found.codes) == ("untrusted", ("signingCredential.expired",))


@pytest.mark.parametrize("usage", [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.TIME_STAMPING])
def test_a_listed_certificate_must_be_one_that_signs(usage: Any) -> None:
    found = decide(issue("Server", MIDDLE, usages=[usage]))
    assert (found.outcome, found.listed, found.codes) == ("untrusted", False, ("signingCredential.untrusted",))


def test_a_listed_signer_that_was_revoked_does_not_count() -> None:
    found = decide(LEAF, answers=(answer(LEAF, MIDDLE, MIDDLE, revoked=True),))
    assert (found.outcome, found.codes) == ("invalid", ("signingCredential.ocsp.revoked",))
    assert decide(LEAF, answers=(answer(LEAF, MIDDLE, MIDDLE),)).revocation.state == "not revoked"


def test_an_issuer_of_the_same_name_cannot_answer_for_a_listed_signer() -> None:
    stranger = issue("Middle", authority=True)
    signature = EmbeddedSignature(
        (LEAF.certificate, stranger.certificate), (), (answer(LEAF, stranger, stranger, revoked=True),)
    )
    found = decide_trust("Trusted", VIEW, signature, (), (), (), None, datetime.now(UTC), allowed={digest(LEAF)})
    assert (found.outcome, found.revocation.state) == ("trusted", "unknown")


def test_a_list_makes_no_file_better_than_the_library_finds_it() -> None:
    assert decide(LEAF, "Invalid").outcome == "invalid"


def test_a_listed_signer_says_nothing_of_times(film: Path) -> None:
    later = verify(film, allowed={digest(LEAF)}, now=NOW + timedelta(days=400))
    assert (later.outcome, later.codes) == ("untrusted", ("signingCredential.expired",))
