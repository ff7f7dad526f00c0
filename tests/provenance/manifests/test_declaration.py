"""Declarations: what each kind says in the manifest, what contradicts itself, and that our assertion keeps to its
published schema.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from provenance.manifests.declaration import Declaration, declared_ingredients, declared_manifest, model_assertion
from provenance.manifests.generation_assertion import generation_assertion
from provenance.manifests.ingredients import portrait_ingredients
from provenance.pki.keys import DevelopmentKeys
from provenance.signing.seal import development_signer
from provenance.signing.sign import sign_file
from provenance.verifying.verify import verify
from sfumato.errors import SealError, UsageError
from sfumato.media.video import GeneratedFacts

SCHEMA = json.loads(resources.files("provenance").joinpath("schemas/generation-1.schema.json").read_text("utf-8"))


WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _manifest(declaration: Declaration, source: Path) -> dict[str, Any]:
    ingredients = declared_ingredients(declaration, source, False)
    return declared_manifest(declaration, ingredients, "video/mp4", "out.mp4", WHEN)


def _actions(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = manifest["assertions"][0]["data"]["actions"]
    return found


def test_generated(unsealed: Path, portrait: Path) -> None:
    manifest = _manifest(Declaration(ingredients=(portrait, portrait)), unsealed)
    (created,) = _actions(manifest)
    assert created["action"] == "c2pa.created"
    assert created["digitalSourceType"].endswith("/trainedAlgorithmicMedia")
    assert created["parameters"] == {"ingredientIds": ["ingredient-1", "ingredient-2"]}
    assert manifest["assertions"][0]["data"]["allActionsIncluded"] is False
    assert manifest["title"] == "out.mp4"
    assert len(manifest["assertions"]) == 1


def test_edited(unsealed: Path, portrait: Path) -> None:
    declaration = Declaration(
        "edited", ingredients=(portrait,), actions=("c2pa.cropped", "org.example.dubbed"), source_type="humanEdits"
    )
    opened, cropped, dubbed, placed = _actions(_manifest(declaration, unsealed))
    assert (opened["action"], opened["parameters"]) == ("c2pa.opened", {"ingredientIds": ["parent"]})
    assert cropped["digitalSourceType"].endswith("/humanEdits")
    assert "digitalSourceType" not in dubbed
    assert placed["parameters"] == {"ingredientIds": ["ingredient"]}


def test_composite(unsealed: Path, portrait: Path) -> None:
    created, *placed = _actions(_manifest(Declaration("composite", ingredients=(portrait, portrait)), unsealed))
    assert created["digitalSourceType"].endswith("/compositeWithTrainedAlgorithmicMedia")
    assert [action["parameters"]["ingredientIds"] for action in placed] == [["ingredient-1"], ["ingredient-2"]]


def test_training_and_mining(unsealed: Path) -> None:
    manifest = _manifest(Declaration(training_mining="constrained", constraint="Ask first."), unsealed)
    assertion = next(item for item in manifest["assertions"] if item["label"] == "cawg.training-mining")
    entry = {"use": "constrained", "constraint_info": "Ask first."}
    uses = ("cawg.data_mining", "cawg.ai_inference", "cawg.ai_training", "cawg.ai_generative_training")
    assert assertion["data"] == {"entries": dict.fromkeys(uses, entry)}


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "found"},
        {"source_type": "madeUp"},
        {"source_type": "https://example.org/trainedAlgorithmicMedia"},
        {"parent": Path("x.mp4")},
        {"actions": ("c2pa.edited",)},
        {"kind": "edited", "portraits": (Path("x.jpg"),)},
        {"kind": "edited", "source_type": "humanEdits"},
        {"kind": "edited", "actions": ("edited",)},
        {"kind": "edited", "actions": ("c2pa.created",)},
        {"kind": "edited", "actions": ("<b>.x",)},
        {"kind": "composite"},
        {"training_mining": "maybe"},
        {"training_mining": "constrained"},
        {"constraint": "Ask first."},
        {"model_digest": "A" * 64},
        {"motion_digest": "b" * 63},
    ],
)
def test_what_contradicts_itself_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Declaration(**wrong)


def test_the_sealed_facts_keep_to_the_schema(facts: GeneratedFacts) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(generation_assertion(facts, portrait_ingredients(facts.portraits)), SCHEMA)


@pytest.mark.parametrize("seed", [0, -1, 2**63 - 1, 2**63, -(2**80)])
def test_a_declared_model_keeps_to_the_schema(portrait: Path, seed: int) -> None:
    declaration = Declaration(
        model_name="m",
        model_digest="a" * 64,
        seed=seed,
        portraits=(portrait,),
        motion_digest="b" * 64,
        parameters={"frames": 10, "x": True},
    )
    assertion = model_assertion(declaration, portrait_ingredients((portrait,)))
    assert set(assertion) == set(SCHEMA["properties"])
    jsonschema.validate(assertion, SCHEMA)


@pytest.mark.parametrize(
    "change",
    [{"schema_version": 2}, {"model_digest": "short"}, {"seed": 1.5}, {"owner": "me"}, {"parameters": {"a": []}}],
)
def test_the_schema_refuses_something(change: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"schema_version": 1, **change}, SCHEMA)


def test_nothing_known_of_a_model_is_no_assertion() -> None:
    assert model_assertion(Declaration(), []) == {}


def test_a_signed_file_says_all_of_it(
    unsealed: Path, portrait: Path, keys: DevelopmentKeys, root: bytes, tmp_path: Path
) -> None:
    declaration = Declaration(title="Calm", seed=7, model_name="m", portraits=(portrait,), training_mining="notAllowed")
    sign_file(unsealed, tmp_path / "out.mp4", declaration, development_signer(keys.folder.parent))
    found = verify(tmp_path / "out.mp4", [root])
    assert (found.outcome, found.title, found.declares) == ("trusted", "Calm", ("trainedAlgorithmicMedia",))
    assert {name: found.facts[name] for name in ("seed", "model_name")} == {"seed": 7, "model_name": "m"}
    assert [(item.title, item.relationship) for item in found.ingredients] == [("portrait", "inputTo")]
    from c2pa import Reader

    with Reader(str(tmp_path / "out.mp4")) as reader:
        manifest = reader.get_active_manifest()
        text = reader.json()
    created = {item["label"]: item["created"] for item in manifest["assertions"]}
    assert created["cawg.training-mining"] is True
    assert "thumbnail" not in text
    assert "secret-name" not in text


def test_an_edit_keeps_the_credential(sealed: Path, keys: DevelopmentKeys, root: bytes, tmp_path: Path) -> None:
    sign_file(
        sealed,
        tmp_path / "out.mp4",
        Declaration("edited", actions=("c2pa.edited",)),
        development_signer(keys.folder.parent),
    )
    found = verify(tmp_path / "out.mp4", [root])
    assert found.outcome == "trusted"
    assert [(item.title, item.relationship, item.state, item.depth) for item in found.ingredients] == [
        ("parent", "parentOf", "trusted", 0),
        ("portrait", "inputTo", "none", 1),
    ]
    assert found.ingredient_declares == ("trainedAlgorithmicMedia",)


def test_a_broken_credential_is_kept_and_shown(
    sealed: Path, flip_media_byte: Any, keys: DevelopmentKeys, root: bytes, tmp_path: Path
) -> None:
    broken = flip_media_byte(sealed, tmp_path / "broken.mp4")
    sign_file(broken, tmp_path / "out.mp4", Declaration("edited"), development_signer(keys.folder.parent))
    parent = verify(tmp_path / "out.mp4", [root]).ingredients[0]
    assert (parent.relationship, parent.state) == ("parentOf", "invalid")


@pytest.mark.parametrize(
    "declaration", [Declaration(), Declaration("edited", parent=Path("before.mp4"))], ids=["generated", "other parent"]
)
def test_a_credential_is_never_dropped(
    sealed: Path, keys: DevelopmentKeys, tmp_path: Path, declaration: Declaration
) -> None:
    with pytest.raises(UsageError, match="carries a credential"):
        sign_file(sealed, tmp_path / "out.mp4", declaration, development_signer(keys.folder.parent))
    assert not (tmp_path / "out.mp4").exists()


def test_a_part_whose_credential_cannot_be_read_is_refused(
    unsealed: Path, keys: DevelopmentKeys, tmp_path: Path
) -> None:
    (tmp_path / "part.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"damaged" * 10)
    declaration = Declaration("composite", ingredients=(tmp_path / "part.png",))
    with pytest.raises(SealError, match=r"part\.png cannot be taken in with its credential"):
        sign_file(unsealed, tmp_path / "out.mp4", declaration, development_signer(keys.folder.parent))
