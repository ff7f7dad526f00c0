"""Ingredients are judged as the file is: chain, revocation, coverage, at every depth; the file names the bad ones."""

from __future__ import annotations

import io
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cbor2
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import hashes
from PIL import Image

from provenance.commands.verify import verify as command
from provenance.formats.untrusted import MOST
from provenance.manifests.claims import Ingredient, ManifestView
from provenance.pki.cose import EmbeddedSignature
from provenance.pki.revocation import Revocation
from provenance.verifying.ingredients import judged_ingredients, with_ingredients
from provenance.verifying.policy import make_policy
from provenance.verifying.trust import TrustDecision
from provenance.verifying.verification import Verification
from provenance.verifying.verify import verify
from tests.provenance import resealing
from tests.provenance.mutations import CREATED
from tests.provenance.resealing import written
from tests.provenance.stamping import Entity, answer, issue, signer, stamper, time_stamp_authority

ROOT = issue("Root", authority=True)
ADA, BOB = signer("Ada", ROOT), signer("Bob", ROOT)
AUTHOR = {"label": "org.example.author", "data": {"name": "Alice"}}


def picture(size: int = 8) -> bytes:
    content = io.BytesIO()
    Image.effect_noise((size, size), 99).save(content, "PNG")
    return content.getvalue()


def sign(leaf: Entity, *parts: bytes, redact: Sequence[str] = (), size: int = 8, tsa: str = "", **entry: Any) -> bytes:
    """A picture made from `parts`, stamped by the authority at `tsa`. `entry`: more of each ingredient."""
    from c2pa import Builder, C2paSigningAlg, Context, Signer

    from provenance.library.settings import signing

    key = Signer.from_callback(
        lambda data: resealing._signature(leaf, data), C2paSigningAlg.ES256, leaf.pem.decode(), tsa or None
    )
    manifest: dict[str, Any] = {"claim_version": 2, "title": "whole", "assertions": [CREATED, AUTHOR]}
    if redact:
        manifest["redactions"] = list(redact)
    settings = signing(0)
    settings["core"].pop("allowed_network_hosts")
    builder = Builder(manifest, Context.from_dict(settings, signer=key))
    for number, part in enumerate(parts):
        definition = {"title": f"part {number}", "relationship": "componentOf", **entry}
        builder.add_ingredient(definition, "image/png", io.BytesIO(part))
    output = io.BytesIO()
    builder.sign("image/png", io.BytesIO(picture(size)), output)
    return output.getvalue()


def stapled(data: bytes, der: bytes) -> bytes:
    """`data` with an OCSP answer among the headers of its signature that are not signed, in place of padding."""
    store = bytearray(resealing.store_of(data))
    start, _ = resealing._labelled(store, "c2pa.signature")
    place = resealing._child(store, start, b"cbor")
    protected, headers, payload, signature = cbor2.loads(store[place]).value
    headers = {**headers, "rVals": {"ocspVals": [der]}}
    for pad in range(len(headers["pad"]), 0, -1):
        message = cbor2.dumps(cbor2.CBORTag(18, [protected, headers | {"pad": bytes(pad)}, payload, signature]))
        if len(message) == place.stop - place.start:
            store[place] = message
            return resealing._put_back(data, bytes(store))
    raise ValueError("there is no room for the answer")


def look(path: Path, data: bytes, *, policy: str = "") -> Verification:
    rules = make_policy({"ingredients": policy}) if policy else None
    return verify(written(path, data), [ROOT.pem], policy=rules)


REVOKED = stapled(sign(BOB), answer(BOB, ROOT, ROOT, revoked=True))


def states(found: Verification) -> list[tuple[str | None, str, int]]:
    return [(each.title, each.state, each.depth) for each in found.ingredients]


def test_a_good_ingredient_is_trusted_and_says_why(tmp_path: Path) -> None:
    found = look(tmp_path / "a.png", sign(ADA, sign(BOB)), policy="trusted")
    assert (found.outcome, found.codes, states(found)) == ("trusted", (), [("part 0", "trusted", 0)])
    assert found.ingredients[0].reason == "valid, and the signer leads to a given root"


@pytest.mark.parametrize("policy", ["trusted", "valid", "not-invalid"])
def test_a_revoked_ingredient_is_invalid_and_fails_every_policy(tmp_path: Path, policy: str) -> None:
    found = look(tmp_path / "a.png", sign(ADA, REVOKED), policy=policy)
    assert (found.ingredients[0].state, found.ingredients[0].codes) == ("invalid", ("signingCredential.ocsp.revoked",))
    assert (found.outcome, "policy.failed" in found.codes) == ("untrusted", True)


def test_a_revoked_ingredient_is_named_and_leaves_the_file_its_outcome(tmp_path: Path) -> None:
    found = look(tmp_path / "a.png", sign(ADA, REVOKED))
    assert (found.outcome, found.codes) == ("trusted", ("org.sfumato.ingredient.invalid",))
    assert "the ingredient 'part 0' is invalid (signingCredential.ocsp.revoked)" in found.reason


def test_a_revoked_ingredient_of_an_ingredient_is_found(tmp_path: Path) -> None:
    found = look(tmp_path / "a.png", sign(ADA, sign(ADA, REVOKED)), policy="not-invalid")
    assert states(found) == [("part 0", "trusted", 0), ("part 0", "invalid", 1)]
    assert found.outcome == "untrusted"


def test_a_manifest_that_is_referred_to_twice_is_judged_in_both_places(tmp_path: Path) -> None:
    found = look(tmp_path / "a.png", sign(ADA, REVOKED, sign(ADA, REVOKED), REVOKED))
    assert [each[1] for each in states(found)] == ["invalid", "trusted", "invalid", "invalid"]


def test_a_manifest_that_is_referred_to_often_is_judged_once() -> None:
    view = ManifestView("urn:1", (), (), None, None, None, False, None, "", (), None, None)
    asked = []

    def decide(state: str, *evidence: Any) -> TrustDecision:
        asked.append(state)
        return decision("trusted")

    part = Ingredient("part", "componentOf", None, "trusted", label="urn:1", view=view)
    parts = [part, replace(part, title="again"), replace(part, state="untrusted")]
    found = judged_ingredients(_Reader(), parts, decide, datetime.now(UTC))
    assert (asked, [each.title for each in found]) == (["Trusted", "Valid"], ["part", "again", "part"])


class _Reader:
    """Stands for the library's reader, without any bytes of a manifest."""

    def resource_to_stream(self, address: str, stream: Any) -> None:
        assert address == "self#jumbf=/c2pa/urn:1"


def test_an_ingredient_whose_signer_has_expired_since_is_invalid(tmp_path: Path) -> None:
    brief = signer("Brief", ROOT, end=datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3))
    data = sign(ADA, sign(brief))
    time.sleep(max(0.0, (brief.certificate.not_valid_after_utc - datetime.now(UTC)).total_seconds()) + 1)
    found = look(tmp_path / "a.png", data)
    (ingredient,) = found.ingredients
    assert (ingredient.state, ingredient.codes) == ("invalid", ("signingCredential.expired",))
    assert "org.sfumato.ingredient.invalid" in found.codes
    assert "the ingredient 'part 0' is invalid" in found.reason
    assert "signingCredential.expired" in found.reason


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl for the time-stamp authority")
def test_the_time_stamp_of_an_ingredient_counts_by_the_same_roots(tmp_path: Path) -> None:
    stamp_root = issue("Stamp Root", authority=True)
    with time_stamp_authority(tmp_path / "tsa", stamper("Clock", stamp_root), []) as address:
        part = sign(BOB, tsa=address)
    later = answer(BOB, ROOT, ROOT, revoked=True, now=datetime.now(UTC) + timedelta(hours=1))
    path = written(tmp_path / "a.png", sign(ADA, stapled(part, later)))
    (known,) = verify(path, [ROOT.pem], stamps=[stamp_root.pem]).ingredients
    (unknown,) = verify(path, [ROOT.pem], stamps=[ROOT.pem]).ingredients
    assert (known.state, known.codes) == ("trusted", ())
    assert (unknown.state, unknown.codes) == ("invalid", ("signingCredential.ocsp.revoked",))


def test_the_allowed_list_counts_for_ingredients(tmp_path: Path) -> None:
    stranger = signer("Eve", issue("Elsewhere", authority=True))
    path = written(tmp_path / "a.png", sign(ADA, sign(stranger)))
    digest = stranger.certificate.fingerprint(hashes.SHA256()).hex()
    (ingredient,) = verify(path, [ROOT.pem], allowed={digest}).ingredients
    assert ingredient.state == "trusted"
    assert ingredient.reason == "valid, and the signer's certificate is on the allowed list"


def decision(outcome: str, *codes: str) -> TrustDecision:
    reason = "valid" if outcome != "invalid" else "the manifest does not hold together"
    return TrustDecision(outcome, reason, codes, (), False, False, "", (), (), Revocation())


EXPIRED = Ingredient(
    "part", "componentOf", None, "invalid", ("signingCredential.expired", "assertion.dataHash.mismatch")
)


def test_where_an_ingredient_makes_the_file_invalid_it_is_the_reason() -> None:
    found = with_ingredients(decision("invalid", "signingCredential.untrusted"), [EXPIRED])
    assert found.reason == "the ingredient 'part' is invalid (signingCredential.expired, assertion.dataHash.mismatch)"
    assert found.codes == (
        "signingCredential.untrusted",
        "org.sfumato.ingredient.invalid",
        "signingCredential.expired",
    )


def test_a_file_that_is_invalid_by_itself_keeps_its_reason_first() -> None:
    found = with_ingredients(decision("invalid", "claimSignature.mismatch"), [EXPIRED])
    assert found.codes == ("claimSignature.mismatch", "org.sfumato.ingredient.invalid")
    assert found.reason.startswith("the manifest does not hold together; the ingredient 'part'")


def test_something_made_from_itself_makes_the_file_invalid() -> None:
    circular = replace(EXPIRED, codes=("org.sfumato.ingredient.circular",))
    found = with_ingredients(decision("trusted"), [circular])
    assert (found.outcome, found.codes[-1]) == ("invalid", "org.sfumato.ingredient.circular")


def test_good_ingredients_leave_the_decision_as_it_is() -> None:
    whole = decision("trusted")
    assert with_ingredients(whole, [replace(EXPIRED, state="untrusted"), replace(EXPIRED, state="none")]) is whole


def test_an_ingredient_of_a_stranger_is_untrusted(tmp_path: Path) -> None:
    stranger = signer("Eve", issue("Elsewhere", authority=True))
    found = look(tmp_path / "a.png", sign(ADA, sign(stranger)))
    assert (found.outcome, found.codes, found.ingredients[0].state) == ("trusted", (), "untrusted")
    assert found.ingredients[0].codes == ("signingCredential.untrusted",)


def test_an_ingredient_that_leaves_out_more_than_its_manifest_is_untrusted(tmp_path: Path) -> None:
    part = sign(BOB, size=64)
    (label, binding) = resealing.binding(part, "image/png")
    own = binding["exclusions"][0]
    part = resealing.with_ranges(BOB, part, [(own["start"], own["length"]), (len(part) - 1000, 90)])
    found = look(tmp_path / "a.png", sign(ADA, part))
    assert label == "c2pa.hash.data"
    assert (found.outcome, found.ingredients[0].state) == ("trusted", "untrusted")
    assert found.ingredients[0].codes == ("org.sfumato.coverage.incomplete",)


def test_a_redacted_assertion_leaves_the_ingredient_trusted(tmp_path: Path) -> None:
    part = sign(BOB)
    label = next(each for each in _labels(part))
    address = f"self#jumbf=/c2pa/{label}/c2pa.assertions/org.example.author"
    data = sign(ADA, part, redact=[address])
    assert b"Alice" not in data.replace(b"Alice", b"", 1)  # only the file's own
    found = look(tmp_path / "a.png", data)
    assert (found.outcome, states(found)) == ("trusted", [("part 0", "trusted", 0)])


def _labels(data: bytes) -> list[str]:
    from c2pa import Reader

    with Reader("image/png", io.BytesIO(data)) as reader:
        return list(json.loads(reader.json())["manifests"])


def test_manifests_that_are_made_from_each_other_are_refused(tmp_path: Path) -> None:
    inner = sign(BOB)
    middle = sign(BOB, inner)
    data = sign(ADA, middle)
    (innermost,) = _labels(inner)
    active = next(each for each in _labels(data) if each not in _labels(middle))
    start = data.index(b"self#jumbf=/c2pa/" + innermost.encode())  # in the middle manifest: now it names the active one
    circle = data[:start] + data[start:].replace(innermost.encode(), active.encode(), 1)
    found = look(tmp_path / "a.png", circle)
    assert found.outcome == "invalid"
    assert found.codes != ()


def test_the_source_type_that_is_said_of_an_ingredient_counts(tmp_path: Path) -> None:
    made = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    found = look(tmp_path / "a.png", sign(ADA, picture(), digital_source_type=made))
    assert found.ingredient_declares == ("trainedAlgorithmicMedia",)
    assert found.ingredients[0].state == "none"


def test_the_record_of_an_ingredient_is_plain(tmp_path: Path) -> None:
    path, root = written(tmp_path / "a.png", sign(ADA, REVOKED)), written(tmp_path / "root.pem", ROOT.pem)
    said = json.loads(CliRunner().invoke(command, [str(path), "--trust", str(root), "--json"]).stdout)
    (ingredient,) = said["ingredients"]
    assert (ingredient["state"], "view" in ingredient) == ("invalid", False)
    assert ingredient["reason"].startswith("the signer's certificate was revoked")


def test_a_manifest_that_is_not_there_is_not_trusted_by_its_record() -> None:
    absent = Ingredient("part", "componentOf", None, "trusted", label="urn:gone")
    (found,) = judged_ingredients(None, [absent], _never, datetime.now(UTC))
    assert (found.state, found.codes) == ("untrusted", ("signingCredential.untrusted",))


def _never(*evidence: Any) -> Any:
    raise AssertionError(evidence)


NOW = datetime.now(UTC)
DAY = timedelta(days=1)
PAST = signer("Past", ROOT, start=NOW - 9 * DAY, end=NOW - DAY)
TIMED = ManifestView("urn:1", (), (), None, None, None, False, (NOW - 5 * DAY).isoformat(), "", (), None, None)


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What becomes of an ingredient, signed by a chain, about which this was decided."""

    def one(decided: TrustDecision, *chain: Entity) -> Ingredient:
        signature = EmbeddedSignature(tuple(each.certificate for each in chain))
        monkeypatch.setattr("provenance.verifying.ingredients.read_signature", lambda store, label: signature)
        part = Ingredient("part", "componentOf", None, "trusted", label="urn:1", view=TIMED)
        (found,) = judged_ingredients(_Reader(), [part], lambda *evidence: decided, NOW)
        return found

    return one


@pytest.mark.parametrize("source", ["", "claimed", "unverified time-stamp"])
def test_a_signer_that_has_ended_counts_only_with_a_time_that_is_known(judge: Any, source: str) -> None:
    ended = judge(replace(decision("trusted"), time_source=source), PAST, ROOT)
    assert (ended.state, ended.codes) == ("invalid", ("signingCredential.expired",))
    assert ended.reason.startswith("the signer's certificate has expired")
    stamped = judge(replace(decision("trusted"), time_source="time-stamp"), PAST, ROOT)
    assert (stamped.state, stamped.codes, stamped.reason) == ("trusted", (), "valid")


def test_a_signer_of_today_did_not_sign_before_it_was_one(judge: Any) -> None:
    found = judge(replace(decision("trusted"), time_source="time-stamp"), signer("Young", ROOT, start=NOW - DAY), ROOT)
    assert found.state == "invalid"


def test_only_the_signers_own_certificate_is_looked_at_again(judge: Any) -> None:
    assert judge(decision("trusted"), BOB, PAST).state == "trusted"


@pytest.mark.parametrize(
    "decided", [decision("invalid", "claim.missing"), decision("untrusted", "timeStamp.untrusted")]
)
def test_what_was_decided_already_stays(judge: Any, decided: TrustDecision) -> None:
    found = judge(decided, PAST, ROOT)
    assert (found.state, found.codes, found.reason) == (decided.outcome, decided.codes, decided.reason)


@pytest.mark.parametrize(
    ("known", "codes"),
    [
        ({}, ("signingCredential.untrusted", "signingCredential.expired")),
        ({"anchored": True}, ("signingCredential.expired",)),
        ({"listed": True}, ("signingCredential.expired",)),
    ],
)
def test_a_signer_that_is_known_is_expired_and_not_untrusted(
    judge: Any, known: dict[str, bool], codes: tuple[str, ...]
) -> None:
    decided = decision("untrusted", "signingCredential.expired", "signingCredential.untrusted")
    assert judge(replace(decided, **known), PAST, ROOT).codes == codes


def test_of_more_ingredients_than_are_shown_one_is_kept_to_say_so() -> None:
    part = Ingredient("part", "componentOf", None, "none")
    assert len(judged_ingredients(None, [part] * (MOST + 9), _never, NOW)) == MOST + 1


def test_an_ingredient_without_a_binding_is_left_out_as_a_whole() -> None:
    told: list[Any] = []

    def decide(state: str, view: ManifestView, store: bytes, left_out: Sequence[Any]) -> TrustDecision:
        told.extend((part.place, part.size, part.essential) for part in left_out)
        return decision("untrusted")

    part = Ingredient("part", "componentOf", None, "trusted", label="urn:1", view=TIMED)
    judged_ingredients(_Reader(), [part], decide, NOW)
    assert told == [("the whole ingredient", 0, True)]


def test_five_of_the_invalid_ingredients_are_named_each_once() -> None:
    bad = [replace(EXPIRED, title=f"part {number // 2}") for number in range(14)]
    reason = with_ingredients(decision("trusted"), bad).reason
    assert (reason.count("is invalid"), "'part 4'" in reason) == (5, True)


def test_an_ingredient_without_title_and_code_is_named_by_its_reason() -> None:
    bare = replace(EXPIRED, title=None, codes=(), reason="it was changed")
    assert with_ingredients(decision("trusted"), [bare]).reason == (
        "valid; the ingredient 'untitled' is invalid (it was changed)"
    )
