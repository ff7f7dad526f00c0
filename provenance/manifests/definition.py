"""What every manifest definition of ours has, and what none may have.

In: a title, a media type, assertions, ingredients. Out: a checked manifest definition for the C2PA builder
(specification 2.4, claim version 2). The library signs a manifest with an invented digitalSourceType, or one that was
created and has a parent too, without a word; `check_manifest` refuses them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from provenance.manifests.ingredients import IngredientFile
from provenance.manifests.source_types import GENERATED, SOURCE_TYPES
from sfumato.errors import SealError
from sfumato.version import __version__

SPECIFICATION = "2.4.0"


def manifest_definition(
    title: str,
    media_type: str,
    assertions: Sequence[dict[str, Any]],
    ingredients: Sequence[IngredientFile],
    generator: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """generator: name and version of the program that had this made; sfumato stays named beside it. Raises SealError
    for what `check_manifest` refuses.
    """
    us = {"name": "sfumato", "version": __version__}
    manifest = {
        "claim_version": 2,
        "claim_generator_info": [
            {**(generator or us), "specVersion": SPECIFICATION, **({"org.sfumato": __version__} if generator else {})}
        ],
        "title": title,
        "format": media_type,
        "assertions": list(assertions),
    }
    check_manifest(manifest, [ingredient.definition() for ingredient in ingredients])
    return manifest


def check_manifest(manifest: Mapping[str, Any], ingredients: Sequence[Mapping[str, Any]]) -> None:
    """What the C2PA library does not look at. Raises SealError for the first fault.

    One actions assertion, opening with created or opened; a known digitalSourceType wherever one stands and always for
    created; no parent beside created; custom labels with a dot; a watermark that is bound has its soft binding.
    """
    labels = [str(assertion["label"]) for assertion in manifest["assertions"]]
    undotted = [label for label in labels if "." not in label]
    if undotted:
        raise SealError(
            f"The assertion label {undotted[0]!r} has no dot", "Use a name of your own domain, as org.example.facts."
        )
    stated = [
        assertion["data"]["actions"]
        for assertion in manifest["assertions"]
        if assertion["label"].startswith("c2pa.actions")
    ]
    actions = [action for part in stated for action in part]
    if not actions or actions[0]["action"] not in ("c2pa.created", "c2pa.opened"):
        raise SealError("The first action of a manifest must be c2pa.created or c2pa.opened")
    if any(action["action"] in ("c2pa.created", "c2pa.opened") for action in actions[1:]):
        raise SealError("Only the first action of a manifest may be c2pa.created or c2pa.opened")
    if any(action["action"] == "c2pa.watermarked.bound" for action in actions) and "c2pa.soft-binding" not in labels:
        raise SealError("A bound watermark is stated, but not which one", "Add the c2pa.soft-binding assertion.")
    for action in actions:
        source_type = action.get("digitalSourceType")
        if source_type not in SOURCE_TYPES and (source_type is not None or action["action"] == "c2pa.created"):
            raise SealError(
                f"{source_type!r} is not a digitalSourceType of the IPTC list", f"For example: {GENERATED}."
            )
    parents = sum(ingredient.get("relationship") == "parentOf" for ingredient in ingredients)
    if actions[0]["action"] == "c2pa.created" and parents:
        raise SealError("A created asset cannot have a parent", "Name what it was made from as inputTo or componentOf.")
    if parents > 1:
        raise SealError("An asset has at most one parent", "Name the others as componentOf.")
