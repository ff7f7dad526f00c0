"""What a signer declares about a file: generated, edited or composed, from which files, by which model, and how it may
be used.

In: a `Declaration`. Out: a manifest definition for the C2PA builder (specification 2.4) and its ingredients.

generated   `c2pa.created` with a digitalSourceType; what the model was given are `inputTo` ingredients
edited      `c2pa.opened` with the file before the edit as its parent, which keeps that file's credential; then what
            was done
composite   `c2pa.created`; the parts are `componentOf` ingredients, each with a `c2pa.placed`

The rights to mine and train follow the CAWG training and data mining assertion 1.1; how a model took part follows
provenance/schemas/generation-1.schema.json. Not every step may be known to who signs, so `allActionsIncluded` is false
here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from provenance.manifests.definition import manifest_definition
from provenance.manifests.generation_assertion import GENERATION_LABEL, GENERATION_SCHEMA, plain
from provenance.manifests.ingredients import IngredientFile, ingredient_file, portrait_ingredients
from provenance.manifests.source_types import IPTC, SOURCE_TYPES
from sfumato.errors import UsageError

KINDS = {
    "generated": "trainedAlgorithmicMedia",
    "edited": "",
    "composite": "compositeWithTrainedAlgorithmicMedia",
}  # usual source type
TRAINING_MINING_LABEL = "cawg.training-mining"
TRAINING_MINING = ("notAllowed", "allowed", "constrained")
MINING_USES = ("cawg.data_mining", "cawg.ai_inference", "cawg.ai_training", "cawg.ai_generative_training")
DIGEST = re.compile(r"[0-9a-f]{64}")
ACTION = re.compile(r"[a-z0-9_-]+(\.[A-Za-z0-9_-]+)+")


@dataclass(frozen=True)
class Declaration:
    """Raises UsageError for what contradicts itself.

    title: shown to readers; empty: the name of the signed file. source_type: a name of the IPTC list or a whole
    address; empty: the usual one of the kind. parent: the file before the edit; None: the signed file as it was.
    actions: what an edit did, as c2pa.edited or c2pa.color_adjustments. training_mining: notAllowed, allowed,
    constrained (then constraint says how), or nothing.
    """

    kind: str = "generated"
    title: str = ""
    source_type: str = ""
    parent: Path | None = None
    ingredients: tuple[Path, ...] = ()
    actions: tuple[str, ...] = ()
    training_mining: str = ""
    constraint: str = ""
    model_name: str = ""
    model_digest: str = ""
    seed: int | None = None
    portraits: tuple[Path, ...] = ()
    motion_digest: str = ""
    parameters: Mapping[str, str | int | float | bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UsageError(f"Unknown kind {self.kind!r}", f"Choose one of: {', '.join(KINDS)}.")
        if self.source_type and self.source_type_address() not in SOURCE_TYPES:
            raise UsageError(
                f"{self.source_type!r} is not a digitalSourceType of the IPTC list",
                "For example: trainedAlgorithmicMedia.",
            )
        if self.kind != "edited" and (self.parent or self.actions):
            raise UsageError("Only an edited file has a parent and actions", "Declare it as edited.")
        if self.kind == "edited" and self.portraits:
            raise UsageError(
                "Portraits are what a model made a whole file from",
                "Name a portrait of an edited file as an ingredient.",
            )
        if self.kind == "edited" and self.source_type and not self.actions:
            raise UsageError(
                "The source type of an edited file belongs to an action", "Say what was done, for example c2pa.edited."
            )
        if self.kind == "composite" and not (self.ingredients or self.portraits):
            raise UsageError("A composite has no parts", "Name each part as an ingredient.")
        _check_actions(self.actions)
        if self.training_mining and self.training_mining not in TRAINING_MINING:
            raise UsageError(
                f"Unknown permission {self.training_mining!r}", f"Choose one of: {', '.join(TRAINING_MINING)}."
            )
        if bool(self.constraint) != (self.training_mining == "constrained"):
            raise UsageError("constrained and the text of the constraint belong together", "Give both, or neither.")
        for name, digest in (("model", self.model_digest), ("motion", self.motion_digest)):
            if digest and not DIGEST.fullmatch(digest):
                raise UsageError(f"The {name} digest is no SHA-256: {digest!r}", "Give 64 lower-case hex digits.")

    def source_type_address(self) -> str:
        name = self.source_type or KINDS[self.kind]
        return name if "/" in name else IPTC + name

    def is_stated_in(self, manifest: Mapping[str, Any], name: str) -> bool:
        """Whether the active manifest of a signed file called `name`, as the C2PA library reports it, says what this
        declares. Its ingredients are not compared: their files may be gone.
        """
        data = {str(found.get("label")): found.get("data") for found in manifest.get("assertions", [])}
        actions = [
            action
            for label, found in data.items()
            if label.startswith("c2pa.actions")
            for action in found.get("actions", [])
        ]
        first = "c2pa.opened" if self.kind == "edited" else "c2pa.created"
        done = [action.get("action") for action in actions if action.get("action") != "c2pa.placed"]
        types = [action["digitalSourceType"] for action in actions if "digitalSourceType" in action]
        wanted_types = [self.source_type_address()] if self.kind != "edited" or self.source_type else []
        entries = (data.get(TRAINING_MINING_LABEL) or {}).get("entries", {})
        uses = {(use.get("use"), use.get("constraint_info", "")) for use in entries.values()}
        wanted_uses = {(self.training_mining, self.constraint)} if self.training_mining else set()
        stated = data.get(GENERATION_LABEL) or {}
        facts = {
            fact: stated.get(fact, getattr(Declaration, fact))
            for fact in ("model_name", "model_digest", "motion_digest", "seed")
        }
        return (
            done == [first, *self.actions]
            and types == wanted_types
            and uses == wanted_uses
            and facts == {fact: getattr(self, fact) for fact in facts}
            and dict(stated.get("parameters", {})) == dict(self.parameters)
            and manifest.get("title") == (self.title or _shown(name))
        )


def declared_ingredients(declaration: Declaration, source: Path, source_has_credential: bool) -> list[IngredientFile]:
    """The files a manifest names, parent first. `source`: the file to be signed.

    Raises UsageError where signing would drop the credential that `source` has; SealError for a file that cannot be
    read.
    """
    if source_has_credential and declaration.kind != "edited":
        advice = "Declare it as edited: its credential is then kept inside the new one."
        raise UsageError(f"{source} already carries a credential, which a {declaration.kind} file would lose", advice)
    if source_has_credential and declaration.parent is not None:
        raise UsageError(
            f"{source} carries a credential, so it is its own parent",
            "Leave the parent out, or name it as an ingredient.",
        )
    found: list[IngredientFile] = []
    if declaration.kind == "edited":
        found.append(ingredient_file(declaration.parent or source, "parent", "parentOf"))
    found += portrait_ingredients(declaration.portraits)
    relationship = "inputTo" if declaration.kind == "generated" else "componentOf"
    for number, path in enumerate(declaration.ingredients, start=1):
        reference = "ingredient" if len(declaration.ingredients) == 1 else f"ingredient-{number}"
        found.append(ingredient_file(path, reference, relationship))
    return found


def declared_manifest(
    declaration: Declaration,
    ingredients: Sequence[IngredientFile],
    media_type: str,
    name: str,
    when: datetime | None = None,
) -> dict[str, Any]:
    """The manifest definition. `name`: of the signed file, the title if there is no other; `when`: the signing (now),
    the signer's word.
    """
    stamp = (when or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assertions: list[dict[str, Any]] = [
        {
            "label": "c2pa.actions.v2",
            "data": {"actions": _actions(declaration, ingredients, stamp), "allActionsIncluded": False},
        }
    ]
    model = model_assertion(declaration, ingredients)
    if model:
        assertions.append({"label": GENERATION_LABEL, "data": model})
    if declaration.training_mining:
        entry = {"use": declaration.training_mining}
        if declaration.constraint:
            entry["constraint_info"] = declaration.constraint
        assertions.append(
            {"label": TRAINING_MINING_LABEL, "data": {"entries": {use: dict(entry) for use in MINING_USES}}}
        )
    return manifest_definition(declaration.title or _shown(name), media_type, assertions, ingredients)


def _shown(name: str) -> str:
    """A file name as text: bytes that are not UTF-8 have no place in a manifest."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def model_assertion(declaration: Declaration, ingredients: Sequence[IngredientFile]) -> dict[str, Any]:
    """Our assertion with what is known, or nothing at all."""
    known: dict[str, Any] = {
        "model_name": declaration.model_name,
        "model_digest": declaration.model_digest,
        "portrait_digests": [ingredient.digest for ingredient in ingredients if ingredient.digest],
        "motion_digest": declaration.motion_digest,
        "parameters": {str(name): plain(str(name), value) for name, value in declaration.parameters.items()},
    }
    found = {name: value for name, value in known.items() if value}
    if declaration.seed is not None:
        found["seed"] = plain("seed", declaration.seed)
    return {"schema_version": GENERATION_SCHEMA, **found} if found else {}


def _actions(declaration: Declaration, ingredients: Sequence[IngredientFile], stamp: str) -> list[dict[str, Any]]:
    by_relationship: dict[str, list[str]] = {"parentOf": [], "inputTo": [], "componentOf": []}
    for ingredient in ingredients:
        by_relationship[ingredient.relationship].append(ingredient.reference)
    if declaration.kind == "edited":
        actions: list[dict[str, Any]] = [
            {"action": "c2pa.opened", "when": stamp, "parameters": {"ingredientIds": by_relationship["parentOf"]}},
            *({"action": name, "when": stamp} for name in declaration.actions),
        ]
        if declaration.source_type:
            actions[1]["digitalSourceType"] = declaration.source_type_address()
    else:
        created: dict[str, Any] = {
            "action": "c2pa.created",
            "when": stamp,
            "digitalSourceType": declaration.source_type_address(),
        }
        if by_relationship["inputTo"]:
            created["parameters"] = {"ingredientIds": by_relationship["inputTo"]}
        actions = [created]
    placed = (
        {"action": "c2pa.placed", "when": stamp, "parameters": {"ingredientIds": [part]}}
        for part in by_relationship["componentOf"]
    )
    return [*actions, *placed]


def _check_actions(actions: Sequence[str]) -> None:
    for name in actions:
        if not ACTION.fullmatch(name) or name in ("c2pa.created", "c2pa.opened", "c2pa.placed"):
            advice = "Name what was done as c2pa.edited, c2pa.color_adjustments, or a name of your own domain."
            raise UsageError(f"{name!r} cannot be an action of an edit", advice)
