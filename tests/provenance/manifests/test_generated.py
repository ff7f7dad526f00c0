"""The manifest of a generated video: what it says, and the faults that the library would sign without a word."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from provenance.manifests.generated import generated_manifest
from provenance.manifests.ingredients import portrait_ingredients
from provenance.manifests.source_types import GENERATED
from sfumato.media.video import GeneratedFacts


def _manifest(facts: GeneratedFacts) -> dict[str, Any]:
    return generated_manifest(
        facts, portrait_ingredients(facts.portraits), when=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    )


def test_created_comes_first_and_says_how(facts: GeneratedFacts) -> None:
    manifest = _manifest(facts)
    actions = manifest["assertions"][0]
    assert manifest["claim_version"] == 2
    assert manifest["title"] == "Mona Lisa, calm"
    assert set(manifest["claim_generator_info"][0]) == {"name", "version", "specVersion"}
    assert actions["label"] == "c2pa.actions.v2"
    assert actions["data"]["allActionsIncluded"] is True
    assert actions["data"]["actions"][0]["action"] == "c2pa.created"
    assert actions["data"]["actions"][0]["digitalSourceType"] == GENERATED
    assert actions["data"]["actions"][0]["when"] == "2026-01-02T03:04:05Z"


def test_portraits_are_inputs_and_their_file_names_stay_private(facts: GeneratedFacts, portrait: Path) -> None:
    manifest = _manifest(replace(facts, portraits=(portrait, portrait)))
    ingredients = portrait_ingredients((portrait, portrait))
    assert [ingredient.definition() for ingredient in ingredients] == [
        {"title": "portrait-1", "relationship": "inputTo", "label": "portrait-1"},
        {"title": "portrait-2", "relationship": "inputTo", "label": "portrait-2"},
    ]
    assert manifest["assertions"][0]["data"]["actions"][0]["parameters"] == {
        "ingredientIds": ["portrait-1", "portrait-2"]
    }
    assert "secret" not in str(manifest)


def test_no_portrait_no_reference(facts: GeneratedFacts) -> None:
    assert "parameters" not in _manifest(replace(facts, portraits=()))["assertions"][0]["data"]["actions"][0]
