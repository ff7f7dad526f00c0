"""Labels of assertions that somebody writes: other domains are free, what the program or another key writes is not."""

from __future__ import annotations

import pytest

from provenance.manifests.own.labels import FREE, check_label
from sfumato.errors import UsageError


@pytest.mark.parametrize(
    "label",
    [*FREE, "stds.schema-org.CreativeWork", "stds.iptc", "org.example.facts", "c2pax.facts", "org.sfumatoes.x"],
)
def test_these_are_free(label: str) -> None:
    check_label(label, "a manifest")


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("c2pa.hash.data", "binds the manifest"),
        ("c2pa.hash.bmff.v3", "binds the manifest"),
        ("C2PA.Hash.Data", "binds the manifest"),
        ("c2pa.hash", "binds the manifest"),
        ("c2pa.ingredient.v3", "under ingredients"),
        ("c2pa.thumbnail.claim", "--allow-thumbnail"),
        ("c2pa.thumbnail.claim.jpeg", "--allow-thumbnail"),
        ("c2pa.soft-binding", "watermark"),
        ("c2pa.training-mining", "cawg.training-mining"),
        ("c2pa.claim", "these are taken: c2pa.actions"),
        ("c2pa.actions.v3", "these are taken: c2pa.actions"),
        ("c2pa.cloud-data", "these are taken: c2pa.actions"),
        ("cawg.identity", "a key of its own"),
        ("cawg.unheard-of", "these are taken: cawg.training-mining"),
        ("org.sfumato.generation", "--model"),
        ("org.sfumato.durable", "--model"),
    ],
)
def test_these_are_refused_with_their_reason(label: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_label(label, "a manifest")
    assert label in caught.value.message
    assert reason in caught.value.advice


@pytest.mark.parametrize(
    "label",
    ["facts", "", ".", "org..facts", "org.example.facts__1", "org.ex/ample", "org.example\n", "é.x", "a." * 200],
)
def test_what_is_no_label_is_refused(label: str) -> None:
    with pytest.raises(UsageError, match="is no label"):
        check_label(label, "a manifest")
