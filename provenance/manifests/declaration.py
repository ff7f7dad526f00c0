"""What a signer declares about a file: generated, edited or composed, from which files, by which model, and how it may
be used.

In: a `Declaration`. Out: a manifest definition for the C2PA builder (specification 2.4) and its ingredients.

generated   `c2pa.created` with a digitalSourceType; what the model was given are `inputTo` ingredients
edited      `c2pa.opened` with the file before the edit as its parent, which keeps that file's credential; then what
            was done
composite   `c2pa.created`; the parts are `componentOf` ingredients, each with a `c2pa.placed`

A manifest of somebody's own (provenance.manifests.own) says more, never less: its first action has to be that of the
kind, with the same digitalSourceType.

The rights to mine and train follow the CAWG training and data mining assertion 1.1; how a model took part follows
provenance/schemas/generation-1.schema.json. Not every step may be known to who signs, so `allActionsIncluded` is false
unless their own manifest says otherwise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from provenance.manifests.definition import manifest_definition
from provenance.manifests.generation_assertion import GENERATION_LABEL, GENERATION_SCHEMA, plain
from provenance.manifests.ingredients import IngredientFile, ingredient_file, portrait_ingredients
from provenance.manifests.own.actions import ACTION, BEGINNINGS, ingredients_named
from provenance.manifests.own.definition_file import OwnIngredient, OwnManifest
from provenance.manifests.own.mining import TRAINING_MINING, TRAINING_MINING_LABEL
from provenance.manifests.source_types import IPTC, SOURCE_TYPES, source_type_name, stated_source_types
from sfumato.errors import UsageError

KINDS = {
    "generated": "trainedAlgorithmicMedia",
    "edited": "",
    "composite": "compositeWithTrainedAlgorithmicMedia",
}  # usual source type
ACTIONS_LABEL = "c2pa.actions.v2"
PLACED = "c2pa.placed"
MINING_USES = ("cawg.data_mining", "cawg.ai_inference", "cawg.ai_training", "cawg.ai_generative_training")
DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Declaration:
    """Raises UsageError for what contradicts itself.

    title: shown to readers; empty: the name of the signed file. source_type: a name of the IPTC list or a whole
    address; empty: the usual one of the kind. parent: the file before the edit; None: the signed file as it was.
    actions: what an edit did, as c2pa.edited or c2pa.color_adjustments. training_mining: notAllowed, allowed,
    constrained (then constraint says how), or nothing. manifest: a definition of one's own. thumbnail: a small picture
    of the file is put into its manifest, where the file has a picture.
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
    manifest: OwnManifest | None = None
    thumbnail: bool = False

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
        if self.kind == "composite" and not (self.ingredients or self.portraits or self.own.ingredients):
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
        _check_own(self)

    @property
    def own(self) -> OwnManifest:
        return self.manifest or OwnManifest()

    @property
    def first_action(self) -> str:
        return "c2pa.opened" if self.kind == "edited" else "c2pa.created"

    def source_type_address(self) -> str:
        name = self.source_type or KINDS[self.kind]
        return name if "/" in name else IPTC + name

    def is_stated_in(self, manifest: Mapping[str, Any], name: str) -> bool:
        """Whether the active manifest of a signed file called `name`, as the C2PA library reports it, says what this
        declares. Its ingredients are not compared: their files may be gone.
        """
        found = [(str(each.get("label")), each.get("data")) for each in manifest.get("assertions", [])]
        data = dict(found)
        actions = [
            action
            for label, stated in found
            if label.startswith("c2pa.actions")
            for action in stated.get("actions", [])
        ]
        done = [action.get("action") for action in actions if action.get("action") != PLACED]
        own = [action for action in self.own.actions.rest if action["action"] != PLACED]
        types = [action["digitalSourceType"] for action in actions if "digitalSourceType" in action]
        wanted_types = [self.source_type_address()] if self.kind != "edited" or self.source_type else []
        wanted_types += [kind["digitalSourceType"] for kind in self.own.actions.rest if "digitalSourceType" in kind]
        entries = (data.get(TRAINING_MINING_LABEL) or {}).get("entries", {}) if self.training_mining else {}
        uses = {(use.get("use"), use.get("constraint_info", "")) for use in entries.values()}
        wanted_uses = {(self.training_mining, self.constraint)} if self.training_mining else set()
        stated = data.get(GENERATION_LABEL) or {}
        facts = {
            fact: stated.get(fact, getattr(Declaration, fact))
            for fact in ("model_name", "model_digest", "motion_digest", "seed")
        }
        ours = (GENERATION_LABEL, TRAINING_MINING_LABEL) if self.training_mining else (GENERATION_LABEL,)
        others = [
            each for each in found if each[0] not in ours and not each[0].startswith(("c2pa.actions", "c2pa.hash."))
        ]
        generator = (manifest.get("claim_generator_info") or [{}])[0]
        return (
            done == [self.first_action, *self.actions, *(action["action"] for action in own)]
            and self.own.actions.are_stated_in(actions)
            and (data.get(ACTIONS_LABEL) or {}).get("allActionsIncluded", False) == self.own.actions.all_included
            and types == wanted_types
            and uses == wanted_uses
            and facts == {fact: getattr(self, fact) for fact in facts}
            and dict(stated.get("parameters", {})) == dict(self.parameters)
            and _sorted(others) == _sorted([(each["label"], each["data"]) for each in self.own.assertions])
            and {"name": "sfumato", **self.own.generator}.items() <= generator.items()
            and manifest.get("title") == (self.title or self.own.title or _shown(name))
        )


def _sorted(assertions: Sequence[tuple[str, Any]]) -> list[str]:
    """Comparable, in one order; reports leave out the version at the end of a label."""
    return sorted(json.dumps([re.sub(r"\.v\d+$", "", label), data], sort_keys=True) for label, data in assertions)


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
    usual = "inputTo" if declaration.kind == "generated" else "componentOf"
    parts = [*map(OwnIngredient, declaration.ingredients), *declaration.own.ingredients]
    for number, part in enumerate(parts, start=1):
        reference = part.label or ("ingredient" if len(parts) == 1 else f"ingredient-{number}")
        if any(reference == other.reference for other in found):
            raise UsageError(f"Two ingredients have the label {reference!r}", "Give each a label of its own.")
        found.append(ingredient_file(part.path, reference, part.relationship or usual, part.title))
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
            "label": ACTIONS_LABEL,
            "data": {
                "actions": _actions(declaration, ingredients, stamp),
                "allActionsIncluded": declaration.own.actions.all_included,
            },
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
    assertions += declaration.own.assertions
    title = declaration.title or declaration.own.title or _shown(name)
    return manifest_definition(title, media_type, assertions, ingredients, declaration.own.generator)


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
    """Ours, and those of an own manifest among them: the first is joined with ours of the kind, the others follow."""
    own = declaration.own.actions
    by_relationship: dict[str, list[str]] = {"parentOf": [], "inputTo": [], "componentOf": []}
    for ingredient in ingredients:
        by_relationship[ingredient.relationship].append(ingredient.reference)
    named = own.named()
    if unknown := sorted(named - {ingredient.reference for ingredient in ingredients}):
        known = ", ".join(ingredient.reference for ingredient in ingredients) or "none"
        raise UsageError(f"An action names the ingredient {unknown[0]!r}, which is not there", f"There are: {known}.")
    first: dict[str, Any] = {"when": stamp, **(own.first or {}), "action": declaration.first_action}
    if declaration.kind == "edited":
        about = by_relationship["parentOf"]
        if unused := [label for label in by_relationship["inputTo"] if label not in named]:
            advice = "Name it in the action that used it, under ingredientIds."
            raise UsageError(f"No action says what the ingredient {unused[0]!r} was used for", advice)
    else:
        about = by_relationship["inputTo"]
        first["digitalSourceType"] = declaration.source_type_address()
    about = list(dict.fromkeys([*about, *ingredients_named(first)]))
    parameters = {**first.get("parameters", {}), **({"ingredientIds": about} if about else {})}
    if parameters:
        first["parameters"] = parameters
    done = [{"action": name, "when": stamp} for name in declaration.actions]
    if declaration.kind == "edited" and declaration.source_type:
        done[0]["digitalSourceType"] = declaration.source_type_address()
    placed = (
        {"action": PLACED, "when": stamp, "parameters": {"ingredientIds": [part]}}
        for part in by_relationship["componentOf"]
        if part not in named
    )
    return [first, *done, *map(dict, own.rest), *placed]


def _check_own(declaration: Declaration) -> None:
    """Raises UsageError where an own manifest says the same again, or less than the declaration."""
    own, first = declaration.own, declaration.own.actions.first
    twice = {
        "a title": declaration.title and own.title,
        "actions": declaration.actions and own.actions,
        TRAINING_MINING_LABEL: declaration.training_mining and TRAINING_MINING_LABEL in own.labels,
    }
    for what in (what for what, both in twice.items() if both):
        raise UsageError(f"The manifest has {what}, and so has the command", "Say it in one place.")
    types = {declaration.source_type_address()} if declaration.kind != "edited" or declaration.source_type else set()
    if first is not None:
        if first["action"] != declaration.first_action:
            advice = f"Leave that action out: {declaration.first_action} is written for you; or declare another kind."
            raise UsageError(
                f"The manifest begins with {first['action']}, and the file is declared as {declaration.kind}", advice
            )
        if declaration.kind == "edited" and set(ingredients_named(first)) - {"parent"}:
            raise UsageError("c2pa.opened is about the parent alone", "Name other ingredients in other actions.")
        if "digitalSourceType" in first and first["digitalSourceType"] not in types:
            said = source_type_name(first["digitalSourceType"])
            wanted = source_type_name(next(iter(types), None)) or "nothing, for its parent says it"
            raise UsageError(
                f"The manifest says {said} of a file of which {wanted} is declared",
                "Leave it out of the manifest, or declare that source type (--source-type).",
            )
    for action in own.actions.rest:
        types.update(stated_source_types(action))
    for assertion in own.assertions:
        for address in stated_source_types(assertion["data"]):
            if address not in types:
                advice = "Leave it out, or let an action say it."
                raise UsageError(f"{assertion['label']} says {source_type_name(address)}, and no action does", advice)


def _check_actions(actions: Sequence[str]) -> None:
    for name in actions:
        if not ACTION.fullmatch(name) or name in (*BEGINNINGS, PLACED):
            advice = "Name what was done as c2pa.edited, c2pa.color_adjustments, or a name of your own domain."
            raise UsageError(f"{name!r} cannot be an action of an edit", advice)
