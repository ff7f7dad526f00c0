"""The manifest of a generated video: what it says, and the faults that the library would sign without a word."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from provenance.manifests.definition import check_manifest
from provenance.manifests.generated import generated_manifest
from provenance.manifests.generation import GENERATION_LABEL
from provenance.manifests.ingredients import portrait_ingredients
from provenance.manifests.source_types import GENERATED
from sfumato.errors import SealError
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


def test_our_assertion_holds_every_fact(facts: GeneratedFacts, portrait: Path) -> None:
    assertion = _manifest(facts)["assertions"][1]
    assert assertion["label"] == GENERATION_LABEL
    assert assertion["data"] == {
        "schema_version": 1,
        "model_name": "zakharov2019-warp",
        "model_digest": "a" * 64,
        "seed": 7,
        "portrait_digests": [hashlib.sha256(portrait.read_bytes()).hexdigest()],
        "motion_digest": "b" * 64,
        "parameters": {"frames": 10, "strength": 0.5, "relative": True, "motion": "calm"},
    }


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


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [("PNG", "image/png"), ("WEBP", "image/webp"), ("TIFF", "image/tiff"), ("BMP", "application/octet-stream")],
)
def test_the_type_of_a_portrait_is_read_from_its_bytes(tmp_path: Path, kind: str, media_type: str) -> None:
    path = tmp_path / "named.jpg"
    Image.new("RGB", (8, 8)).save(path, format=kind)
    assert portrait_ingredients([path])[0].media_type == media_type


def test_a_missing_portrait_is_named(tmp_path: Path) -> None:
    with pytest.raises(SealError, match=r"gone\.jpg"):
        portrait_ingredients([tmp_path / "gone.jpg"])


def test_an_integer_beyond_64_bits_is_kept_as_digits(facts: GeneratedFacts) -> None:
    data = _manifest(replace(facts, seed=2**64 - 1))["assertions"][1]["data"]
    assert data["seed"] == "18446744073709551615"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_refused(facts: GeneratedFacts, value: float) -> None:
    with pytest.raises(SealError, match="finite"):
        _manifest(replace(facts, parameters={"strength": value}))


def test_a_parameter_of_another_type_is_refused(facts: GeneratedFacts) -> None:
    with pytest.raises(SealError, match="list"):
        _manifest(replace(facts, parameters={"sizes": [1, 2]}))  # type: ignore[dict-item]


def test_a_missing_motion_digest_is_refused(facts: GeneratedFacts) -> None:
    with pytest.raises(SealError, match="motion digest"):
        _manifest(replace(facts, motion_digest=""))


def _action(name: str, source_type: str | None = GENERATED) -> dict[str, Any]:
    return {"action": name, "digitalSourceType": source_type} if source_type else {"action": name}


def _with(*actions: dict[str, Any], label: str = "c2pa.actions.v2") -> dict[str, Any]:
    return {"assertions": [{"label": label, "data": {"actions": list(actions)}}]}


@pytest.mark.parametrize(
    ("manifest", "ingredients", "message"),
    [
        (_with(_action("c2pa.created", "http://cv.iptc.org/newscodes/digitalsourcetype/madeUp")), [], "IPTC"),
        (_with(_action("c2pa.created", "trainedAlgorithmicMedia")), [], "IPTC"),
        (_with(_action("c2pa.created", None)), [], "IPTC"),
        (_with(_action("c2pa.created"), _action("c2pa.edited", "nonsense")), [], "IPTC"),
        (_with(_action("c2pa.edited"), _action("c2pa.created")), [], "first action"),
        (_with(_action("c2pa.created"), _action("c2pa.opened")), [], "Only the first"),
        (_with(), [], "first action"),
        (_with(_action("c2pa.created")), [{"relationship": "parentOf"}], "parent"),
        (_with(_action("c2pa.opened")), [{"relationship": "parentOf"}] * 2, "at most one"),
        ({"assertions": [{"label": "generation", "data": {}}]}, [], "dot"),
    ],
)
def test_what_the_library_does_not_check(
    manifest: dict[str, Any], ingredients: list[dict[str, str]], message: str
) -> None:
    with pytest.raises(SealError, match=message):
        check_manifest(manifest, ingredients)


def test_an_edit_with_its_parent_is_fine() -> None:
    check_manifest(_with(_action("c2pa.opened", None), _action("c2pa.edited", None)), [{"relationship": "parentOf"}])
