"""CAWG identity assertions are shown as what they state, never as verified."""

from __future__ import annotations

from typing import Any

from provenance.manifests.identities import Claim, identities_in

CERTIFICATE = {
    "label": "cawg.identity",
    "data": {
        "signer_payload": {"sig_type": "cawg.x509.cose", "role": ["cawg.creator"]},
        "signature_info": {"common_name": "Ada", "issuer": "Example Press"},
    },
}
GATHERED = {
    "label": "cawg.identity__1",
    "data": {
        "issuer": "did:web:gatherer.example",
        "c2paAsset": {"sig_type": "cawg.identity_claims_aggregation"},
        "verifiedIdentities": [
            {
                "type": "cawg.social_media",
                "username": "ada",
                "uri": "https://example.org/ada",
                "verifiedAt": "2026-05-27T08:40:39Z",
                "provider": {"id": "https://example.org", "name": "Example Network"},
            }
        ],
    },
}


def test_both_forms_are_read_and_neither_is_verified() -> None:
    first, second = identities_in({"assertions": [CERTIFICATE, {"label": "c2pa.actions"}, GATHERED]})
    assert (first.kind, first.name, first.organisation) == ("X.509 certificate", "Ada", "Example Press")
    assert first.said() == "Ada; of Example Press, as cawg.creator (stated by X.509 certificate, not verified)"
    claim = Claim("social_media", "ada", "https://example.org/ada", "Example Network", "2026-05-27T08:40:39Z")
    assert second.claims == (claim,)
    assert second.stated_by == "did:web:gatherer.example"
    assert "social media ada https://example.org/ada according to Example Network" in second.said()
    assert second.said().endswith("(stated by identity claims aggregation, not verified)")
    assert not first.verified
    assert not second.verified


def test_what_has_another_shape_states_nothing() -> None:
    strange: list[Any] = [
        None,
        {"label": "cawg.identity", "data": [1]},
        {"label": "cawg.identity", "data": {"issuer": 7}},
    ]
    assert [found.said() for found in identities_in({"assertions": strange})] == [
        "nobody named (stated by something unnamed, not verified)"
    ] * 2
    assert identities_in({"assertions": "none"}) == ()
    endless = {"label": "cawg.identity", "data": {"verifiedIdentities": [{"name": "x" * 10**6}] * 1000}}
    assert len(identities_in({"assertions": [endless]})[0].said()) < 10**6
